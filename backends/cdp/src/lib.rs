//! Plimsoll's driver over the Chrome DevTools Protocol.
//!
//! ```text
//!   CdpDriver ── launch ──► CdpBrowser ── open ──► CdpContext ── perform ──► steps
//!       │                    │  │                    │   │
//!     flags              health arrivals           guard navigation
//!                            └──┴─── transport ──────┴───┘
//! ```
//!
//! 1. [`transport`]: messages over a pipe: calls with deadlines, events to whom they concern.
//! 2. `driver`, `launch`, `flags`: from settings to a browser that answers.
//! 3. `browser`, `health`, `arrivals`: one browser: its end, noticed and seen to; the pages that open in it.
//! 4. `context`, `setup`, `guard`, `navigation`: one context: its page, what happens to it, where it goes.
//! 5. `page`, `evaluate`, `step`: what a job does in a page.
//!
//! A fault gets its class here, from what the protocol says by type or code; nothing above looks at texts.

pub mod transport;

mod arrivals;
mod browser;
mod context;
mod driver;
mod evaluate;
mod flags;
mod guard;
mod health;
mod launch;
mod navigation;
mod page;
mod setup;
mod step;

pub use driver::{CdpDriver, CdpDriverError, CdpSettings, Machine, Sandbox, WindowSize};
