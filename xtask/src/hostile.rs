//! `cargo xtask hostile [WORD...]`: the release build under attack, on every driver with real browsers.
//!
//! The program `hostile` of the kit runs each attack beside healthy jobs and prints a table. This command finds or installs
//! the browsers, builds both programs, and replaces itself by `hostile`, so Ctrl-C and exit codes work as if it was started
//! by hand. WORDs choose drivers (`cdp`, `chromedriver`, `geckodriver`) and attacks (`loops/`, `workers/five-hundred`).

use crate::failure::Failure;
use crate::program::{become_program, release_program};
use crate::setup::{self, Purpose};

pub(crate) fn run(words: &[String]) -> Result<(), Failure> {
    let equipment = setup::run(Purpose::Tests)?;
    let mut hostile = release_program("hostile", &[])?;
    Err(become_program(equipment.set_variables(&mut hostile).args(words)).into())
}
