//! [`EngineBuilder`]: from settings to an [`Engine`] that runs.
//!
//! ```text
//!   layers of settings ─► checked ─► dead runs swept, profiles opened ─► drivers made ─► ceilings fitted to the machine
//!        │ mistake                       │ the machine lacks something       │                │ not one context fits
//!        └───────────────────────────────┴──── EngineError, and no browser has been started ──┘
//! ```

use std::path::PathBuf;
use std::sync::Arc;

use plimsoll_core::capability::Capabilities;
use plimsoll_core::policy::Reading;
use plimsoll_core::port::{Driver, Observer, Store};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::fleet::{Fleet, FleetConfig, Surroundings};
use plimsoll_core::runtime::snapshot::Snapshot;
use plimsoll_core::runtime::supervisor::Supervisor;
use tokio::sync::{broadcast, watch};

use super::{Engine, EngineObserver, serve};
use crate::blocking_store::{BlockingStore, OnThreads};
use crate::capacity::{self, ContextCost};
use crate::compose::{self, ConfiguredDriver, DriverFactory};
use crate::error::EngineError;
use crate::fleets::Fleets;
use crate::job_router::JobRouter;
use crate::memory_store::MemoryStore;
use crate::process_limits;
use crate::routes::Routes;
use crate::settings::{Layers, Settings, SettingsSources};

/// How many events a slow receiver may fall behind.
const EVENTS: usize = 256;

/// Builds an [`Engine`]. Settings that are not given have their defaults.
#[derive(Default)]
pub struct EngineBuilder {
    sources: SettingsSources,
    checked: Option<Settings>,
    own_driver: Option<Arc<dyn Driver>>,
    observer: Option<Arc<dyn Observer>>,
}

impl EngineBuilder {
    /// The driver of jobs that no rule routes: `"cdp"` (the default), `"webdriver"`, `"sim"` or the name of a library.
    #[must_use]
    pub fn driver(self, name: &str) -> Self {
        self.set("route.default", name)
    }

    /// A driver that the program implements, for jobs that no rule routes. Its contexts count as light.
    #[must_use]
    pub fn own_driver(mut self, driver: Arc<dyn Driver>) -> Self {
        self.own_driver = Some(driver);
        self
    }

    /// The most contexts that are active at once.
    #[must_use]
    pub fn max_contexts(self, contexts: u32) -> Self {
        self.set("limits.max_contexts", contexts)
    }

