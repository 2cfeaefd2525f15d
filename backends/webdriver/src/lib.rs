//! Plimsoll's driver over W3C WebDriver: chromedriver and geckodriver on this machine, Selenium Grids and other remote
//! ends elsewhere.
//!
//! ```text
//!   WebDriverDriver ── launch ──► WebDriverBrowser ── open ──► WebDriverContext ── perform ──► steps
//!      │        │                   │      │                     │     │    │
//!    launch  endpoint             health ending             navigation tab setup
//!                                   └──────┴── direct, session ──┴─────┘
//! ```
//!
//! 1. `wire`, `call`, `direct`, `socket`, `session`: requests with deadlines and bounds, and what their failures mean.
//! 2. [`settings`], `demand`, `driver`, `launch`: from settings to a driver process that answers.
//! 3. `endpoints`, `endpoint`, `journal`: remote ends, their slots, and the sessions that are open there.
//! 4. `browser`, `link`, `health`: a driver process or a share of the remote ends: its end, noticed and seen to.
//! 5. `context`, `setup`, `ending`, `navigation`: one session: its window, where it goes, and its verified end.
//! 6. `tab`, `step`: what a job does in a page.
//!
//! A session is a context. A fault gets its class here, from what the protocol says by type or code; nothing above looks
//! at texts. The protocol's own client is fantoccini's; what it lacks (deadlines, a second command beside one that is
//! stuck, the truth about a deletion) is `wire`'s, `direct`'s, `socket`' and `ending`'s.

pub mod settings;

mod browser;
mod call;
mod context;
mod demand;
mod direct;
mod driver;
mod ending;
mod endpoint;
mod endpoints;
mod health;
mod journal;
mod launch;
mod link;
mod navigation;
mod session;
mod setup;
mod socket;
mod step;
mod tab;
mod wire;

pub use driver::{Machine, WebDriverDriver, WebDriverDriverError};
pub use journal::JournalError;
pub use settings::{Family, Remote, RemoteError, Sandbox, WebDriverSettings, WindowSize};
