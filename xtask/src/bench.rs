//! `cargo xtask bench NAME`: runs a measurement of the release build.

use crate::failure::Failure;
use crate::program::{cargo, run as run_program};
use crate::setup::{self, Purpose};

/// The program of a measurement.
#[derive(Clone, Copy)]
enum Made {
    /// A binary of the kit with its arguments; it needs the built program and a set-up machine.
    ByKit(&'static str, &'static [&'static str], Purpose),
    /// A benchmark of a package, which needs neither of them.
    ByPackage(&'static str, &'static str),
}

/// Each measurement: its name, its program, and its figures.
const BENCHES: [(&str, Made, &str); 3] = [
    (
        "floor",
        Made::ByKit("bench-floor", &[], Purpose::Jobs),
        "jobs a second and CPU a job, beside a bare protocol client",
    ),
    (
        "sessions",
        Made::ByKit("bench-floor", &["--protocol", "webdriver"], Purpose::Tests),
        "WebDriver sessions a second, beside a bare HTTP client",
    ),
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
        Made::ByKit(binary, args, purpose) => {
            setup::run(*purpose)?;
            run_program(&mut cargo(["build", "--release", "--package", "plimsoll-cli"]))?;
            let kit = ["run", "--release", "--package", "plimsoll-kit", "--features", "bench"];
            [&kit[..], &["--bin", binary, "--"], args].concat()
        }
        Made::ByPackage(package, bench) => vec!["bench", "--package", package, "--bench", bench],
    };
    Ok(run_program(&mut cargo(measure))?)
}

fn list() -> String {
    BENCHES.iter().map(|(name, _, answers)| format!("  {name:<8} {answers}\n")).collect()
}