    /// Sets a key, as `--set` does. A later value beats an earlier one, and both beat a file.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl std::fmt::Display) -> Self {
        self.sources.set.push(format!("{key}={value}"));
        self
    }

    /// A settings file. Without this call no file is read.
    #[must_use]
    pub fn config_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.sources.config = Some(path.into());
        self
    }

    /// Uses `settings` instead of what the other methods set. They are checked as those of a file are.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.checked = Some(settings);
        self
    }

    /// Sets an observer of every change. The fleets' own loops call it, so it must not block.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Starts an engine that takes jobs by [`Engine::submit`].
    ///
    /// # Errors
    /// When the settings are wrong, or the machine lacks something that their drivers need. No browser has been started.
    pub async fn start(self) -> Result<Engine, EngineError> {
        let settings = self.read_settings()?;
        let routes = self.routes(&settings);
        // The number of jobs is not known, so it lowers no ceiling.
        let prepared = self.prepare_with(settings, routes, u64::MAX).await?;
        let store = MemoryStore::new(prepared.plan.open_jobs(&prepared.settings));
        let shared: Arc<dyn Store> = Arc::clone(&store) as _;
        Ok(prepared.start(shared, Some(store)))
    }

    /// Prepares an engine for the jobs of a store: `routes` name each driver that the jobs may go to, and `jobs` is the
    /// most jobs that the store has.
    ///
    /// # Errors
    /// As [`EngineBuilder::start`].
    pub async fn prepare(self, routes: Routes, jobs: u64) -> Result<PreparedEngine, EngineError> {
        let settings = self.read_settings()?;
        self.prepare_with(settings, routes, jobs).await
    }

    fn read_settings(&self) -> Result<Settings, EngineError> {
        let Some(settings) = &self.checked else {
            let layers = Layers::given(&self.sources, std::iter::empty(), Vec::new());
            return Ok(layers.map_err(EngineError::usage)?.settings().clone());
        };
        settings.clone().checked().map_err(EngineError::usage)
    }

    fn routes(&self, settings: &Settings) -> Routes {
        let own = self.own_driver.as_ref().map(|driver| driver.name());
        Routes::drawn_to(own.unwrap_or_else(|| settings.default_driver()), settings)
    }

    async fn prepare_with(
        self,
        settings: Settings,
        routes: Routes,
        jobs: u64,
    ) -> Result<PreparedEngine, EngineError> {
        let (supervisor, clock) = (Supervisor::root(), Clock::start());
        process_limits::raise_descriptors();
        let factory = DriverFactory::open(&settings, &supervisor, clock).await?;
        let mut drivers = Vec::new();
        for name in routes.drivers() {
            drivers.push(match &self.own_driver {
                Some(own) if own.name() == name => factory.own(Arc::clone(own)),
                _ => factory
                    .configure(name)
                    .await
                    .map_err(|why| EngineError::Driver { name: name.clone(), why: Box::new(why) })?,
            });
        }
        let costs = drivers.iter().map(|driver| driver.cost).collect();
        // Read before the first browser starts: a later reading would count what the fleets themselves use.
        let reading = capacity::reading(factory.profiles(), clock.now());
        let mut plan = Plan { costs, jobs, reading, routes };
        for (index, driver) in drivers.iter().enumerate() {
            plan.routes.set_capabilities(index, driver.driver.capabilities());
        }
        let rules = plan.rules(&settings)?;
        let observer = self.observer.unwrap_or_else(|| Arc::new(()));
        Ok(PreparedEngine { factory, drivers, plan, rules, settings, observer, supervisor, clock })
    }
}

impl std::fmt::Debug for EngineBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineBuilder").field("sources", &self.sources).finish_non_exhaustive()
    }
}

/// What the fleets' rules are made from, besides the settings.
#[derive(Debug)]
pub(super) struct Plan {
    costs: Vec<ContextCost>,
    /// The most jobs that may be submitted.
    jobs: u64,
    reading: Reading,
    pub(super) routes: Routes,
}

impl Plan {
    /// The rules of each fleet, with ceilings lowered to what the machine had room for before the engine started.
    pub(super) fn rules(&self, settings: &Settings) -> Result<Vec<FleetConfig>, EngineError> {
        let shares = compose::shares(settings, &self.routes, &self.costs).map_err(EngineError::usage)?;
        let fitted = capacity::fit(settings, &shares, self.jobs, &self.reading, process_limits::cores());
        let fitted = fitted
            .map_err(|refusal| EngineError::environment(format!("{refusal}; fix: {}", refusal.remedy())))?;
        compose::fleets(&fitted, &self.routes, &self.costs).map_err(EngineError::usage)
    }

    /// Jobs that may be open at once: those that wait and those that run.
    pub(super) fn open_jobs(&self, settings: &Settings) -> usize {
        settings.limits.queue_capacity + usize::try_from(settings.limits.max_contexts).unwrap_or(usize::MAX)
    }
}

/// Drivers and rules, ready to run a store's jobs.
pub struct PreparedEngine {
    factory: DriverFactory,
    drivers: Vec<ConfiguredDriver>,
    plan: Plan,
    rules: Vec<FleetConfig>,
    settings: Settings,
    observer: Arc<dyn Observer>,
    supervisor: Supervisor,
    clock: Clock,
}

impl PreparedEngine {
    /// What each driver can do, in the order of the routes' drivers.
    #[must_use]
    pub fn capabilities(&self) -> Vec<Capabilities> {
        self.drivers.iter().map(|driver| driver.driver.capabilities()).collect()
    }

    /// Each driver's name and what it runs on.
    #[must_use]
    pub fn drivers(&self) -> Vec<(String, Option<String>)> {
        let about = self.drivers.iter().map(|driver| driver.about.clone());
        self.plan.routes.drivers().iter().cloned().zip(about).collect()
    }

