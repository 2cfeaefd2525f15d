//! Plimsoll's driver over the Chrome DevTools Protocol.
//!
//! ```text
//!   CdpDriver ── launch ──► CdpBrowser ── open ──► CdpContext ── perform ──► steps
//!       │                    │  │                    │   │
//!     flags              health arrivals           guard navigation
//!                            └──┴─── transport ──────┴───┘
//! ```
//!
//! 1. [`transport`]: messages over a pipe: calls with deadlines, events for each session.
//! 2. `settings`, `driver`, `origin`, `launch`, `flags`: from settings to a browser that answers.
//! 3. `browser`, `handle`, `health`, `arrivals`: one browser, its end, and the pages that open in it.
//! 4. `opening`, `context`, `setup`, `guard`, `navigation`: one context: how it is made, its page, what happens to it,
//!    where it goes.
//! 5. `page`, `evaluate`, `step`: what a job does in a page.
//!
//! A fault gets its class here, from the type or code that the protocol gives; nothing above reads texts.

pub mod transport;

mod arrivals;
mod browser;
mod context;
mod driver;
mod evaluate;
mod flags;
mod guard;
mod handle;
mod health;
mod launch;
mod navigation;
mod opening;
mod origin;
mod page;
mod settings;
mod setup;
mod step;

pub use driver::{CdpDriver, CdpDriverError};
pub use settings::CdpSettings;
