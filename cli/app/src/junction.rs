//! [`Junction`]: one source of jobs and one place for results, shared by the fleets of several drivers.
//!
//! ```text
//!                       ┌─► lane of cdp  ──next──► fleet ──record──┐
//!   RunStore ──read──►──┤        ▲  failed with a class that       ├──► RunStore
//!                       │        └─ falls back                     │
//!                       └─► lane of http ──next──► fleet ──record──┘
//! ```
//!
//! Jobs are read one at a time, by whichever fleet asks; one that belongs to another waits in that one's lane. A job that
//! a driver fails with a class that falls back is not recorded; it goes to the other's lane, and what it cost so far is
//! added to its record in the end. A lane is over when there are no more jobs, none waits in it, and none of those under
//! way elsewhere could still fall back to it.
//!
//! Lanes are bounded: the reading waits while the next job's lane is full, or one to which that job could fall back. A
//! full lane is drained by its own fleet, which takes what waits there before it asks for more and so never waits for
//! another; hence nobody waits for ever, even where fall-backs lead in a circle.
//!
//! Results are written beside the worker that everything else runs on: a reader that stands still must stop no browser's
//! pipe, no timer and no signal. When it has stood still for long, the fleets wait for it and start nothing new.
//!
//! When the run is stopped nothing falls back any more. When a result cannot be written every lane is over at once.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::id::{JobId, JobSeq};
use plimsoll_core::job::Job;
use plimsoll_core::port::{Artifact, JobRecord, Store, StoreError};
use plimsoll_core::runtime::supervisor::Supervisor;
use tokio::sync::Notify;

use crate::store::RunStore;
use plimsoll::routes::{DriverIndex, Routes};

/// Jobs with which a lane is full. Those that fall back come on top. With those under way, a lane and all that fall back
/// to it never hold more than this for each of them and what their fleets have under way.
const LANE: usize = 64;

/// Shares one store among several fleets.
#[derive(Debug)]
pub struct Junction {
    store: Arc<RunStore>,
    routes: Routes,
    supervisor: Supervisor,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    source: Source,
    /// A job that was read and has to wait for room.
    aside: Option<(DriverIndex, Order)>,
    lanes: Vec<Lane>,
    submitted: u64,
    fell_back: u64,
}

/// What there is still to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Open,
    /// Stopped: what is left is given out, to be cancelled, and nothing falls back.
    Stopping,
    /// There are no more jobs.
    Exhausted {
        stopped: Stopped,
    },
    /// Results cannot be written: nobody is given anything any more.
    Broken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stopped {
    No,
    Yes,
}

#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<Order>,
    /// What the fleet was given, by the number it gave it.
    given: HashMap<JobSeq, Order>,
    numbered: u64,
    over: bool,
}

/// A job on its way.
#[derive(Debug, Clone)]
struct Order {
    job: Job,
    /// Its place among all jobs of the run.
    seq: JobSeq,
    /// The drivers that failed it.
    failed_by: Vec<DriverIndex>,
    attempts: u32,
    elapsed: Duration,
}

/// What a lane has for its fleet.
enum Turn {
    Job(Box<Job>),
    Over,
    Wait,
}

impl Junction {
    /// A junction of the drivers of `routes`; what blocks is done by tasks of `supervisor`.
    #[must_use]
    pub fn new(store: Arc<RunStore>, routes: Routes, supervisor: &Supervisor) -> Self {
        let lanes = routes.drivers().iter().map(|_| Lane::default()).collect();
        let state = State { source: Source::Open, aside: None, lanes, submitted: 0, fell_back: 0 };
        let (supervisor, changed) = (supervisor.clone(), Notify::new());
        Self { store, routes, supervisor, state: Mutex::new(state), changed }
    }

    /// The store of each driver's fleet, in the order of the routes' drivers.
    #[must_use]
    pub fn lanes(self: &Arc<Self>) -> Vec<LaneStore> {
        (0..self.routes.drivers().len()).map(|lane| LaneStore { junction: Arc::clone(self), lane }).collect()
    }

    /// From now on nothing falls back.
    pub fn stop(&self) {
        let mut state = self.state();
        state.source = match state.source {
            Source::Open => Source::Stopping,
            Source::Exhausted { .. } => Source::Exhausted { stopped: Stopped::Yes },
            ended @ (Source::Stopping | Source::Broken) => ended,
        };
        drop(state);
        self.changed.notify_waiters();
    }

