//! `plimsoll run`: feed a fleet from a file, show that it moves, leave results and a report.
//!
//! Everything that can be wrong with settings, jobs, browser and output directory is found before the first browser
//! is started. The first Ctrl-C stops the run gently, the second at once; either way every job gets its line.

mod signals;

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::policy::pressure::Reading;
use plimsoll_core::port::Store;
use plimsoll_core::runtime::clock::{self, Clock};
use plimsoll_core::runtime::fleet::{Fleet, FleetConfig, FleetReport, Stop, Surroundings};
use plimsoll_core::runtime::snapshot::Snapshot;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::readings::Machine;
use serde_json::Value;

use self::signals::{Request, Signals};
use crate::args::RunArgs;
use crate::figures::Figures;
use crate::out::{OutDir, Report};
use crate::progress::{Progress, say};
use crate::store::RunStore;
use crate::{config, logging};
use plimsoll::blocking_store::OnThreads;
use plimsoll::carry;
use plimsoll::compose::{self, Equipped, Weight, Yard};
use plimsoll::demand::Demand;
use plimsoll::failure::{Exit, Failure, with_causes};
use plimsoll::fleets::{Fleets, FleetsEvent};
use plimsoll::job_router::JobRouter;
use plimsoll::jobs::{JobFile, Source};
use plimsoll::routes::Routes;
use plimsoll::settings::{Changes, Settings, changes};

/// How long the tasks of a finished run may take to end.
const LAST_TASKS: Duration = Duration::from_secs(10);

