//! `cargo xtask demo`: the release build on 200 jobs against the demonstration site.
//!
//! The program `demo` of the kit provides the site, the jobs and the summary. This command finds or installs a
//! browser, builds both programs, and replaces itself by `demo`, so Ctrl-C and exit codes work as if `demo` was
//! started by hand.

use crate::failure::Failure;
use crate::program::{become_program, release_program};
use crate::setup::{self, Purpose};

pub(crate) fn run() -> Result<(), Failure> {
    eprintln!("step 1 of 3: find a browser, or install one");
    setup::run(Purpose::Jobs)?;
    eprintln!("step 2 of 3: build plimsoll; the first build takes some minutes");
    let mut demo = release_program("demo", &["--no-default-features"])?;
    eprintln!("step 3 of 3: run 200 jobs, 100 at a time; results go to plimsoll-demo/");
    Err(become_program(&mut demo).into())
}
