//! `cargo xtask bench NAME`: a measurement, made by a release build against a real browser.

use crate::Failure;
use crate::program::{cargo, run as run_program};
use crate::setup::{self, Purpose};

/// A measurement: its name here, the kit's binary that makes it, and what it answers.
const BENCHES: [(&str, &str, &str); 1] =
    [("floor", "bench-floor", "jobs a second and CPU a job, beside a bare protocol client")];

pub(crate) fn run(names: &[String]) -> Result<(), Failure> {
    let [name] = names else { return Err(Failure::Usage(format!("name one measurement:\n{}", list()))) };
    let Some((_, binary, _)) = BENCHES.iter().find(|(known, ..)| known == name) else {
        return Err(Failure::Usage(format!("no measurement `{name}`; there are:\n{}", list())));
    };
    setup::run(Purpose::Jobs)?;
    run_program(&mut cargo(["build", "--release", "--package", "plimsoll"]))?;
    let run = ["run", "--release", "--package", "plimsoll-kit", "--features", "bench", "--bin", binary];
    Ok(run_program(&mut cargo(run))?)
}

fn list() -> String {
    BENCHES.iter().map(|(name, _, answers)| format!("  {name:<8} {answers}\n")).collect()
}