    /// How many jobs went on from one driver to another: each was submitted to a fleet more than once.
    #[must_use]
    pub fn fell_back(&self) -> u64 {
        self.state().fell_back
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What there is for `lane` now.
    fn turn(&self, lane: DriverIndex) -> Result<Turn, StoreError> {
        let mut state = self.state();
        loop {
            if state.source == Source::Broken {
                return Ok(Turn::Over);
            }
            if let Some(order) = state.lanes[lane].waiting.pop_front() {
                return Ok(Turn::Job(Box::new(state.lanes[lane].give(order))));
            }
            let (to, order) = match state.aside.take() {
                Some(aside) => aside,
                None => match self.read(&mut state) {
                    Ok(Some(read)) => read,
                    Ok(None) => return Ok(self.exhausted(&mut state, lane)),
                    Err(error) => {
                        state.lanes[lane].over = true;
                        return Err(error);
                    }
                },
            };
            if !self.has_room(&state.lanes, to) {
                state.aside = Some((to, order));
                return Ok(Turn::Wait);
            }
            state.lanes[to].waiting.push_back(order);
        }
    }

    /// Whether a new job may enter the lane `to`: neither that lane is full nor any to which the job could fall back.
    fn has_room(&self, lanes: &[Lane], to: DriverIndex) -> bool {
        let mut full = (0..lanes.len()).filter(|lane| lanes[*lane].waiting.len() >= LANE);
        full.all(|full| full != to && !self.routes.upstream(full).contains(&to))
    }

    fn read(&self, state: &mut State) -> Result<Option<(DriverIndex, Order)>, StoreError> {
        let stopped = match state.source {
            Source::Open => Stopped::No,
            Source::Stopping => Stopped::Yes,
            Source::Exhausted { .. } | Source::Broken => return Ok(None),
        };
        let read = self.store.read();
        let Ok(Some(job)) = read else {
            state.source = Source::Exhausted { stopped };
            return read.map(|_| None);
        };
        let seq = JobSeq(state.submitted);
        state.submitted += 1;
        let to = self.routes.choose(&job);
        Ok(Some((to, Order { job, seq, failed_by: Vec::new(), attempts: 0, elapsed: Duration::ZERO })))
    }

    /// Whether a lane in which nothing waits is over.
    fn exhausted(&self, state: &mut State, lane: DriverIndex) -> Turn {
        let falls_back = state.source == Source::Exhausted { stopped: Stopped::No };
        let more =
            falls_back && self.routes.upstream(lane).into_iter().any(|from| !state.lanes[from].is_idle());
        if more {
            return Turn::Wait;
        }
        state.lanes[lane].over = true;
        Turn::Over
    }

    /// Takes in how a fleet ended a job: the record to keep, or nothing when the job goes on elsewhere.
    fn ended(&self, lane: DriverIndex, mut record: JobRecord) -> Option<JobRecord> {
        let mut state = self.state();
        let state = &mut *state;
        let mut order = state.lanes[lane].given.remove(&record.seq)?;
        order.attempts += record.attempts;
        order.elapsed += record.elapsed;
        let falls_back = matches!(state.source, Source::Open | Source::Exhausted { stopped: Stopped::No });
        let class = record.outcome.failure().filter(|_| falls_back).map(|failure| failure.fault.class);
        let to = class.and_then(|class| self.routes.fallback(&order.job, lane, class));
        if let Some(to) = to.filter(|to| !order.failed_by.contains(to) && !state.lanes[*to].over) {
            tracing::info!(job = %order.job.id, to = self.routes.drivers()[to], "falls back");
            order.failed_by.push(lane);
            state.lanes[to].waiting.push_back(order);
            state.fell_back += 1;
            return None;
        }
        record.seq = order.seq;
        record.attempts = order.attempts;
        record.elapsed = order.elapsed;
        Some(record)
    }

    async fn write(&self, lane: DriverIndex, record: JobRecord) -> Result<(), StoreError> {
        let (store, driver) = (Arc::clone(&self.store), self.routes.drivers()[lane].clone());
        let written = self.supervisor.spawn_blocking("results", move || store.record(&record, &driver));
        written.await.unwrap_or_else(|lost| {
            Err(StoreError { doing: "writing results".to_owned(), source: io::Error::other(lost) })
        })
    }

    fn number(&self, lane: DriverIndex, seq: JobSeq) -> JobSeq {
        self.state().lanes[lane].given.get(&seq).map_or(seq, |order| order.seq)
    }
}

impl Lane {
    /// Fleets number what they are given from 0 on, in order.
    fn give(&mut self, order: Order) -> Job {
        let job = order.job.clone();
        self.given.insert(JobSeq(self.numbered), order);
        self.numbered += 1;
        job
    }

    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.given.is_empty()
    }
}

/// One fleet's share of a [`Junction`].
#[derive(Debug)]
pub struct LaneStore {
    junction: Arc<Junction>,
    lane: DriverIndex,
}

#[async_trait]
impl Store for LaneStore {
    async fn next(&self) -> Result<Option<Job>, StoreError> {
        loop {
            // Made before the look, so that no change between the look and the wait is missed.
            let changed = self.junction.changed.notified();
            match self.junction.turn(self.lane) {
                Ok(Turn::Wait) => changed.await,
                turn => {
                    self.junction.changed.notify_waiters();
                    return turn.map(|turn| if let Turn::Job(job) = turn { Some(*job) } else { None });
                }
            }
        }
    }

    async fn keep(&self, job: &JobId, seq: JobSeq, artifact: Artifact) -> Result<String, StoreError> {
        self.junction.store.keep(job, self.junction.number(self.lane, seq), &artifact)
    }

    async fn record(&self, record: JobRecord) -> Result<(), StoreError> {
        let recorded = match self.junction.ended(self.lane, record) {
            Some(record) => self.junction.write(self.lane, record).await,
            None => {
                self.junction.store.fell_back(&self.junction.routes.drivers()[self.lane]);
                Ok(())
            }
        };
        if recorded.is_err() {
            self.junction.state().source = Source::Broken;
        }
        self.junction.changed.notify_waiters();
        recorded
    }
}

#[cfg(test)]
mod tests;