/// Runs the jobs.
///
/// # Errors
/// When nothing was begun (usage, environment), or when the run broke.
pub async fn run(args: RunArgs) -> Result<Exit, Failure> {
    let settings = settings(&args)?;
    logging::set(&settings.log);
    let mut demand = Demand::new(Routes::drawn(&settings));
    let source = Source::from(OsString::from(&args.jobs));
    let jobs = JobFile::open_seen(&source, args.rows.as_deref(), &mut |job, place| demand.see(job, place))
        .map_err(Failure::usage)?;
    if args.out.is_none() {
        demand.kept_nowhere().map_err(Failure::usage)?;
    }
    let total = jobs.count();
    let (supervisor, clock) = (Supervisor::root(), Clock::start());
    carry::raise_descriptors();
    let yard = Yard::open(&settings, &supervisor, clock).await?;
    let equipped = equip(&yard, &demand).await?;
    let routes = demand.met(equipped.iter().map(|one| one.driver.capabilities()).collect());
    let routes = routes.map_err(Failure::usage)?;
    let weights = equipped.iter().map(|one| one.weight).collect();
    let line = Line { weights, total, reading: carry::reading(yard.profiles(), yard.now()) };
    let rules = line.rules(&settings, &routes)?;
    let out = args.out.as_deref().map(OutDir::create).transpose().map_err(Failure::usage)?;
    let store = Arc::new(RunStore::new(jobs, out.as_ref()).map_err(Failure::usage)?);

    let mut watched = Watched::start(&args, &settings, &routes, &equipped, total);
    let shared: Arc<dyn Store> = Arc::new(OnThreads::new(Arc::clone(&store), &supervisor));
    let router =
        (equipped.len() > 1).then(|| JobRouter::start(Arc::clone(&shared), routes.clone(), &supervisor));
    let stores: Vec<Arc<dyn Store>> = match &router {
        Some(router) => router.queues().into_iter().map(|queue| Arc::new(queue) as _).collect(),
        None => vec![shared],
    };
    let mut fleets = Vec::new();
    let names = routes.drivers().iter().map(|name| name.as_str().into());
    for (((Equipped { driver, probe, .. }, name), store), rules) in
        equipped.into_iter().zip(names).zip(stores).zip(rules)
    {
        let surroundings = Surroundings { name, driver, store, probe, observer: watched.figures.changes() };
        fleets.push(Fleet::start(rules, surroundings, clock, &supervisor));
    }
    let fleets = Fleets::new(fleets, router);
    let reload = Reload { args: &args, routes: &routes, line: &line, settings: settings.clone() };
    let (report, interrupted) = watch(fleets, &mut watched, reload).await?;
    watched.progress.finish();

    let tally = store.take_tally();
    let succeeded = tally.all_succeeded();
    let cpu = Machine::new(Path::new("/"), yard.profiles()).supervisor_cpu();
    let written = Report::new(tally, watched.figures.close(&report, cpu));
    let files = out.map(|out| out.finish(&written)).transpose();
    if tokio::time::timeout(LAST_TASKS, supervisor.stop()).await.is_err() {
        tracing::warn!("some tasks did not end in time");
    }
    drop(yard);
    say(&written.summary());
    let verdict = judge(report, total, interrupted, succeeded);
    match files {
        Ok(files) => files.iter().for_each(|files| say(&files.to_string())),
        // What broke the run says more than a report that could not be written after it.
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
    // Not `driver.name`: a file's `route.default` would take jobs away from the driver that somebody just typed.
    flags.extend(args.driver.clone().map(|name| ("--driver", "route.default", name.into())));
    flags
}

/// Whoever looks on while the fleet runs.
struct Watched {
    progress: Progress,
    figures: Figures,
}

impl Watched {
    fn start(
        args: &RunArgs,
        settings: &Settings,
        routes: &Routes,
        equipped: &[Equipped],
        total: u64,
    ) -> Self {
        let started_at = humantime::format_rfc3339_seconds(clock::time_of_day()).to_string();
        let about = equipped.iter().map(|one| one.about.clone());
        let drivers: Vec<_> = routes.drivers().iter().cloned().zip(about).collect();
        Self {
            progress: Progress::start(args.progress, total),
            figures: Figures::open(settings, &drivers, started_at, total),
        }
    }

    fn look(&mut self, snapshot: &Snapshot) {
        self.figures.look(snapshot);
        self.progress.update(snapshot);
    }
}

/// Waits for the fleets' end, shows their state, and does what signals ask for.
async fn watch(
    mut fleets: Fleets,
    watched: &mut Watched,
    mut reload: Reload<'_>,
) -> Result<(FleetReport, Interrupted), Failure> {
    let grace = reload.settings.timeouts.grace;
    let mut signals = Signals::new();
    let mut interrupted = Interrupted::No;
    loop {
        // Both borrow the fleets, but only one is polled at a time.
        let ended = tokio::select! {
            biased;
            request = signals.next() => {
                match (request, interrupted) {
                    (Request::Reload, _) => say(&reload.again(&fleets)),
                    (Request::Stop, Interrupted::No) => {
                        say(&format!(
                            "Stopping: running jobs get {}. Press Ctrl-C again to stop now.",
                            humantime::format_duration(grace)
                        ));
                        fleets.stop(Stop::After(grace));
                        interrupted = Interrupted::Gently;
                    }
                    (Request::Stop, Interrupted::Gently) => {
                        say("Stopping now.");
                        fleets.stop(Stop::Now);
                        interrupted = Interrupted::AtOnce;
                    }
                    // Whoever asks a third time does not want to wait for browsers; their pipes close with us.
                    (Request::Stop, Interrupted::AtOnce) => std::process::exit(4),
                }
                continue;
            }
            news = fleets.next() => news,
        };
        match ended {
            FleetsEvent::Changed(snapshot) => watched.look(&snapshot),
            FleetsEvent::Ended(report) => return Ok((*report.map_err(Failure::bug)?, interrupted)),
        }
    }
}

/// What the machine leaves of the settings for these drivers.
struct Line {
    weights: Vec<Weight>,
    total: u64,
    /// From before the first browser started; a later one would count what the fleets themselves use.
    reading: Reading,
}

impl Line {
    fn rules(&self, settings: &Settings, routes: &Routes) -> Result<Vec<FleetConfig>, Failure> {
        let fitted = if self.weights.iter().any(|weight| *weight != Weight::Light) {
            carry::fit(settings, self.total, &self.reading)?
        } else {
            settings.clone()
        };
        compose::fleets(&fitted, routes, &self.weights).map_err(Failure::usage)
    }
}

/// What it takes to read the settings again.
struct Reload<'a> {
    args: &'a RunArgs,
    routes: &'a Routes,
    line: &'a Line,
    /// As they were read last.
    settings: Settings,
}

