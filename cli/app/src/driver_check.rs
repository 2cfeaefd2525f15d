//! `plimsoll driver check`: runs the suite that every driver must pass on one driver, built in or from a library.
//!
//! ```text
//!   NAME or PATH ──► the driver, as a run would make it ──► each case ──► a line ──► what is declared only in part
//! ```
//!
//! A library always runs in a process of its own, whatever the settings are, so that its crash or endless loop is the
//! failure of one case. Cases run one after another, so that the case that is named is the one that did it.

mod told;

use std::error::Error;
use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plimsoll::compose::{ConfiguredDriver, DriverFactory};
use plimsoll::error::EngineError;
use plimsoll::settings::{BUILT_IN, Isolation, Settings};
use plimsoll_check::coverage::{Extent, coverage};
use plimsoll_check::machine::{DriverSource, Machine};
use plimsoll_check::rig::{Measures, Rig};
use plimsoll_check::run::{AMPLE, Pace, run};
use plimsoll_check::suites::{all, cases};
use plimsoll_core::port::Driver;
use plimsoll_loader::search;

use self::told::Report;
use crate::args::CheckArgs;
use crate::config;
use crate::failure::{Exit, Failure, with_causes};
use crate::progress::print;

/// The time limit of a step that should succeed.
const PATIENCE: Duration = Duration::from_secs(15);
/// The time that a step may take beyond its budget.
const GRACE: Duration = Duration::from_secs(1);
/// The number of moments at which a call is abandoned.
const MOMENTS: u32 = 8;

/// Checks a driver.
///
/// # Errors
/// When settings are wrong, the driver cannot be made, or standard output is closed.
pub async fn check(args: CheckArgs) -> Result<Exit, Failure> {
    tokio::select! {
        exit = checked(args) => exit,
        _interrupt = tokio::signal::ctrl_c() => Ok(Exit::Interrupted),
    }
}

async fn checked(args: CheckArgs) -> Result<Exit, Failure> {
    let mut settings = config::settings(&args.settings, Vec::new())?;
    let name = select(&args.driver, &mut settings)?;
    let suites = all();
    let chosen: Vec<_> = cases(&suites).filter(|(suite, case)| matches(&args, suite, case.name)).collect();
    if chosen.is_empty() {
        return Err(Failure::usage(format!(
            "no case and no suite is called like `{}`",
            args.only.unwrap_or_default()
        )));
    }
    let room = usize::try_from(settings.driver.contexts_per_browser(&name)).unwrap_or(usize::MAX);
    let measures = Measures { room, patience: PATIENCE, grace: GRACE, moments: MOMENTS };
    let machine = Machine::open().map_err(|why| Failure::environment(with_causes(&why)))?;
    let source = FromSettings { settings, name };
    let ConfiguredDriver { driver, about, .. } = source.configure(&machine).await?;
    let name = driver.name().to_owned();
    let rig = Rig::start(machine, driver, Box::new(source), measures).map_err(Failure::environment)?;

    let loud = silence_cases();
    let pace = Pace { side_by_side: 1, each: AMPLE, whole: args.within };
    let checked = run(&rig, chosen, pace, |case| {
        if !args.json {
            // A closed standard output is reported by the last write.
            let _later = print(&told::line(case));
        }
    })
    .await;
    let mut declared = coverage(&rig.capabilities, &checked);
    if args.only.is_some() {
        declared.retain(|one| one.extent != Extent::Untried);
    }
    let left = rig.close().await.err();
    set_hook(Box::new(move |panic| loud(panic)));

    let report = Report::new(name, about, declared, checked, left);
    let text = if args.json {
        serde_json::to_string_pretty(&report).map_err(Failure::bug)? + "\n"
    } else {
        report.text()
    };
    print(&text).map_err(Failure::environment)?;
    Ok(if report.is_good() { Exit::Success } else { Exit::SomeFailed })
}

/// The name under which `settings` have the driver; a library that is given by its path gets one.
fn select(wanted: &str, settings: &mut Settings) -> Result<String, Failure> {
    let name = if wanted.contains('/') || wanted.ends_with(".so") {
        let path = std::path::absolute(wanted).map_err(Failure::environment)?;
        let name = name_of(&path);
        settings.driver.plugin.entry(name.clone()).or_default().path = Some(path);
        name
    } else {
        wanted.to_owned()
    };
    if name == "sim" {
        return Err(Failure::usage(
            "`sim` is a model: nothing happens in its pages, so nothing can be checked",
        ));
    }
    if !BUILT_IN.contains(&name.as_str()) {
        settings.driver.plugin.entry(name.clone()).or_default().isolation = Isolation::Process;
    }
    Ok(name)
}

/// The name of the library at `path`; it is never that of a built-in driver.
fn name_of(path: &Path) -> String {
    let name = search::name_of(path).unwrap_or_else(|| "library".to_owned());
    if BUILT_IN.contains(&name.as_str()) { format!("{name}-library") } else { name }
}

fn matches(args: &CheckArgs, suite: &str, case: &str) -> bool {
    let plain = |text: &str| text.replace('_', " ");
    args.only.as_deref().is_none_or(|only| suite.contains(only) || plain(case).contains(&plain(only)))
}

/// Makes the driver as a run would make it.
struct FromSettings {
    settings: Settings,
    name: String,
}

impl FromSettings {
    async fn configure(&self, machine: &Machine) -> Result<ConfiguredDriver, EngineError> {
        let mut settings = self.settings.clone();
        settings.profiles.root = Some(machine.dir().to_owned());
        let factory = DriverFactory::open(&settings, &machine.supervisor, machine.clock).await?;
        factory.configure(&self.name).await
    }
}

#[async_trait(?Send)]
impl DriverSource for FromSettings {
    async fn make(&self, machine: &Machine) -> Result<Arc<dyn Driver>, Box<dyn Error>> {
        Ok(self.configure(machine).await?.driver)
    }
}

/// Keeps the failed assertions of cases, which run on this thread and become verdicts, from being printed as panics. Returns
/// what printed panics before.
fn silence_cases() -> Arc<dyn Fn(&PanicHookInfo<'_>) + Send + Sync> {
    let loud: Arc<dyn Fn(&PanicHookInfo<'_>) + Send + Sync> = take_hook().into();
    let (elsewhere, cases) = (Arc::clone(&loud), std::thread::current().id());
    set_hook(Box::new(move |panic| {
        if std::thread::current().id() != cases {
            elsewhere(panic);
        }
    }));
    loud
}
