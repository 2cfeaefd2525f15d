//! `plimsoll run`: reads jobs, runs them in an [`Engine`], shows progress, and leaves results and a report.
//!
//! Every mistake in settings, jobs, drivers and output directory is found before the first browser starts. The first
//! Ctrl-C stops the run gently, the second at once; in both cases every job gets its result line.

mod input;
mod judge;
mod signals;

use std::path::Path;
use std::sync::Arc;

use plimsoll::jobs::{JobFile, JobFileOptions};
use plimsoll::named_secrets::NamedSecrets;
use plimsoll::required::RequiredCapabilities;
use plimsoll::routes::Routes;
use plimsoll::settings::{Changes, Settings};
use plimsoll::{Engine, EngineError, PreparedEngine};
use plimsoll_core::job::Job;
use plimsoll_core::runtime::clock;
use plimsoll_core::runtime::fleet::{FleetReport, Stop};
use plimsoll_core::runtime::snapshot::Snapshot;
use plimsoll_host::readings::Machine;
use serde_json::Value;

use self::judge::{Interrupted, judge};
use self::signals::{Request, Signals};
use crate::args::RunArgs;
use crate::failure::{Exit, Failure};
use crate::figures::Figures;
use crate::out::{OutDir, Report};
use crate::progress::{Progress, say};
use crate::store::RunStore;
use crate::{config, logging, result_stream};

/// Runs the jobs.
///
/// # Errors
/// When nothing was started (usage, environment), or when the run failed as a whole.
pub async fn run(args: RunArgs) -> Result<Exit, Failure> {
    let settings = settings(&args)?;
    logging::set(&settings.log);
    let mut required = RequiredCapabilities::new(Routes::drawn(&settings));
    let source = input::source(&args).map_err(Failure::usage)?;
    let captures = input::captures(&args).map_err(Failure::usage)?;
    let options = JobFileOptions { captures, secrets: NamedSecrets::of(&settings) };
    let mut see = |job: &Job, place: &dyn Fn() -> String| required.add(job, place);
    let jobs =
        JobFile::open_seen(&source, args.rows.as_deref(), options, &mut see).map_err(Failure::usage)?;
    if args.out.is_none() {
        required.require_no_output().map_err(Failure::usage)?;
        result_stream::require_open().map_err(Failure::environment)?;
    }
    let (total, unused) = (jobs.count(), jobs.unused());
    let stream = result_stream::claim().map_err(Failure::environment)?;
    let prepared = Engine::builder().settings(settings.clone()).prepare(required.routes().clone(), total);
    let prepared = prepared.await.map_err(|error| located(error, &required))?;
    required.check(prepared.capabilities()).map_err(Failure::usage)?;
    let out = args.out.as_deref().map(OutDir::open).transpose().map_err(Failure::usage)?;
    let store = Arc::new(match &out {
        Some(out) => RunStore::in_dir(jobs, out).map_err(Failure::usage)?,
        None => RunStore::on_stream(jobs, stream),
    });
    unused.iter().for_each(|note| say(note));
    // Everything is checked: an earlier run's results may go.
    out.as_ref().map(OutDir::clear).transpose().map_err(Failure::usage)?;
    signals::outlive_full_files();

    let mut observers = RunObservers::start(&args, &settings, &prepared, total);
    let engine = prepared.observed_by(observers.figures.changes()).start_on(Arc::clone(&store));
    let (report, interrupted) = watch(&engine, &mut observers, &args, &settings).await?;
    observers.progress.finish();

    let tally = store.take_tally();
    let succeeded = tally.all_succeeded();
    let cpu = Machine::new(Path::new("/"), Path::new("/")).supervisor_cpu();
    let written = Report::new(tally, observers.figures.close(&report, cpu));
    let files = out.map(|out| out.finish(&written)).transpose();
    say(&written.summary());
    let verdict = judge(&report, total, interrupted, succeeded);
    match files {
        Ok(files) => files.iter().for_each(|files| say(&files.to_string())),
        // The cause of the run's failure is more important than a report that could not be written.
        Err(error) if verdict.is_ok() => return Err(Failure::environment(error)),
        Err(error) => say(&error.to_string()),
    }
    verdict
}

fn settings(args: &RunArgs) -> Result<Settings, Failure> {
    config::settings(&args.settings, flags(args))
}

/// The keys that have flags of their own.
fn flags(args: &RunArgs) -> Vec<(&'static str, &'static str, Value)> {
    let mut flags = Vec::new();
    flags.extend(args.concurrency.map(|n| ("--concurrency", "limits.max_contexts", n.into())));
    // Not `driver.name`: a file's `route.default` would override the driver from the command line.
    flags.extend(args.driver.clone().map(|name| ("--driver", "route.default", name.into())));
    flags
}

