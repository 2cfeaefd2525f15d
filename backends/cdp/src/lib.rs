//! Plimsoll's driver over the Chrome DevTools Protocol.
//!
//! ```text
//!   CdpDriver ── launch ──► CdpBrowser ── open ──► CdpContext ── perform ──► steps
//!       │                    │  │                    │   │
//!     flags           health page_targets    page_events navigation
//!                            └──┴─── transport ──────┴───┘
//! ```
//!
//! 1. [`transport`]: messages over a pipe: calls with deadlines, events for each session.
//! 2. `settings`, `driver`, `origin`, `launch`, `flags`: from settings to a browser that answers.
//! 3. `browser`, `handle`, `health`, `page_targets`: one browser, its end, and the pages that open in it.
//! 4. `opening`, `context`, `setup`, `page_events`, `navigation`: one context: how it is opened, its page, the page's
//!    events, opening pages.
//! 5. `page`, `evaluate`, `step`: the primitives that core's step engine uses in a page.
//!
//! A fault gets its class here, from the type or code that the protocol gives; nothing above reads texts.

pub mod transport;

mod browser;
mod context;
mod driver;
mod evaluate;
mod flags;
mod handle;
mod health;
mod launch;
mod navigation;
mod opening;
mod origin;
mod page;
mod page_events;
mod page_targets;
mod settings;
mod setup;
mod step;

pub use driver::{CdpDriver, CdpDriverError};
pub use settings::CdpSettings;
