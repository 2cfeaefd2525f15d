//! `cargo xtask test`: every test of the workspace.
//!
//! With arguments, only what they select: they go to the test runner as they are.

use crate::program::{cargo, run as run_program, succeeds};
use crate::{Failure, setup};

pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    setup::run()?;
    let nextest = succeeds(&mut cargo(["nextest", "--version"]));
    let runner: &[&str] =
        if nextest { &["nextest", "run", "--no-fail-fast"] } else { &["test", "--no-fail-fast"] };
    if !args.is_empty() {
        return Ok(run_program(cargo(runner).args(args))?);
    }
    // nextest runs no doc tests; cargo test without it would run them by itself.
    let targets: &[&str] = if nextest { &["--workspace"] } else { &["--workspace", "--all-targets"] };
    run_program(cargo(runner).args(targets))?;
    Ok(run_program(&mut cargo(["test", "--quiet", "--workspace", "--doc"]))?)
}
