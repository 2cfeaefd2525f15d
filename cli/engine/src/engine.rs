//! [`Engine`]: fleets of browsers that run jobs, as a value in a program.
//!
//! ```text
//!   EngineBuilder ─► PreparedEngine ─► Engine ──submit──► MemoryStore ─► [JobRouter] ─► fleets ─► browsers
//!   settings checked,  drivers ready,     │ stop, new rules                                │
//!   dead runs swept    ceilings fitted    └──────────────► engine task ◄── snapshots, end ──┘
//! ```
//!
//! One task owns the fleets. The engine's methods send requests to this task and read what it publishes, so an engine
//! can be shared (`Arc<Engine>`) and no method waits for a browser, except those that wait for the end. Dropping the
//! engine stops it at once, in the background; [`Engine::close`] waits until every browser is verified gone.

mod builder;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use plimsoll_core::id::JobId;
use plimsoll_core::policy::{Announcement, DispatchConfig};
use plimsoll_core::port::Observer;
use plimsoll_core::runtime::fleet::{FleetReport, Stop};
use plimsoll_core::runtime::snapshot::Snapshot;
use plimsoll_core::runtime::supervisor::{Supervisor, TaskFailure};
use plimsoll_core::time::Moment;
use tokio::sync::{broadcast, watch};

pub use self::builder::{Ceilings, EngineBuilder, PreparedEngine};
use crate::compose::DriverFactory;
use crate::error::EngineError;
use crate::fleets::{Fleets, FleetsEvent};
use crate::job::Job;
use crate::memory_store::{Finished, JobHandle, MemoryStore};
use crate::routes::Routes;
use crate::settings::{Changes, Settings, changes};
use crate::submit::{Refusal, RunError, SubmitError};

/// How long the tasks of an engine may take to end after its last browser is gone.
const LAST_TASKS: Duration = Duration::from_secs(10);

/// Fleets of browsers that run jobs. See the [crate's documentation](crate) for an example.
#[derive(Debug)]
pub struct Engine {
    supervisor: Supervisor,
    /// `None` when the engine was started on a store of its caller.
    store: Option<Arc<MemoryStore>>,
    routes: Routes,
    stop: watch::Sender<Option<Stop>>,
    rules: watch::Sender<Vec<DispatchConfig>>,
    plan: builder::Plan,
    /// The settings that were applied last.
    settings: Mutex<Settings>,
    snapshots: watch::Receiver<Snapshot>,
    events: broadcast::Sender<EngineEvent>,
    ended: watch::Receiver<Option<Ended>>,
}

/// How the engine's task ended.
type Ended = Result<Arc<FleetReport>, TaskFailure>;

/// Something that changed in an engine.
#[derive(Debug, Clone)]
pub struct EngineEvent {
    /// The time of the change, since the engine started.
    pub at: Duration,
    /// What changed.
    pub what: Announcement,
}