/// Progress display and report figures, updated during the run.
struct RunObservers {
    progress: Progress,
    figures: Figures,
}

impl RunObservers {
    fn start(args: &RunArgs, settings: &Settings, prepared: &PreparedEngine, total: u64) -> Self {
        let started_at = humantime::format_rfc3339_seconds(clock::time_of_day()).to_string();
        Self {
            progress: Progress::start(args.progress, total),
            figures: Figures::open(settings, prepared.ceilings(), &prepared.drivers(), started_at, total),
        }
    }

    fn sample(&mut self, snapshot: &Snapshot) {
        self.figures.sample(snapshot);
        self.progress.update(snapshot);
    }
}

/// Waits for the engine's end, shows its state, and carries out the requests of signals.
async fn watch(
    engine: &Engine,
    observers: &mut RunObservers,
    args: &RunArgs,
    settings: &Settings,
) -> Result<(Arc<FleetReport>, Interrupted), Failure> {
    let grace = settings.timeouts.grace;
    let (mut signals, mut snapshots) = (Signals::new(), engine.snapshots());
    let mut interrupted = Interrupted::No;
    let ended = engine.ended();
    tokio::pin!(ended);
    loop {
        tokio::select! {
            biased;
            request = signals.next() => match (request, interrupted) {
                (Request::Reload, _) => say(&reload(engine, args)),
                (Request::Stop, Interrupted::No) => {
                    say(&format!(
                        "Stopping: running jobs get {}. Press Ctrl-C again to stop now.",
                        humantime::format_duration(grace)
                    ));
                    engine.stop(Stop::After(grace));
                    interrupted = Interrupted::Gently;
                }
                (Request::Stop, Interrupted::Gently) => {
                    say("Stopping now.");
                    engine.stop(Stop::Now);
                    interrupted = Interrupted::AtOnce;
                }
                // The third request does not wait for browsers; their pipes close with this process.
                (Request::Stop, Interrupted::AtOnce) => std::process::exit(4),
            },
            Ok(()) = snapshots.changed() => {
                let snapshot = snapshots.borrow_and_update().clone();
                observers.sample(&snapshot);
            }
            report = &mut ended => return Ok((report?, interrupted)),
        }
    }
}

/// Reads the settings again, applies what can change during a run, and returns a message that names the rest. After a
/// mistake in them nothing changes.
fn reload(engine: &Engine, args: &RunArgs) -> String {
    let read = settings(args).and_then(|settings| {
        let changes = engine.reconfigure(settings.clone())?;
        logging::set(&settings.log);
        Ok(changes)
    });
    let keys = |keys: &[String], what: &str| match keys {
        [] => String::new(),
        keys => format!("; {what}: {}", keys.join(", ")),
    };
    match read {
        Err(failure) => format!("settings were not read again: {failure}"),
        Ok(Changes { live, needs_restart }) if live.is_empty() && needs_restart.is_empty() => {
            "settings were read again; nothing changed".to_owned()
        }
        Ok(Changes { live, needs_restart }) => format!(
            "settings were read again{}{}",
            keys(&live, "changed"),
            keys(&needs_restart, "needs a restart")
        ),
    }
}

/// Puts the place of the job that names a driver before the reason why that driver could not be made.
fn located(error: EngineError, required: &RequiredCapabilities) -> Failure {
    let place = match &error {
        EngineError::Driver { name, .. } => required.place_of(name).map(str::to_owned),
        _ => None,
    };
    let mut failure = Failure::from(error);
    if let Some(place) = place {
        failure.message = format!("{place}: {}", failure.message);
    }
    failure
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use plimsoll::settings::Layers;

    use super::*;
    use crate::args::{Cli, Command};

    #[test]
    fn the_flag_decides_the_driver_of_jobs_that_no_rule_routes() {
        let drivers = |more: &[&str]| {
            let args = ["plimsoll", "run", "jobs.txt", "--driver", "sim"].iter().chain(more);
            let Command::Run(args) = Cli::try_parse_from(args).expect("good arguments").command else {
                panic!("a run")
            };
            let read = Layers::read(&args.settings.sources(), std::iter::empty(), flags(&args));
            Routes::drawn(read.expect("good settings").settings()).drivers().to_vec()
        };
        assert_eq!(drivers(&[]), ["sim"]);
        assert_eq!(drivers(&["--set", "driver.name=cdp", "--set", "route.default=cdp"]), ["sim"]);
        let rule = r#"route.rules=[{"match": "*.pdf", "driver": "cdp"}]"#;
        assert_eq!(drivers(&["--set", rule]), ["sim", "cdp"]);
    }
}
