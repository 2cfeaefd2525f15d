//! The `plimsoll` binary from outside, with real browsers: what it writes, how it ends, what it leaves behind.
//!
//! ```text
//!   binary      where it is; built first if need be
//!   running     a run on its way, and one that ended
//!   rig         a directory of its own for each test, and the proof that nothing is left
//! ```
//!
//! Each other module is a suite. Two variables make it harder: `PLIMSOLL_E2E_JOBS` is the number of jobs in the
//! large runs (60 unless said otherwise), and with `PLIMSOLL_SLOW_TESTS=1` the run of a million jobs is made too.
//! `PLIMSOLL_BIN` names a binary to test in place of the one beside this test.

mod binary;
mod rig;
mod running;

mod endings;
mod exits;
mod faults;
mod foul_weather;
mod isolation;
mod million;
mod mistakes;
mod report_page;
mod routing;
mod scripts;
mod visits;

use plimsoll_kit::{berth, patience, processes};
