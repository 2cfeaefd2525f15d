//! What can be typed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use plimsoll::settings::SettingsSources;

/// Runs hundreds of isolated browser contexts on one machine and never lets the machine go under.
#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 all jobs succeeded; 1 some did not; 2 usage or configuration; \
3 the environment lacks something; 4 interrupted; 70 a bug of Plimsoll's.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run jobs through real browsers: those of a file, or a visit of each URL.
    Run(RunArgs),
    /// Say what this machine can carry, what is missing, and what mends it.
    Doctor(DoctorArgs),
    /// List the drivers there are, built in and from libraries, and what each can do.
    Drivers(DriversArgs),
    /// Make a driver crate, or check a driver.
    #[command(subcommand)]
    Driver(DriverCommand),
    /// Serve one driver library to the process that started this one.
    #[command(name = "__plugin-host", hide = true)]
    PluginHost {
        /// What messages call the library.
        path: PathBuf,
    },
    /// Show settings, or say where one comes from.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print what makes a shell complete commands and options.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page, or write a page for each command.
    Man {
        /// The directory to write the pages into.
        #[arg(value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

const RUN_USAGE: &str = "plimsoll run [OPTIONS] <JOBS>...";

/// `plimsoll run`.
#[derive(Debug, Args)]
#[command(override_usage = RUN_USAGE)]
pub struct RunArgs {
    /// Jobs: one or more URLs, - for standard input, or a file: .txt (a URL a line), .jsonl, .json, .toml, .csv (a table
    /// with a column `url`) or .xml (a sitemap).
    #[arg(value_name = "JOBS")]
    pub jobs: Vec<OsString>,
    /// Take a picture at the end of each job that has no `screenshot` of its own: `page` (the viewport, without WHAT), `full`
    /// or a CSS selector. Write the jobs before this option.
    #[arg(long, value_name = "WHAT", num_args = 0..=1, default_missing_value = "page")]
    pub screenshot: Option<String>,
    /// Print the page at the end of each job that has no `pdf` of its own.
    #[arg(long)]
    pub pdf: bool,
    /// Read the text of the first element that matches SELECTOR into the data, as NAME, in each job that has no `extract` of
    /// its own. May be given several times.
    #[arg(long, value_name = "NAME=SELECTOR")]
    pub extract: Vec<String>,
    /// Fill {{name}} placeholders of the jobs from this CSV file, a job per row.
    #[arg(long, value_name = "FILE.csv")]
    pub rows: Option<PathBuf>,
    /// Write results.jsonl, report.json, report.html and artifacts/ here. Without it, result lines go to standard output,
    /// and jobs that take pictures or PDFs are refused.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Contexts that may be active at once (limits.max_contexts).
    #[arg(long, value_name = "N")]
    pub concurrency: Option<u32>,
    /// The driver of jobs that no rule matches (route.default).
    #[arg(long, value_name = "NAME")]
    pub driver: Option<String>,
    /// How progress is shown: a bar on a terminal, plain lines elsewhere.
    #[arg(long, value_name = "HOW", default_value = "auto")]
    pub progress: ProgressKind,
    /// Where settings come from.
    #[command(flatten)]
    pub settings: SettingsArgs,
}

/// `plimsoll drivers`.
#[derive(Debug, Args)]
pub struct DriversArgs {
    /// Print one JSON list instead of text.
    #[arg(long)]
    pub json: bool,
    /// Where settings come from.
    #[command(flatten)]
    pub settings: SettingsArgs,
}

/// `plimsoll driver`.
#[derive(Debug, Subcommand)]
pub enum DriverCommand {
    /// Make a driver crate for a repository of its own, with unit tests and a workflow of GitHub that checks it.
    New(NewDriverArgs),
    /// Run the suite that every driver must pass on one driver: a line for each case, and what the driver has only in part
    /// of what it declares.
    #[command(after_help = CHECK_EXIT_CODES)]
    Check(CheckArgs),
}

/// `plimsoll driver new`.
#[derive(Debug, Args)]
pub struct NewDriverArgs {
    /// The name of the crate and of the driver.
    pub name: String,
    /// The directory to make; ./NAME by default.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Take the crate plimsoll-plugin from this directory, plugins/sdk of a checkout, instead of crates.io.
    #[arg(long, value_name = "DIR")]
    pub sdk: Option<PathBuf>,
}

const CHECK_EXIT_CODES: &str = "Exit codes: 0 all that the driver declares passes; 1 some cases fail; 2 usage or \
configuration; 3 the library cannot be loaded, its driver cannot be made, or this machine lacks something; 4 interrupted.";

/// `plimsoll driver check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// A driver as the settings name it, or the path of a library.
    #[arg(value_name = "NAME|PATH")]
    pub driver: String,
    /// Run only the cases whose name or suite contains this text.
    #[arg(long, value_name = "TEXT")]
    pub only: Option<String>,
    /// Time for all cases, as in 5min; a case that is not reached in this time counts as failed.
    #[arg(long, value_name = "DURATION", default_value = "10min", value_parser = humantime::parse_duration)]
    pub within: Duration,
    /// Print one JSON object at the end instead of text.
    #[arg(long)]
    pub json: bool,
    /// Where settings come from.
    #[command(flatten)]
    pub settings: SettingsArgs,
}

/// `plimsoll doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
    /// Where settings come from.
    #[command(flatten)]
    pub settings: SettingsArgs,
}

/// Where settings come from, beside the environment.
#[derive(Debug, Clone, Default, Args)]
pub struct SettingsArgs {
    /// A settings file; ./plimsoll.toml is read if there is one and none is named.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Set one key, as in --set retry.attempts=5.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

impl SettingsArgs {
    /// The same, for the engine.
    #[must_use]
    pub fn sources(&self) -> SettingsSources {
        SettingsSources { config: self.config.clone(), set: self.set.clone() }
    }
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProgressKind {
    /// A bar on a terminal, plain lines elsewhere.
    Auto,
    /// A live bar.
    Bar,
    /// A line now and then.
    Plain,
    /// Nothing.
    None,
}

/// `plimsoll config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print every setting with its value, as a settings file. Secrets are not shown.
    Show(ShowArgs),
    /// Say what a key is set to, which layer set it, and which layers that one beat.
    Explain {
        /// The key, as in limits.max_contexts, or a table of keys, as in limits.
        key: String,
        /// Where settings come from.
        #[command(flatten)]
        settings: SettingsArgs,
    },
    /// Print the JSON Schema of a settings file.
    Schema,
    /// Check the settings and report every mistake.
    Check(SettingsArgs),
}

/// `plimsoll config show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Print the defaults instead, with a comment for each key.
    #[arg(long, conflicts_with_all = ["json", "config", "set"])]
    pub defaults: bool,
    /// Print one JSON object instead of TOML.
    #[arg(long)]
    pub json: bool,
    /// Where settings come from.
    #[command(flatten)]
    pub settings: SettingsArgs,
}
