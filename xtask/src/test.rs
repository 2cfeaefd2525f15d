//! `cargo xtask test`: every test of the workspace.
//!
//! Other arguments go to the test runner and select tests. Two groups of tests are `#[ignore]`d and run only on request:
//! `--grid` sets up a Selenium Grid, which needs Java, and runs the tests on it; `--slow` runs the tests that take minutes.

use std::process::Command;

use crate::failure::Failure;
use crate::program::{cargo, run as run_program, succeeds};
use crate::setup::{self, Equipment, Purpose};

/// Tells the tests of programs that the programs were built with them (`tests/e2e/binary.rs`).
const BUILT: &str = "PLIMSOLL_BUILT";
/// Groups of ignored tests: the argument that asks for a group, and its tests.
const IGNORED: [(&str, [&str; 5]); 2] = [
    ("--grid", ["--package", "plimsoll-kit", "--test", "conformance", "grid::"]),
    ("--slow", ["--package", "plimsoll-kit", "--test", "e2e", "million::"]),
];

pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let groups = IGNORED.iter().filter(|(flag, _)| args.iter().any(|arg| arg == flag));
    let groups: Vec<_> = groups.collect();
    let args: Vec<_> = args.iter().filter(|arg| IGNORED.iter().all(|(flag, _)| arg != flag)).collect();
    let grid = groups.iter().any(|(flag, _)| *flag == "--grid");
    let equipment = setup::run(if grid { Purpose::Grid } else { Purpose::Tests })?;
    let runner = Runner::find(&equipment);
    if !args.is_empty() {
        return Ok(run_program(runner.start().args(args))?);
    }
    run_program(&mut runner.everything())?;
    for (_, tests) in groups {
        run_program(&mut runner.ignored(*tests))?;
    }
    Ok(run_program(&mut cargo(["test", "--quiet", "--workspace", "--doc"]))?)
}

/// The test runner: cargo-nextest if it is installed, else cargo.
struct Runner<'a> {
    nextest: bool,
    equipment: &'a Equipment,
}

impl<'a> Runner<'a> {
    fn find(equipment: &'a Equipment) -> Self {
        Self { nextest: succeeds(&mut cargo(["nextest", "--version"])), equipment }
    }

    fn start(&self) -> Command {
        let words: &[&str] = if self.nextest { &["nextest", "run"] } else { &["test"] };
        let mut command = cargo(words);
        self.equipment.set_variables(&mut command).arg("--no-fail-fast");
        command
    }

    /// All but the doc tests: nextest runs none, and cargo test would run them by itself.
    fn everything(&self) -> Command {
        let mut command = self.start();
        command.env(BUILT, "1");
        command.args(if self.nextest { &["--workspace"][..] } else { &["--workspace", "--all-targets"] });
        command
    }

    /// The ignored tests among `tests`.
    fn ignored(&self, tests: [&str; 5]) -> Command {
        let mut command = self.start();
        let flags: &[&str] = if self.nextest { &["--run-ignored", "only"] } else { &["--", "--ignored"] };
        command.args(tests).args(flags);
        command
    }
}
