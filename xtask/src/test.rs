//! `cargo xtask test`: every test of the workspace.
//!
//! With arguments, only what they select: they go to the test runner as they are. Tests that use a Selenium Grid are
//! `#[ignore]`d, since not every machine has a Java; `--grid` sets one up and runs these too.

use std::process::Command;

use crate::Failure;
use crate::program::{cargo, run as run_program, succeeds};
use crate::setup::{self, Equipment, Purpose};

/// The tests on a grid.
const ON_A_GRID: [&str; 5] = ["--package", "plimsoll-kit", "--test", "conformance", "grid::"];

pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let (grid, args): (Vec<_>, Vec<_>) = args.iter().partition(|arg| *arg == "--grid");
    let equipment = setup::run(if grid.is_empty() { Purpose::Tests } else { Purpose::Grid })?;
    let runner = Runner::find(&equipment);
    if !args.is_empty() {
        return Ok(run_program(runner.start().args(args))?);
    }
    run_program(&mut runner.everything())?;
    if !grid.is_empty() {
        run_program(&mut runner.ignored(ON_A_GRID))?;
    }
    Ok(run_program(&mut cargo(["test", "--quiet", "--workspace", "--doc"]))?)
}

/// What runs tests here.
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
        self.equipment.tell(&mut command).arg("--no-fail-fast");
        command
    }

    /// All but the doc tests: nextest runs none, and cargo test would run them by itself.
    fn everything(&self) -> Command {
        let mut command = self.start();
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
