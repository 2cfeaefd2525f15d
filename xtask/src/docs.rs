//! `cargo xtask docs drivers [--grid]`: what every driver does, as the conformance suite finds it, into `docs/generated/drivers.md`.

use crate::Failure;
use crate::program::{cargo, root, run as run_program, target};
use crate::setup::{self, Purpose};

/// Tells the suite to keep its verdicts in this directory instead of comparing them with the page.
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
    // What an earlier run kept may be of cases that are gone.
    drop(std::fs::remove_dir_all(&verdicts));
    std::fs::create_dir_all(&verdicts).map_err(Failure::Docs)?;
    let suite = |filter: &[&str]| {
        let mut suite = cargo(SUITE);
        equipment.tell(&mut suite).env(KEEP, &verdicts).arg("--").args(filter);
        suite
    };
    // The table needs every verdict; `plugin_host` is no test.
    let all: &[&str] = if purpose == Purpose::Grid { &["--include-ignored"] } else { &[] };
    run_program(&mut suite(&[all, &["--skip", "the_table_is_whole", "--skip", "plugin_host"]].concat()))?;
    Ok(run_program(&mut suite(&["the_table_is_whole"]))?)
}
