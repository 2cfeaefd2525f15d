//! The commands of a developer: `cargo xtask NAME`. Each command is one file.
//!
//! A command ends with the exit code of what it ran, 2 for a mistake on the command line, and 3 when
//! the machine lacks a program or a file. Messages go to stderr.
#![expect(clippy::print_stderr, reason = "a command-line program for people; stdout stays free for results")]

mod bench;
mod ci;
mod demo;
mod docs;
mod failure;
mod hostile;
mod plugin;
mod program;
mod setup;
mod sim;
mod test;

use std::process::ExitCode;

use failure::Failure;
use setup::Purpose;

const HELP: &str = "\
cargo xtask COMMAND

  setup          find or install what the tests need: browsers, their drivers, fonts; --grid: a Selenium Grid too
  demo           200 jobs on a local demonstration site, 100 at a time; results in plimsoll-demo/
  test [ARGS]    the tests, by cargo-nextest if it is installed; ARGS are its arguments; --grid, --slow: the ignored tests
                 too, those on a Selenium Grid and those that take minutes
  ci             format, lints, tests, documentation, licences: what a change must pass
  plugin new NAME   makes a driver crate from a template, in plugins/NAME
  plugin build [NAME]   builds every driver crate in plugins/, or this one, and installs it where plimsoll looks for
                 libraries
  plugin check NAME     builds a driver crate and runs `plimsoll driver check` on it
  docs drivers   write docs/generated/drivers.md from the conformance suite; --grid: on a Selenium Grid too
  hostile [WORDS]   an hour of attacking pages, each beside healthy jobs, on every driver; WORDS choose drivers and attacks
  bench NAME     a measurement; `bench` alone lists them
  sim [ARGS]     a thousand simulated fleets against every invariant; `sim --help` says more
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(args: &[String]) -> Result<(), Failure> {
    let Some((command, rest)) = args.split_first() else {
        eprint!("{HELP}");
        return Ok(());
    };
    match (command.as_str(), rest) {
        ("setup", []) => Ok(setup::run(Purpose::Tests).map(drop)?),
        ("setup", [flag]) if flag == "--grid" => Ok(setup::run(Purpose::Grid).map(drop)?),
        ("demo", []) => demo::run(),
        ("test", args) => test::run(args),
        ("ci", []) => ci::run(),
        ("plugin", args) => Ok(plugin::run(args)?),
        ("bench", names) => bench::run(names),
        ("docs", args) => docs::run(args),
        ("hostile", words) => hostile::run(words),
        ("sim", args) => Ok(sim::run(args)?),
        ("help" | "--help" | "-h", _) => {
            eprint!("{HELP}");
            Ok(())
        }
        ("setup", _) => Err(Failure::Usage("`setup` takes no argument but --grid".to_owned())),
        ("demo" | "ci", _) => Err(Failure::Usage(format!("`{command}` takes no arguments"))),
        _ => Err(Failure::Usage(format!("no command `{command}`\n\n{HELP}"))),
    }
}