    /// The contexts that all fleets together may have active and in creation, as fitted to the machine.
    #[must_use]
    pub fn ceilings(&self) -> Ceilings {
        let admission = || self.rules.iter().map(|rules| &rules.dispatch.admission);
        Ceilings {
            contexts: admission().map(|admission| admission.max_contexts).sum(),
            creating: admission().map(|admission| admission.max_creating).sum(),
        }
    }

    /// Uses `observer` from the start.
    #[must_use]
    pub fn observed_by(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    /// Starts an engine on a store whose methods block; they run on threads of their own.
    #[must_use]
    pub fn start_on<S: BlockingStore>(self, store: Arc<S>) -> Engine {
        let store = Arc::new(OnThreads::new(store, &self.supervisor));
        self.start(store, None)
    }

    fn start(self, shared: Arc<dyn Store>, submitted: Option<Arc<MemoryStore>>) -> Engine {
        let Self { factory, drivers, plan, rules, settings, observer, supervisor, clock } = self;
        let (events, _) = broadcast::channel(EVENTS);
        let observer: Arc<dyn Observer> =
            Arc::new(EngineObserver { given: observer, events: events.clone() });
        let router = (drivers.len() > 1)
            .then(|| JobRouter::start(Arc::clone(&shared), plan.routes.clone(), &supervisor));
        let stores: Vec<Arc<dyn Store>> = match &router {
            Some(router) => router.queues().into_iter().map(|queue| Arc::new(queue) as _).collect(),
            None => vec![shared],
        };
        let mut fleets = Vec::new();
        for (index, ((configured, store), rules)) in drivers.into_iter().zip(stores).zip(rules).enumerate() {
            let ConfiguredDriver { driver, probe, .. } = configured;
            let name = plan.routes.drivers()[index].as_str().into();
            let surroundings = Surroundings { name, driver, store, probe, observer: Arc::clone(&observer) };
            fleets.push(Fleet::start(rules, surroundings, clock, &supervisor));
        }
        let (stop, stop_asked) = watch::channel(None);
        let (new_rules, rules_given) = watch::channel(Vec::new());
        let (publish, snapshots) = watch::channel(Snapshot::default());
        let (end, ended) = watch::channel(None);
        let (fleets, open) = (Fleets::new(fleets, router), submitted.clone());
        let routes = plan.routes.clone();
        // Nobody awaits the task: it leaves its end in `ended`, and a panic closes that channel.
        drop(supervisor.spawn_graceful("engine", async move {
            let report = serve(fleets, stop_asked, rules_given, publish, factory).await;
            open.inspect(|store| store.abandon());
            end.send_replace(Some(report));
        }));
        Engine {
            supervisor,
            store: submitted,
            routes,
            stop,
            rules: new_rules,
            plan,
            settings: settings.into(),
            snapshots,
            events,
            ended,
        }
    }
}

impl std::fmt::Debug for PreparedEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PreparedEngine").field("plan", &self.plan).finish_non_exhaustive()
    }
}

/// Limits in effect after the settings were fitted to the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ceilings {
    /// Contexts that may be active at once.
    pub contexts: u32,
    /// Contexts that may be in creation at once.
    pub creating: u32,
}

#[cfg(test)]
mod tests {
    use plimsoll_core::policy::{Sensed, Tally};
    use plimsoll_core::time::Moment;

    use super::*;

    #[test]
    fn settings_that_are_read_again_are_fitted_to_the_machine_before_the_run() {
        let threads = Tally { used: 300, limit: 1_000 };
        let pids = Some(Sensed { value: threads, source: "made by hand", at: Moment::ZERO });
        let reading = Reading { pids, ..Reading::default() };
        let plan =
            Plan { costs: vec![ContextCost::SharedBrowser], jobs: 1_000, reading, routes: Routes::to("cdp") };
        let rules = || plan.rules(&Settings::default()).expect("some fit");
        let [first, again] = [rules(), rules()].map(|rules| rules[0].dispatch.clone());
        assert_eq!(first.admission.max_contexts, 41, "80 % of 1,000 less 300, by 12; whatever runs here now");
        assert_eq!(first, again);
    }
}
