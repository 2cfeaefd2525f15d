//! `cargo xtask bench NAME`: a measurement, made by a release build.

use crate::Failure;
use crate::program::{cargo, run as run_program};
use crate::setup::{self, Purpose};

/// What makes a measurement.
#[derive(Clone, Copy)]
enum Made {
    /// A binary of the kit, with the program and a real browser.
    ByKit(&'static str),
    /// A benchmark of a package, which needs neither.
    ByPackage(&'static str, &'static str),
}

/// A measurement: its name here, what makes it, and what it answers.
const BENCHES: [(&str, Made, &str); 2] = [
    ("floor", Made::ByKit("bench-floor"), "jobs a second and CPU a job, beside a bare protocol client"),
    (
        "abi",
        Made::ByPackage("plimsoll-loader", "abi"),
        "what a call of a driver library costs, here and in a child",
    ),
];

pub(crate) fn run(names: &[String]) -> Result<(), Failure> {
    let [name] = names else { return Err(Failure::Usage(format!("name one measurement:\n{}", list()))) };
    let Some((_, made, _)) = BENCHES.iter().find(|(known, ..)| known == name) else {
        return Err(Failure::Usage(format!("no measurement `{name}`; there are:\n{}", list())));
    };
    let measure = match made {
        Made::ByKit(binary) => {
            setup::run(Purpose::Jobs)?;
            run_program(&mut cargo(["build", "--release", "--package", "plimsoll"]))?;
            let kit = ["run", "--release", "--package", "plimsoll-kit", "--features", "bench"];
            [&kit[..], &["--bin", binary]].concat()
        }
        Made::ByPackage(package, bench) => vec!["bench", "--package", package, "--bench", bench],
    };
    Ok(run_program(&mut cargo(measure))?)
}

fn list() -> String {
    BENCHES.iter().map(|(name, _, answers)| format!("  {name:<8} {answers}\n")).collect()
}
