//! The `plimsoll` binary: parse, run, exit code. Everything else is in the library.

use std::process::ExitCode;

use clap::Parser;
use plimsoll::process_limits;
use plimsoll_cli::args::{Cli, Command, DriverCommand};
use plimsoll_cli::failure::{Exit, Failure};
use plimsoll_cli::{config, doctor, driver, driver_check, drivers, logging, manual, progress, run};
use tokio::runtime::Runtime;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return answer(&error),
    };
    logging::start();
    let done = match cli.command {
        Command::Run(args) => runtime().and_then(|runtime| runtime.block_on(run::run(args))),
        Command::Doctor(args) => runtime().and_then(|runtime| runtime.block_on(doctor::doctor(args))),
        Command::Drivers(args) => runtime().and_then(|runtime| runtime.block_on(drivers::drivers(args))),
        Command::Driver(DriverCommand::New(args)) => driver::new(&args),
        Command::Driver(DriverCommand::Check(args)) => {
            runtime().and_then(|runtime| runtime.block_on(driver_check::check(args)))
        }
        Command::Config(command) => config::config(&command),
        Command::PluginHost { path } => return plimsoll_loader::child::run(&path),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { dir } => manual::man(dir.as_deref()),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => {
            progress::say(&format!("plimsoll: {failure}"));
            failure.exit.into()
        }
    }
}

/// Prints help or the version, or what is wrong with the arguments, which may contain anything.
fn answer(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        progress::say(error.render().to_string().trim_end());
        return Exit::Usage.into();
    }
    // A closed standard output is no failure of a question for help.
    let _unheard = error.print();
    Exit::Success.into()
}

/// The async runtime. Tokio panics when it cannot start its threads, so this function first tries to start them.
fn runtime() -> Result<Runtime, Failure> {
    process_limits::room_for_threads().map_err(Failure::environment)?;
    // One worker thread: a job costs it one or two milliseconds, and the browsers need the processors.
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Failure::environment(format!("the runtime could not be started: {error}")))
}