impl Engine {
    /// A builder with the default settings.
    #[must_use]
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }

    /// Submits a job.
    ///
    /// # Errors
    /// When the job is invalid, its driver cannot do what the job needs, or the engine is full, draining or closed. The
    /// error contains the job.
    pub fn submit(&self, job: impl Into<Job>) -> Result<JobHandle, SubmitError> {
        let job = job.into();
        self.accept(&job).map_err(|refusal| SubmitError { job: Box::new(job), refusal })
    }

    /// Submits a job and waits for room while the engine is full.
    ///
    /// # Errors
    /// As [`Engine::submit`], but never because the engine is full.
    pub async fn submit_when_free(&self, job: impl Into<Job>) -> Result<JobHandle, SubmitError> {
        let job = job.into();
        loop {
            // Created before the attempt, so that no change between the attempt and the wait is missed.
            let changed = self.store.as_ref().map(|store| store.changed());
            match (self.accept(&job), changed) {
                (Ok(handle), _) => return Ok(handle),
                (Err(Refusal::Full(_)), Some(changed)) => changed.await,
                (Err(refusal), _) => return Err(SubmitError { job: Box::new(job), refusal }),
            }
        }
    }

    /// Runs the jobs of a stream and returns their results as the jobs end. Jobs are taken from the stream when the
    /// engine has room for them.
    pub fn run<S>(&self, jobs: S) -> impl Stream<Item = Result<Finished, RunError>>
    where
        S: Stream,
        S::Item: Into<Job>,
    {
        let open = self.plan.open_jobs(&self.settings());
        jobs.map(|job| async { Ok(self.submit_when_free(job).await?.await?) }).buffer_unordered(open)
    }

    /// The engine's state, published several times a second.
    #[must_use]
    pub fn snapshots(&self) -> watch::Receiver<Snapshot> {
        self.snapshots.clone()
    }

    /// The changes from now on: levels of pressure, breakers, limits. A receiver that falls 256 events behind gets an
    /// error with the number of events that it missed.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<EngineEvent> {
        self.events.subscribe()
    }

    /// Applies new settings. The result names keys that cannot change while an engine runs; they keep their values.
    ///
    /// # Errors
    /// When the settings are wrong or the machine has no room for a context; then nothing changes.
    pub fn reconfigure(&self, settings: Settings) -> Result<Changes, EngineError> {
        let settings = settings.checked().map_err(EngineError::usage)?;
        let rules = self.plan.rules(&settings)?;
        let mut current = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = changes(&current, &settings);
        self.rules.send_replace(rules.into_iter().map(|rules| rules.dispatch).collect());
        *current = settings;
        Ok(changed)
    }

    /// Stops the engine: no new attempts begin, and each open job ends. A later, stricter request overrides an earlier one.
    pub fn stop(&self, how: Stop) {
        if let Some(store) = &self.store {
            match how {
                Stop::Drain(_) => store.drain(),
                Stop::After(_) | Stop::Now => store.close(),
            }
        }
        self.stop.send_if_modified(|asked| {
            let stricter = asked.is_none_or(|already| how > already);
            if stricter {
                *asked = Some(how);
            }
            stricter
        });
    }

    /// Takes no more jobs, gives running jobs `grace` to finish, returns the rest to their handles or to the store, and
    /// waits until every browser is gone.
    ///
    /// # Errors
    /// As [`Engine::ended`].
    pub async fn drain(&self, grace: Duration) -> Result<Arc<FleetReport>, EngineError> {
        self.stop(Stop::Drain(grace));
        self.ended().await
    }

    /// Takes no more jobs, runs the jobs that it has, and waits until every browser is gone.
    ///
    /// # Errors
    /// As [`Engine::ended`].
    pub async fn close(&self) -> Result<Arc<FleetReport>, EngineError> {
        if let Some(store) = &self.store {
            store.close();
        }
        self.ended().await
    }

    /// Waits until every job has ended and every browser is gone.
    ///
    /// # Errors
    /// When a task of a fleet panicked: a bug, and the only way in which results can be missing.
    pub async fn ended(&self) -> Result<Arc<FleetReport>, EngineError> {
        let mut ended = self.ended.clone();
        let ended = ended.wait_for(Option::is_some).await.map(|ended| ended.clone());
        if tokio::time::timeout(LAST_TASKS, self.supervisor.stop()).await.is_err() {
            tracing::warn!("some tasks did not end within {LAST_TASKS:?}");
        }
        match ended {
            Ok(Some(ended)) => ended.map_err(EngineError::bug),
            Ok(None) | Err(_) => Err(EngineError::bug("the engine's task ended without a report")),
        }
    }

    fn settings(&self) -> Settings {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn accept(&self, job: &Job) -> Result<JobHandle, Refusal> {
        let store = self.store.as_ref().ok_or(Refusal::OtherStore)?;
        let job = job.check(|| JobId::try_from(store.next_number().to_string()))?;
        let driver = self.routes.choose(&job);
        let name = &self.routes.drivers()[driver];
        if let Some(named) = job.driver.as_ref().filter(|named| *named != name) {
            return Err(Refusal::NoDriver(named.clone()));
        }
        let lacks = self.routes.lacks(driver, &job);
        if !lacks.is_empty() {
            return Err(Refusal::Unsupported { driver: name.clone(), lacks });
        }
        store.submit(job)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop(Stop::Now);
    }
}

/// Runs the fleets until they end, and passes requests to them. The factory holds the profiles' directory, so it is
/// dropped last.
async fn serve(
    mut fleets: Fleets,
    mut stop: watch::Receiver<Option<Stop>>,
    mut rules: watch::Receiver<Vec<DispatchConfig>>,
    publish: watch::Sender<Snapshot>,
    factory: DriverFactory,
) -> Ended {
    let report = loop {
        tokio::select! {
            biased;
            Ok(()) = stop.changed() => {
                let how = *stop.borrow_and_update();
                if let Some(how) = how {
                    fleets.stop(how).await;
                }
            }
            Ok(()) = rules.changed() => {
                let rules = rules.borrow_and_update().clone();
                for (fleet, rules) in fleets.iter().zip(rules) {
                    fleet.reconfigure(rules);
                }
            }
            event = fleets.next() => match event {
                FleetsEvent::Changed(snapshot) => {
                    publish.send_replace(*snapshot);
                }
                FleetsEvent::Ended(report) => break report,
            },
        }
    };
    drop(factory);
    report.map(|report| Arc::new(*report))
}

/// Passes what fleets announce to the caller's observer and to the engine's events.
struct EngineObserver {
    given: Arc<dyn Observer>,
    events: broadcast::Sender<EngineEvent>,
}

impl Observer for EngineObserver {
    fn announced(&self, at: Moment, announcement: &Announcement) {
        self.given.announced(at, announcement);
        // There may be no receiver.
        let _ = self.events.send(EngineEvent { at: at.elapsed(), what: announcement.clone() });
    }

    fn opened(&self, took: Duration) {
        self.given.opened(took);
    }
}
