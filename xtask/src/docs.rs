//! `cargo xtask docs drivers [--grid]`: writes the results of the conformance suite for every driver into
//! `docs/generated/drivers.md`.

use crate::failure::Failure;
use crate::program::{cargo, root, run as run_program, target};
use crate::setup::{self, Purpose};

/// The variable by which the suite stores its results in a directory instead of comparing them with the page.
const KEEP: &str = "PLIMSOLL_DRIVERS_TABLE";
const SUITE: [&str; 5] = ["test", "--package", "plimsoll-kit", "--test", "conformance"];

pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let purpose = match args {
        [page] if page == "drivers" => Purpose::Tests,
        [page, flag] if page == "drivers" && flag == "--grid" => Purpose::Grid,
        _ => {
            return Err(Failure::Usage(
                "name the page: `docs drivers`, with --grid to run a grid too".to_owned(),
            ));
        }
    };
    let equipment = setup::run(purpose)?;
    let verdicts = root().join(target()).join("conformance");
    // An earlier run may have left results of cases that no longer exist.
    drop(std::fs::remove_dir_all(&verdicts));
    std::fs::create_dir_all(&verdicts).map_err(Failure::Docs)?;
    let suite = |filter: &[&str]| {
        let mut suite = cargo(SUITE);
        equipment.set_variables(&mut suite).env(KEEP, &verdicts).arg("--").args(filter);
        suite
    };
    // The table needs every verdict; `plugin_host` is not a test.
    let all: &[&str] = if purpose == Purpose::Grid { &["--include-ignored"] } else { &[] };
    run_program(&mut suite(&[all, &["--skip", "the_table_is_whole", "--skip", "plugin_host"]].concat()))?;
    Ok(run_program(&mut suite(&["the_table_is_whole"]))?)
}
