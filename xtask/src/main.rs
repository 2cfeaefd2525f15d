//! What a developer does with this repository, as commands: `cargo xtask NAME`. One file a command.
//!
//! A command ends with the exit code of what it ran, 2 for a mistake on the command line, and 3 when
//! the machine lacks something. Talk goes to stderr.
#![expect(clippy::print_stderr, reason = "a command-line program for people; stdout stays free for results")]

mod bench;
mod ci;
mod demo;
mod docs;
mod plugin;
mod program;
mod setup;
mod sim;
mod test;

use std::process::ExitCode;

use setup::Purpose;

const HELP: &str = "\
cargo xtask COMMAND

  setup          find what the tests need (browsers, their drivers, fonts), or install it; --grid: a Selenium Grid too
  demo           200 jobs on a site of our own, 100 at a time; results in plimsoll-demo/
  test [ARGS]    the tests, by cargo-nextest where it is installed; ARGS go to it; --grid, --slow: the ignored tests too,
                 those on a Selenium Grid and those that take minutes
  ci             format, lints, tests, documentation, licences: what a change must pass
  plugin new NAME   a driver crate from a template, in plugins/NAME
  plugin build      every driver crate in plugins/, laid where plimsoll looks for libraries
  docs drivers   docs/generated/drivers.md anew, by the conformance suite; --grid: on a Selenium Grid too
  bench NAME     a measurement; `bench` alone lists them
  sim [ARGS]     a thousand simulated fleets against every invariant; `sim --help` says more
";

/// The usage error of `sysexits` fame is 64; ours is 2, as in the `plimsoll` binary.
const USAGE: u8 = 2;
/// The machine lacks something.
const LACKING: u8 = 3;

/// Why a command did not succeed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Setup(#[from] setup::SetupError),
    #[error(transparent)]
    Program(#[from] program::ProgramError),
    #[error(transparent)]
    Demo(#[from] demo::DemoError),
    #[error(transparent)]
    Sim(#[from] sim::SimError),
    #[error(transparent)]
    Plugin(#[from] plugin::PluginError),
    #[error("cannot keep verdicts: {0}")]
    Docs(std::io::Error),
    #[error("{0} of the stages failed")]
    Stages(usize),
}

impl Failure {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => USAGE,
            Self::Setup(_) => LACKING,
            Self::Program(e) => e.exit_code(),
            Self::Demo(e) => e.exit_code(),
            Self::Plugin(plugin::PluginError::Build(e)) => e.exit_code(),
            Self::Plugin(plugin::PluginError::Name { .. } | plugin::PluginError::Exists(_)) => USAGE,
            Self::Plugin(_) | Self::Sim(_) | Self::Docs(_) | Self::Stages(_) => 1,
        }
    }
}

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
        ("plugin", args) => plugin::run(args),
        ("bench", names) => bench::run(names),
        ("docs", args) => docs::run(args),
        ("sim", args) => sim::run(args),
        ("help" | "--help" | "-h", _) => {
            eprint!("{HELP}");
            Ok(())
        }
        ("setup", _) => Err(Failure::Usage("`setup` takes no argument but --grid".to_owned())),
        ("demo" | "ci", _) => Err(Failure::Usage(format!("`{command}` takes no arguments"))),
        _ => Err(Failure::Usage(format!("no command `{command}`\n\n{HELP}"))),
    }
}
