//! The life of one browser, implemented once for every driver that starts processes.
//!
//! ```text
//!   launch (owned task) ─► LocalProcess ─► Reaper::start ─► ReaperHandle, held by the driver's browser
//!                                              │                 │ close, or drop
//!                                              ▼                 ▼
//!      Lifetime::ended ◄── ended ◄── [ reaper task ] ◄── run cancelled, browser died or hangs
//!      Lifetime::gone  ◄── Owned::remove: processes killed and verified, profile removed
//! ```
//!
//! 1. [`launch()`] runs a launch as a task of the supervisor: a caller that stops waiting cancels nothing, and a browser
//!    whose caller has left is dropped, which closes it. [`LaunchError`] names the stage at which a launch failed.
//! 2. [`LocalProcess`] is a process tree with its profile directory.
//! 3. [`Reaper`] is the task that owns the parts that must not be left behind ([`Owned`]) and removes them in every
//!    case.
//! 4. [`Lifetime`] reports to contexts that their browser has ended, and when it is verified gone.
//!
//! Failure paths: a failed launch removes all its parts before it reports the error; a removal that fails is the result
//! of [`Lifetime::gone`]; a reaper that panics drops all it owns, which kills the processes, and the browser is
//! reported as ended and as not verified gone.

mod error;
mod launch;
mod lifetime;
mod process;
mod reaper;

pub use self::error::LaunchError;
pub use self::launch::launch;
pub use self::lifetime::Lifetime;
pub use self::process::LocalProcess;
pub use self::reaper::{Owned, Reaper, ReaperHandle, Removal, stop_tasks};
