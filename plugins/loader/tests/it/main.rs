//! Tests the loader with a library that misbehaves (`tests/rogue`), in this process and in a separate process.

mod answers;
mod behaviour;
mod builds;
mod calls;
mod crashes;
mod in_place;
mod refusals;
mod rig;

use std::path::PathBuf;

/// Not a test: the program of an isolated library's process, started by the tests in this binary.
#[test]
#[ignore = "run by the tests, in a process of its own"]
fn plugin_host() {
    let path = std::env::args_os().next_back().map(PathBuf::from).expect("the library is the last argument");
    let _code = plimsoll_loader::child::run(&path);
}
