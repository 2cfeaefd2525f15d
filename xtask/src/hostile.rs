//! `cargo xtask hostile [WORD...]`: the release build under attack, on every driver with real browsers.
//!
//! The program `hostile` of the kit runs each attack beside healthy jobs and prints a table. This command finds or installs
//! the browsers, builds both programs, and replaces itself by `hostile`, so Ctrl-C and exit codes work as if it was started
//! by hand. WORDs choose drivers (`cdp`, `chromedriver`, `geckodriver`) and attacks (`loops/`, `workers/five-hundred`).

use crate::failure::Failure;
use crate::program::{become_program, cargo, program, root, run as run_program, target};
use crate::setup::{self, Purpose};

const BUILD: [&str; 10] = [
    "build",
    "--release",
    "--package",
    "plimsoll-cli",
    "--package",
    "plimsoll-kit",
    "--bin",
    "plimsoll",
    "--bin",
    "hostile",
];

pub(crate) fn run(words: &[String]) -> Result<(), Failure> {
    let equipment = setup::run(Purpose::Tests)?;
    run_program(&mut cargo(BUILD))?;
    let release = root().join(target()).join("release");
    let mut hostile = program(&[&release.join("hostile").to_string_lossy()]);
    let hostile = equipment.set_variables(&mut hostile).arg(release.join("plimsoll")).args(words);
    Err(become_program(hostile.current_dir(root())).into())
}
