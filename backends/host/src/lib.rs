//! The machine under the browsers (Linux): what starts them, what ends them, and where they keep their files.
//!
//! 1. [`identity`]: the user that browsers run as; never root.
//! 2. [`spawn`]: starting a process so that it cannot outlive us: the only place that starts one.
//! 3. [`tree`]: a running process with all its descendants: its end, its last words, and the ladder that kills it.
//! 4. `processes`: the table of processes in `/proc`, and who is whose kin.
//! 5. [`profile`]: profile directories that vanish with their owner, and the sweep after an owner that was killed.
//! 6. [`owner`]: the lock by which a directory belongs to a run that is alive.
//! 7. [`executable`], [`browser`], [`program`]: which browsers and other programs this machine has.
//! 8. [`sandbox`], [`shared_memory`]: what browsers can use here; [`window`]: the size of their windows.
//! 9. [`machine`], [`lifecycle`]: the life of one browser, from its launch to its verified end.
//! 10. [`readings`]: what the sensors say; [`probe`]: the sensors together, as a fleet reads them.
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
