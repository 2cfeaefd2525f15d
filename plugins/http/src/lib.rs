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
//! All input is bounded: redirects, bodies before and after decompression, nodes and their depth, cookies, the result
//! of a step, and the time for each. Faults have the same classes as in the CDP driver. Steps that need a browser (a
//! click, a picture, a script) are declared unsupported and refused before a run.

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

/// Makes the driver; Plimsoll calls this through the library's interface.
fn made(start: Start) -> Result<HttpDriver, HttpDriverError> {
    HttpDriver::new(HttpSettings::read(start.config)?, &start.supervisor)
}
