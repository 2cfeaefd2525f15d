//! `cargo xtask demo`: the release build on 200 jobs against the demonstration site.
//!
//! The program `demo` of the kit provides the site, the jobs and the summary. This command finds or installs a
//! browser, builds both programs, and replaces itself by `demo`, so Ctrl-C and exit codes work as if `demo` was
//! started by hand.

use crate::failure::Failure;
use crate::program::{become_program, cargo, program, root, run as run_program, target};
use crate::setup::{self, Purpose};

const BUILD: [&str; 11] = [
    "build",
    "--release",
    "--no-default-features",
    "--package",
    "plimsoll-cli",
    "--package",
    "plimsoll-kit",
    "--bin",
    "plimsoll",
    "--bin",
    "demo",
];

pub(crate) fn run() -> Result<(), Failure> {
    eprintln!("step 1 of 3: find a browser, or install one");
    setup::run(Purpose::Jobs)?;
    eprintln!("step 2 of 3: build plimsoll; the first build takes some minutes");
    run_program(&mut cargo(BUILD))?;
    eprintln!("step 3 of 3: run 200 jobs, 100 at a time; results go to plimsoll-demo/");
    let release = root().join(target()).join("release");
    let demo = release.join("demo");
    let mut demo = program(&[&demo.to_string_lossy()]);
    Err(become_program(demo.arg(release.join("plimsoll")).current_dir(root())).into())
}
