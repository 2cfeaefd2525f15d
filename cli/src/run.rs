//! `plimsoll run`: feed a fleet from a file, show that it moves, leave results and a report.
//!
//! Everything that can be wrong with settings, jobs, browser and output directory is found before the first browser
//! is started. The first Ctrl-C stops the run gently, the second at once; either way every job gets its line.

use std::ffi::OsString;
use std::future::pending;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use plimsoll_cdp::CdpDriver;
use plimsoll_core::runtime::clock::{self, Clock};
use plimsoll_core::runtime::fleet::{Fleet, FleetReport, Stop, Surroundings};
use plimsoll_core::runtime::snapshot::Snapshot;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::readings::Machine;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::args::RunArgs;
use crate::carry;
use crate::compose::{Equipment, equip};
use crate::failure::{Exit, Failure, with_causes};
use crate::figures::Figures;
use crate::jobs::{JobFile, Source};
use crate::out::{OutDir, Report};
use crate::progress::{Progress, say};
use crate::settings::{Layers, Settings};
use crate::store::RunStore;

/// How long the tasks of a finished run may take to end.
const LAST_TASKS: Duration = Duration::from_secs(10);

/// Runs the jobs.
///
/// # Errors
/// When nothing was begun (usage, environment), or when the run broke.
pub async fn run(args: RunArgs) -> Result<Exit, Failure> {
    let settings = settings(&args)?;
    let source = Source::from(OsString::from(&args.jobs));
    let jobs = JobFile::open(&source, args.rows.as_deref()).map_err(Failure::usage)?;
    let total = jobs.count();
    let (supervisor, clock) = (Supervisor::root(), Clock::start());
    carry::raise_descriptors();
    let Equipment { driver, probe, profiles } = equip(&settings, &supervisor, clock).await?;
    let settings = carry::fit(&settings, total, profiles.path(), clock.now())?;
    let out = args.out.as_deref().map(OutDir::create).transpose().map_err(Failure::usage)?;
    let store = Arc::new(RunStore::new(jobs, out.as_ref()).map_err(Failure::usage)?);

    let mut watched = Watched::start(&args, &settings, &driver, total);
    let surroundings = Surroundings {
        driver: driver as _,
        store: Arc::clone(&store) as _,
        probe: Box::new(probe),
        observer: watched.figures.changes(),
    };
    let fleet = Fleet::start(settings.fleet(fastrand::u64(..)), surroundings, clock, &supervisor);
    let (report, interrupted) = watch(fleet, &mut watched, settings.timeouts.grace).await?;
    watched.progress.finish();

    let tally = store.take_tally();
    let succeeded = tally.all_succeeded();
    let cpu = Machine::new(Path::new("/"), profiles.path()).supervisor_cpu();
    let written = Report::new(tally, watched.figures.close(&report, cpu));
    let files = out.map(|out| out.finish(&written)).transpose();
    if tokio::time::timeout(LAST_TASKS, supervisor.stop()).await.is_err() {
        tracing::warn!("some tasks did not end in time");
    }
    drop(profiles);
    say(&written.summary());
    let verdict = judge(report, interrupted, succeeded);
    match files {
        Ok(files) => files.iter().for_each(|files| say(&files.to_string())),
        // What broke the run says more than a report that could not be written after it.
        Err(error) if verdict.is_ok() => return Err(Failure::environment(error)),
        Err(error) => say(&error.to_string()),
    }
    verdict
}

fn settings(args: &RunArgs) -> Result<Settings, Failure> {
    let mut flags = Vec::new();
    flags.extend(args.concurrency.map(|n| ("--concurrency", "limits.max_contexts", n.into())));
    flags.extend(args.driver.clone().map(|name| ("--driver", "driver.name", name.into())));
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Layers::read(&args.settings, environment, flags)
        .and_then(|layers| layers.settings())
        .map_err(Failure::usage)
}

/// Whoever looks on while the fleet runs.
struct Watched {
    progress: Progress,
    figures: Figures,
}

impl Watched {
    fn start(args: &RunArgs, settings: &Settings, driver: &CdpDriver, total: u64) -> Self {
        let started_at = humantime::format_rfc3339_seconds(clock::time_of_day()).to_string();
        Self {
            progress: Progress::start(args.progress, total),
            figures: Figures::open(settings, driver, started_at, total),
        }
    }

    fn look(&mut self, snapshot: &Snapshot) {
        self.figures.look(snapshot);
        self.progress.update(snapshot);
    }
}

/// Waits for the fleet's end, shows its state, and passes on the signals that ask it to stop.
async fn watch(
    mut fleet: Fleet,
    watched: &mut Watched,
    grace: Duration,
) -> Result<(FleetReport, Interrupted), Failure> {
    let mut snapshots = fleet.snapshots();
    let mut signals = Signals::new();
    let mut interrupted = Interrupted::No;
    loop {
        tokio::select! {
            biased;
            report = fleet.ended() => {
                return Ok((report.map_err(Failure::bug)?, interrupted));
            }
            () = signals.next() => {
                interrupted = match interrupted {
                    Interrupted::No => {
                        say(&format!(
                            "Stopping: running jobs get {}. Press Ctrl-C again to stop now.",
                            humantime::format_duration(grace)
                        ));
                        fleet.stop(Stop::After(grace));
                        Interrupted::Gently
                    }
                    Interrupted::Gently => {
                        say("Stopping now.");
                        fleet.stop(Stop::Now);
                        Interrupted::AtOnce
                    }
                    // Whoever asks a third time does not want to wait for browsers; their pipes close with us.
                    Interrupted::AtOnce => std::process::exit(4),
                };
            }
            Ok(()) = snapshots.changed() => watched.look(&snapshots.borrow_and_update()),
        }
    }
}

/// Whether and how the run was interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interrupted {
    No,
    Gently,
    AtOnce,
}

/// The signals that mean "stop": Ctrl-C, a polite kill, a closed terminal.
struct Signals([Option<Signal>; 3]);

impl Signals {
    fn new() -> Self {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        Self(kinds.map(|kind| {
            signal(kind).inspect_err(|error| tracing::warn!(%error, "cannot listen for a signal")).ok()
        }))
    }

    async fn next(&mut self) {
        async fn one(signal: &mut Option<Signal>) {
            match signal {
                Some(signal) => drop(signal.recv().await),
                None => pending().await,
            }
        }
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            () = one(interrupt) => {}
            () = one(terminate) => {}
            () = one(hangup) => {}
        }
    }
}

/// What the run means to scripts.
fn judge(report: FleetReport, interrupted: Interrupted, succeeded: bool) -> Result<Exit, Failure> {
    if report.jobs.lost() > 0 {
        return Err(Failure::bug(format!("{} jobs were lost", report.jobs.lost())));
    }
    if !report.browsers_left.is_empty() {
        return Err(Failure::environment(format!(
            "not everything is gone: {}",
            report.browsers_left.join("; ")
        )));
    }
    if let Some(error) = report.store_error {
        let cause = with_causes(&error);
        return Err(Failure::environment(match report.unrecorded {
            0 => cause,
            jobs => format!("{cause}; the run was stopped, and {jobs} jobs that ended have no line"),
        }));
    }
    if let Some(error) = report.launch_error {
        return Err(Failure::environment(format!("no browser could be started: {error}")));
    }
    Ok(match interrupted {
        Interrupted::Gently | Interrupted::AtOnce => Exit::Interrupted,
        Interrupted::No if succeeded => Exit::Success,
        Interrupted::No => Exit::SomeFailed,
    })
}
