//! The fleet: the loop that joins policy, browsers, jobs and results.
//!
//! One task owns the [`Dispatch`](crate::policy::dispatch::Dispatch) and everything that is keyed by job or browser. Each turn waits for one thing to
//! happen, tells the policy, and carries out what it answers; nothing in a turn waits for a browser.
//!
//! ```text
//!   store ──next──► feed ─┐                            ┌─► attempts (a task each) ── report ─┐
//!   permits ──── notes ───┼─► turn: Dispatch.handle ───┼─► launches, watches, closings ──────┤
//!   caller ────── stop ───┘                            └─► recorder ──record──► store        │
//!        ▲─────────────────────────────── notices ───────────────────────────────────────────┘
//! ```
//!
//! It ends when the store has no more jobs and every job has ended, or when it was stopped and every job has
//! ended; then every browser is closed and verified gone before the report is given.

mod browsers;
mod open_jobs;
mod store_tasks;
mod turn;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::policy::dispatch::{DispatchConfig, Peaks};
use crate::policy::ledger::Counts;
use crate::port::{Driver, Observer, Probe, Store, StoreError};
use crate::runtime::clock::Clock;
use crate::runtime::snapshot::Snapshot;
use crate::runtime::supervisor::{Supervisor, Task};

/// What a fleet runs by.
#[derive(Debug, Clone)]
pub struct FleetConfig {
    /// Its policies.
    pub dispatch: DispatchConfig,
    /// What bounds an attempt that sets no timeout of its own.
    pub attempt_timeout: Duration,
    /// How long a browser may take to start.
    pub launch_timeout: Duration,
    /// The seed of all jitter.
    pub seed: u64,
}

/// What a fleet works with.
pub struct Surroundings {
    /// What records call the driver.
    pub name: Arc<str>,
    /// Makes browsers.
    pub driver: Arc<dyn Driver>,
    /// Gives jobs and takes results.
    pub store: Arc<dyn Store>,
    /// Reads the machine.
    pub probe: Box<dyn Probe>,
    /// Is told what changes.
    pub observer: Arc<dyn Observer>,
}

/// How a fleet is asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// No new attempts; running ones get this long. Jobs that did not finish are released to the store, not recorded.
    Drain(Duration),
    /// No new attempts; running ones get this long, then they are cancelled.
    After(Duration),
    /// Running attempts are cancelled at once.
    Now,
}

/// A fleet that runs. Dropping the handle does not stop it.
#[derive(Debug)]
pub struct Fleet {
    rules: watch::Sender<DispatchConfig>,
    stop: watch::Sender<Option<Stop>>,
    snapshots: watch::Receiver<Snapshot>,
    task: Task<FleetReport>,
}

/// What a fleet says at its end.
#[derive(Debug, Default)]
pub struct FleetReport {
    /// Where the jobs are: all ended, none lost.
    pub jobs: Counts,
    /// Attempts that were made.
    pub attempts: u64,
    /// The highest load there was.
    pub peaks: Peaks,
    /// From the start to the end of the last job.
    pub wall: Duration,
    /// Browsers that died or hung and were replaced.
    pub browser_restarts: u64,
    /// How often a breaker opened.
    pub breaker_trips: u64,
    /// Browsers that could not be verified gone.
    pub browsers_left: Vec<String>,
    /// Tasks that panicked.
    pub panics: u64,
    /// What the store could not do, if that ended the run.
    pub store_error: Option<StoreError>,
    /// Jobs of the fleet that a drain gave back to the store; `jobs` counts them as cancelled.
    pub released: u64,
    /// Jobs that ended, but whose end could not be recorded.
    pub unrecorded: u64,
    /// Why no browser could be started, if none ever was.
    pub launch_error: Option<String>,
}

impl Fleet {
    /// Starts a fleet that runs the store's jobs on the driver's browsers, as tasks of `supervisor`.
    #[must_use]
    pub fn start(
        config: FleetConfig,
        surroundings: Surroundings,
        clock: Clock,
        supervisor: &Supervisor,
    ) -> Self {
        let (stop, stop_asked) = watch::channel(None);
        let (rules, rules_given) = watch::channel(config.dispatch.clone());
        let (publish, snapshots) = watch::channel(Snapshot::default());
        let turn = turn::Turn::new(config, surroundings, clock, supervisor.child(), publish);
        let task = supervisor.spawn_graceful("fleet", turn.run(stop_asked, rules_given));
        Self { rules, stop, snapshots, task }
    }

    /// Asks the fleet to stop. A later, stricter request overrides an earlier one; a milder one is ignored.
    pub fn stop(&self, how: Stop) {
        self.stop.send_if_modified(|asked| {
            let stricter = asked.is_none_or(|already| how > already);
            if stricter {
                *asked = Some(how);
            }
            stricter
        });
    }

    /// Gives the fleet new rules for its limits, pressure levels and breakers; the rest of them is for the next fleet.
    pub fn reconfigure(&self, rules: DispatchConfig) {
        self.rules.send_replace(rules);
    }

    /// The fleet's state, published several times a second.
    #[must_use]
    pub fn snapshots(&self) -> watch::Receiver<Snapshot> {
        self.snapshots.clone()
    }

    /// Waits for the end of the fleet. May be polled in a `select!` loop.
    ///
    /// # Errors
    /// When the fleet's own task panicked: a bug, and the only way in which results can be missing.
    pub async fn ended(&mut self) -> Result<FleetReport, crate::runtime::supervisor::TaskFailure> {
        (&mut self.task).await
    }
}
