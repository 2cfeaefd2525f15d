//! The machine under the browsers (Linux): starting and ending processes, and the directories for their files.
//!
//! 1. [`identity`]: the user that browsers run as; never root.
//! 2. [`spawn`]: starts a process so that it cannot outlive us: the only place that starts a process.
//! 3. [`tree`]: a running process with all its descendants: its end, the last lines of its log, and its kill ladder.
//! 4. `processes`: the table of processes in `/proc`, and which process descends from which.
//! 5. [`profile`]: profile directories that are removed with their owner, and the sweep after an owner was killed.
//! 6. [`owner`]: the lock that marks a directory as the property of a running run.
//! 7. [`executable`], [`browser`], [`program`]: which browsers and other programs this machine has.
//! 8. [`sandbox`], [`shared_memory`]: the features that browsers can use here; [`window`]: the size of their windows.
//! 9. [`machine`], [`lifecycle`]: the life of one browser, from its launch to its verified end; [`network_service`]: one of
//!    its processes, whose end fails navigations.
//! 10. [`readings`]: the values of the sensors; [`probe`]: all sensors together, as a fleet reads them.
//!
//! ```text
//!   ProfileRoot ── create ──► ProfileDir ─┐
//!   browser::find ──► BrowserBinary ──────┤
//!                                         ▼
//!   Spawner (one thread) ── Launch ──► ProcessTree ── kill(Ladder) ──► verified gone ──► ProfileDir::remove
//!                                                       ▲ lifecycle::Reaper
//! ```

pub mod browser;
pub mod executable;
pub mod identity;
pub mod lifecycle;
pub mod machine;
pub mod neighbours;
pub mod network_service;
pub mod owner;
pub mod probe;
mod processes;
pub mod profile;
pub mod program;
pub mod readings;
pub mod sandbox;
pub mod shared_memory;
pub mod spawn;
pub mod tree;
pub mod window;
