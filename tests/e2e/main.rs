//! Tests the `plimsoll` binary with real browsers: its output, its exit codes, and that nothing is left behind.
//!
//! ```text
//!   binary      where it and the engine's examples are; built first if need be
//!   running     a run on its way, and one that ended
//!   rig         a directory of its own for each test, and the proof that nothing is left
//! ```
//!
//! Each other module is a suite. `PLIMSOLL_E2E_JOBS` sets the number of jobs in the large runs (default 60), and
//! `PLIMSOLL_BIN` the binary to test instead of the binary beside this test. The run of a million jobs is ignored unless
//! `cargo xtask test --slow` asks for it.

mod binary;
mod rig;
mod running;

mod endings;
mod examples;
mod exits;
mod faults;
mod foul_weather;
mod full_files;
mod hostile;
mod isolation;
mod libraries;
mod million;
mod mistakes;
mod report_page;
mod routing;
mod scripts;
mod secrets;
mod visits;

use plimsoll_kit::{berth, patience, processes};
