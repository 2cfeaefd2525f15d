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
//! 2. `endpoints`, `endpoint`, `journal`: remote ends, their slots, and the sessions that are open there.
//! 3. [`settings`], `capabilities`, `driver`, `origin`, `launch`: from settings to a driver process that answers.
//! 4. `browser`, `handle`, `location`: a browser and the state that its contexts share; `driver_process`, `health`,
//!    `share`: the parts that its reaper owns, and how its end is detected.
//! 5. `opening`, `context`, `setup`, `navigation`: one session: its start, its window and its pages; `open_session`,
//!    `lease`, `ending`: its verified end.
//! 6. `tab`, `performance_log`, `popups`, `step`: a page, what it does by itself, and what a job does in it.
//!
//! A session is a context. A fault gets its class here, from what the protocol says by type or code; nothing above looks
//! at texts. The protocol's own client is fantoccini's; what it lacks (deadlines, a second command beside one that is
//! stuck, the truth about a deletion) is `wire`'s, `direct`'s, `socket`'s and `ending`'s.

pub mod settings;

mod browser;
mod call;
mod capabilities;
mod context;
mod direct;
mod driver;
mod driver_process;
mod ending;
mod endpoint;
mod endpoints;
mod handle;
mod health;
mod journal;
mod launch;
mod lease;
mod location;
mod navigation;
mod open_session;
mod opening;
mod origin;
mod performance_log;
mod popups;
mod session;
mod setup;
mod share;
mod socket;
mod step;
mod tab;
mod wire;
mod world;

pub use driver::{WebDriverDriver, WebDriverDriverError};
pub use journal::JournalError;
pub use settings::{Family, Remote, RemoteError, WebDriverSettings};