impl Reload<'_> {
    /// Reads the settings again, hands on what can change while a run goes on, and says what became of the rest. With a
    /// mistake in them everything stays as it is.
    fn again(&mut self, fleets: &Fleets) -> String {
        let read =
            settings(self.args).and_then(|settings| Ok((self.line.rules(&settings, self.routes)?, settings)));
        let (rules, settings) = match read {
            Ok(read) => read,
            Err(failure) => return format!("settings were not read again: {failure}"),
        };
        let Changes { live, needs_restart } = changes(&self.settings, &settings);
        for (fleet, rules) in fleets.iter().zip(rules) {
            fleet.reconfigure(rules.dispatch);
        }
        logging::set(&settings.log);
        self.settings = settings;
        let told = |keys: &[String], what: &str| match keys {
            [] => String::new(),
            keys => format!("; {what}: {}", keys.join(", ")),
        };
        match (live.as_slice(), needs_restart.as_slice()) {
            ([], []) => "settings were read again; nothing changed".to_owned(),
            (live, rest) => {
                format!("settings were read again{}{}", told(live, "changed"), told(rest, "needs a restart"))
            }
        }
    }
}

/// Sets up each driver that jobs may go to.
async fn equip(yard: &Yard<'_>, demand: &Demand) -> Result<Vec<Equipped>, Failure> {
    let mut equipped = Vec::new();
    for name in demand.routes().drivers() {
        let one = yard.equip(name).await;
        equipped.push(one.map_err(|mut failure| {
            if let Some(place) = demand.place_of(name) {
                failure.message = format!("{place}: {}", failure.message);
            }
            failure
        })?);
    }
    Ok(equipped)
}

/// Whether and how the run was interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interrupted {
    No,
    Gently,
    AtOnce,
}

/// What the run of `total` jobs means to scripts.
fn judge(
    report: FleetReport,
    total: u64,
    interrupted: Interrupted,
    succeeded: bool,
) -> Result<Exit, Failure> {
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
    // A run that is stopped takes up the rest too, to cancel it. Only a reader that panicked leaves some.
    let missing = total.saturating_sub(report.jobs.submitted);
    if missing > 0 {
        return Err(Failure::bug(format!("{missing} of {total} jobs were never taken up")));
    }
    Ok(match interrupted {
        Interrupted::Gently | Interrupted::AtOnce => Exit::Interrupted,
        Interrupted::No if succeeded => Exit::Success,
        Interrupted::No => Exit::SomeFailed,
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use plimsoll_core::policy::ledger::Counts;
    use plimsoll_core::policy::pressure::{Sensed, Tally};
    use plimsoll_core::time::Moment;

    use super::*;
    use crate::args::{Cli, Command};
    use plimsoll::settings::Layers;

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

    #[test]
    fn settings_that_are_read_again_are_fitted_to_the_machine_before_the_run() {
        let threads = Tally { used: 300, limit: 1_000 };
        let pids = Some(Sensed { value: threads, source: "made by hand", at: Moment::ZERO });
        let reading = Reading { pids, ..Reading::default() };
        let line = Line { weights: vec![Weight::Browsers], total: 1_000, reading };
        let rules = || line.rules(&Settings::default(), &Routes::to("cdp")).expect("some fit");
        let [first, again] = [rules(), rules()].map(|rules| rules[0].dispatch.clone());
        assert_eq!(first.admission.max_contexts, 41, "80 % of 1,000 less 300, by 12; whatever runs here now");
        assert_eq!(first, again);
    }

    #[test]
    fn jobs_that_were_never_taken_up_are_a_bug() {
        let verdict = |submitted| {
            let jobs = Counts { submitted, succeeded: submitted, ..Counts::default() };
            let report = FleetReport { jobs, ..FleetReport::default() };
            judge(report, 10, Interrupted::No, true).map_err(|failure| failure.exit)
        };
        assert_eq!(verdict(10).ok(), Some(Exit::Success));
        assert_eq!(verdict(9).err(), Some(Exit::Bug));
    }
}
