//! Plimsoll's driver without a browser, for pages that need no script: the same jobs at a hundredth of the cost.
//!
//! ```text
//!   HttpDriver ── launch ──► HttpBrowser ── open ──► HttpContext ── perform
//!                            connections              │  cookies, headers
//!                                                     ├─ goto ──► fetch ──► content ──► page ──► dom
//!                                                     └─ read ──► condition, extract ──► selector, rendered
//! ```
//!
//! 1. `settings`, `driver`, `browser`, `context`: the ports of core.
//! 2. `fetch`, `cookies`, `content`: from an address to the HTML of a page.
//! 3. `dom`, `page`, `selector`, `rendered`, `form`: the page, and what can be said of it.
//! 4. `extract`, `condition`: what a job wants to know.
//!
//! Everything from outside is bounded: redirects, the body packed and unpacked, nodes and their depth, cookies, what a
//! step brings back, and the time that any of it takes. What goes wrong has the class that the CDP driver gives it.
//! What takes a browser (a click, a picture, a script) is declared unsupported, and refused before a run.

mod browser;
mod condition;
mod content;
mod context;
mod cookies;
mod dom;
mod driver;
mod extract;
mod fault;
mod fetch;
mod form;
mod page;
mod rendered;
mod selector;
mod settings;
mod work_budget;

use plimsoll_plugin::Start;

pub use driver::{HttpDriver, HttpDriverError};
pub use settings::{HttpSettings, HttpSettingsError};

plimsoll_plugin::export_driver!(made);

/// The driver, as Plimsoll makes it from a library.
fn made(start: Start) -> Result<HttpDriver, HttpDriverError> {
    HttpDriver::new(HttpSettings::read(start.config)?, &start.supervisor)
}
