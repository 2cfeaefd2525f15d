//! The fleet: the loop that connects policy, browsers, jobs and results.
//!
//! One task owns the [`Dispatch`](crate::policy::dispatch::Dispatch) and all state keyed by job or browser. Each turn
//! waits for one event, passes it to the policy and carries out its actions, and never waits for a browser.
//!
//! ```text
//!   store ──next──► feed ─┐                            ┌─► attempts (a task each) ── report ─┐
//!   permits ──── notes ───┼─► turn: Dispatch.handle ───┼─► launches, watches, closings ──────┤
//!   caller ────── stop ───┘                            └─► recorder ──record──► store        │
//!        ▲─────────────────────────────── notices ───────────────────────────────────────────┘
//! ```
//!
//! The fleet ends when every job has ended and either the store has no more jobs or the fleet was stopped. Before it
//! returns the report, it closes every browser and verifies that each is gone.

mod browsers;
mod open_jobs;
mod store_tasks;
mod turn;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::policy::dispatch::{DispatchConfig, Peaks};
use crate::policy::ledger::Counts;
use crate::port::{Driver, Observer, Probe, Store, StoreError};
use crate::runtime::clock::Clock;
use crate::runtime::snapshot::Snapshot;
use crate::runtime::supervisor::{Supervisor, Task};

/// The settings of a fleet.
#[derive(Debug, Clone)]
pub struct FleetConfig {
    /// The settings of the policies.
    pub dispatch: DispatchConfig,
    /// The timeout of an attempt whose job sets no timeout.
    pub attempt_timeout: Duration,
    /// The timeout of a browser's launch.
    pub launch_timeout: Duration,
    /// The seed of all random jitter.
    pub seed: u64,
}

/// The ports that a fleet works with.
pub struct Surroundings {
    /// The name of the driver in the records.
    pub name: Arc<str>,
    /// Launches browsers.
    pub driver: Arc<dyn Driver>,
    /// Supplies jobs and stores results.
    pub store: Arc<dyn Store>,
    /// Reads the machine.
    pub probe: Box<dyn Probe>,
    /// Receives the changes of the fleet.
    pub observer: Arc<dyn Observer>,
}

/// How to stop a fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// No new attempts; running attempts get this time. Unfinished jobs are released to the store and not recorded.
    Drain(Duration),
    /// No new attempts; running attempts get this time and are then cancelled.
    After(Duration),
    /// Running attempts are cancelled at once.
    Now,
}

/// A running fleet. Dropping the handle does not stop the fleet.
#[derive(Debug)]
pub struct Fleet {
    rules: watch::Sender<DispatchConfig>,
    stop: watch::Sender<Option<Stop>>,
    snapshots: watch::Receiver<Snapshot>,
    task: Task<FleetReport>,
}

/// The final report of a fleet.
#[derive(Debug, Default)]
pub struct FleetReport {
    /// The jobs by state: all have ended, and none is lost.
    pub jobs: Counts,
    /// The number of attempts.
    pub attempts: u64,
    /// The highest load that was reached.
    pub peaks: Peaks,
    /// The time from the start of the fleet to the end of the last job.
    pub wall: Duration,
    /// The number of browsers that failed and were replaced.
    pub browser_restarts: u64,
    /// How often a breaker opened.
    pub breaker_trips: u64,
    /// Browsers that could not be verified gone.
    pub browsers_left: Vec<String>,
    /// Tasks that panicked.
    pub panics: u64,
    /// The store's error, if it ended the run.
    pub store_error: Option<StoreError>,
    /// The number of jobs that a drain gave back to the store; `jobs` counts them as cancelled.
    pub released: u64,
    /// The number of jobs that ended but could not be recorded.
    pub unrecorded: u64,
    /// Why no browser could be started, if none ever started.
    pub launch_error: Option<String>,
    /// The counts of each driver's own, by driver and name.
    pub counters: BTreeMap<String, BTreeMap<String, u64>>,
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

    /// Asks the fleet to stop. A stricter request overrides an earlier one; a milder request is ignored.
    pub fn stop(&self, how: Stop) {
        self.stop.send_if_modified(|asked| {
            let stricter = asked.is_none_or(|already| how > already);
            if stricter {
                *asked = Some(how);
            }
            stricter
        });
    }

    /// Gives the fleet new settings for its limits, pressure levels and breakers. The other settings need a new fleet.
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
    /// If the fleet's own task panicked. That is a bug, and the only case in which results can be missing.
    pub async fn ended(&mut self) -> Result<FleetReport, crate::runtime::supervisor::TaskFailure> {
        (&mut self.task).await
    }
}
