//! [`JobRouter`]: one store shared by the fleets of several drivers. A run with one driver has no router: its fleet
//! uses the store directly.
//!
//! ```text
//!                           ┌─► queue of cdp  ──next──► fleet ──record──┐
//!   store ─► reader task ─►─┤        ▲  failed with a class that        ├──► store
//!                           │        └─ falls back                      │
//!                           └─► queue of http ──next──► fleet ──record──┘
//! ```
//!
//! The reader task reads one job at a time and puts it into the queue of the driver that its route names. A job that a
//! driver fails with a class that falls back is not recorded; it goes into the other driver's queue, and its attempts
//! and time so far are added to its record at the end. A queue ends when there are no more jobs, no job waits in it,
//! and no job of another driver could still fall back to it.
//!
//! Queues are bounded: the reader waits while the next job's queue is full, or a queue to which that job could fall
//! back. The fleet of a full queue takes jobs from it without waiting for any other fleet, so there is no deadlock,
//! even where fall-backs form a cycle.
//!
//! After a stop no job falls back. A drain returns the waiting jobs to the store. When a result cannot be written,
//! every queue ends at once.

mod driver_queue;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plimsoll_core::id::Ticket;
use plimsoll_core::job::Job;
use plimsoll_core::port::{JobRecord, Store, StoreError};
use plimsoll_core::runtime::supervisor::Supervisor;
use tokio::sync::Notify;

pub(crate) use self::driver_queue::QueueStore;
use self::driver_queue::{DriverQueue, RoutedJob};
use crate::routes::{DriverIndex, Routes};

/// The number of jobs at which a queue is full. Fallen-back jobs may exceed it: let `U` be a driver and all drivers
/// that fall back to it. Together they hold at most the sum, over `U`, of this number and the jobs in the fleet.
const QUEUE: usize = 64;

/// Shares one store among several fleets.
pub(crate) struct JobRouter {
    store: Arc<dyn Store>,
    routes: Routes,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    source: Source,
    queues: Vec<DriverQueue>,
    fell_back: u64,
    /// Why no more jobs can be read; the next fleet that asks for a job gets this error.
    unreadable: Option<StoreError>,
}

/// The state of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Open,
    /// Stopped: the remaining jobs go to the fleets, which cancel them, and no job falls back.
    Stopping,
    /// Drained: the remaining jobs go back to the store.
    Draining,
    /// There are no more jobs; `Stopping` and `Draining` may follow.
    Exhausted,
    /// There are no more jobs, and no job falls back.
    StoppedAfterwards,
    /// Results cannot be written: no fleet gets another job.
    Broken,
}

/// What a fleet gets from its queue.
enum Next {
    Job(Ticket, Box<Job>),
    Over,
    Wait,
    Unreadable(StoreError),
}

/// What happens to a job that a fleet has ended.
enum Ended {
    /// Its record goes to the store.
    Record(Box<JobRecord>),
    /// The job waits for another driver.
    FellBack,
    /// The job would fall back, but the run is drained.
    Released,
}

impl JobRouter {
    /// A router of the drivers of `routes` in front of `store`. Its reader is a task of `supervisor`.
    #[must_use]
    pub(crate) fn start(store: Arc<dyn Store>, routes: Routes, supervisor: &Supervisor) -> Arc<Self> {
        let queues = routes.drivers().iter().map(|_| DriverQueue::default()).collect();
        let state = State { source: Source::Open, queues, fell_back: 0, unreadable: None };
        let router = Arc::new(Self { store, routes, state: Mutex::new(state), changed: Notify::new() });
        let reader = Arc::clone(&router);
        // The task is not awaited: its end is stored in the state; a panic is logged, counted and ends the queues.
        drop(supervisor.spawn("job reader", async move {
            let end = EndOfReading(&reader);
            let read = reader.read_all().await;
            end.is(read);
        }));
        router
    }

    /// The store of each driver's fleet, in the order of the routes' drivers.
    #[must_use]
    pub(crate) fn queues(self: &Arc<Self>) -> Vec<QueueStore> {
        (0..self.routes.drivers().len()).map(|driver| QueueStore::new(Arc::clone(self), driver)).collect()
    }

    /// From now on no job falls back.
    pub(crate) fn stop(&self) {
        self.change(|state| {
            state.source = match state.source {
                Source::Open => Source::Stopping,
                Source::Exhausted => Source::StoppedAfterwards,
                ended => ended,
            };
        });
    }

    /// Returns every waiting job to the store; from now on no fleet gets a job.
    pub(crate) async fn drain(&self) {
        let waiting = self.change(|state| {
            state.source = Source::Draining;
            let waiting = state.queues.iter_mut().flat_map(|queue| std::mem::take(&mut queue.waiting));
            waiting.collect::<Vec<_>>()
        });
        for job in waiting {
            self.release(job.ticket).await;
        }
    }

    /// How many times a job fell back from one driver to another: a fleet's counts contain such a job again.
    #[must_use]
    pub(crate) fn fell_back(&self) -> u64 {
        self.state().fell_back
    }

    async fn release(&self, ticket: Ticket) {
        if let Err(error) = self.store.release(ticket).await {
            tracing::warn!(%error, "a job that waited could not be given back to its store");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and wakes all tasks that wait for a change.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.state());
        self.changed.notify_waiters();
        changed
    }

    /// Reads jobs into the queues until there are no more.
    async fn read_all(&self) -> Result<(), StoreError> {
        while let Some((ticket, job)) = self.store.next().await? {
            let to = self.routes.choose(&job);
            let mut routed = Some(RoutedJob::new(ticket, job));
            loop {
                // Created before the check, so that no change between the check and the wait is missed.
                let changed = self.changed.notified();
                match self.place(&mut routed, to) {
                    Placed::Yes => break,
                    Placed::NoRoom => changed.await,
                    Placed::Unwanted => {
                        self.release(ticket).await;
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    fn place(&self, routed: &mut Option<RoutedJob>, to: DriverIndex) -> Placed {
        self.change_if(|state| {
            if matches!(state.source, Source::Draining | Source::Broken) {
                return (Placed::Unwanted, false);
            }
            if !self.has_room(&state.queues, to) {
                return (Placed::NoRoom, false);
            }
            state.queues[to].waiting.extend(routed.take());
            (Placed::Yes, true)
        })
    }

    /// As [`JobRouter::change`], but wakes tasks only after a change; otherwise the reader would wake itself.
    fn change_if<T>(&self, change: impl FnOnce(&mut State) -> (T, bool)) -> T {
        let (result, changed) = change(&mut self.state());
        if changed {
            self.changed.notify_waiters();
        }
        result
    }

    /// Whether the queue `to`, and every queue to which its jobs could fall back, has room for a new job.
    fn has_room(&self, queues: &[DriverQueue], to: DriverIndex) -> bool {
        let mut full = (0..queues.len()).filter(|driver| queues[*driver].waiting.len() >= QUEUE);
        full.all(|full| full != to && !self.routes.upstream(full).contains(&to))
    }

    /// What the fleet of `driver` gets now.
    fn next_for(&self, driver: DriverIndex) -> Next {
        self.change_if(|state| {
            if state.source == Source::Broken {
                return (Next::Over, false);
            }
            if let Some((ticket, job)) = state.queues[driver].give() {
                return (Next::Job(ticket, Box::new(job)), true);
            }
            if let Some(error) = state.unreadable.take() {
                state.queues[driver].over = true;
                return (Next::Unreadable(error), true);
            }
            let over = match state.source {
                Source::Open | Source::Stopping => false,
                Source::Exhausted => {
                    self.routes.upstream(driver).iter().all(|from| state.queues[*from].is_idle())
                }
                Source::Draining | Source::StoppedAfterwards | Source::Broken => true,
            };
            state.queues[driver].over = over;
            (if over { Next::Over } else { Next::Wait }, over)
        })
    }

    /// Processes the record of a job that a fleet ended.
    fn ended(&self, driver: DriverIndex, ticket: Ticket, mut record: JobRecord) -> Ended {
        self.change(|state| {
            let Some(mut routed) = state.queues[driver].given.remove(&ticket) else {
                return Ended::Record(Box::new(record));
            };
            routed.attempts += record.attempts;
            routed.elapsed += record.elapsed;
            let class = record.outcome.failure().map(|failure| failure.fault.class);
            let to = class.and_then(|class| self.routes.fallback(&routed.job, driver, class));
            let to = to.filter(|to| !routed.failed_by.contains(to) && !state.queues[*to].over);
            match (state.source, to) {
                (Source::Open | Source::Exhausted, Some(to)) => {
                    tracing::info!(job = %routed.job.id, to = self.routes.drivers()[to], "falls back");
                    routed.failed_by.push(driver);
                    state.queues[to].waiting.push_back(routed);
                    state.fell_back += 1;
                    Ended::FellBack
                }
                (Source::Draining, Some(_)) => Ended::Released,
                _ => {
                    let name = |driver: &DriverIndex| self.routes.drivers()[*driver].as_str().into();
                    record.fell_back_from = routed.failed_by.iter().map(name).collect();
                    record.attempts = routed.attempts;
                    record.elapsed = routed.elapsed;
                    Ended::Record(Box::new(record))
                }
            }
        })
    }
}

impl std::fmt::Debug for JobRouter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobRouter").field("state", &self.state()).finish_non_exhaustive()
    }
}

/// Whether the reader could put a job into a queue.
enum Placed {
    Yes,
    NoRoom,
    /// The run is drained or broken.
    Unwanted,
}

/// Records the end of reading, also after a panic of the reader; otherwise the fleets would wait forever.
struct EndOfReading<'a>(&'a JobRouter);

impl EndOfReading<'_> {
    fn is(&self, read: Result<(), StoreError>) {
        self.0.state().unreadable = read.err();
    }
}

impl Drop for EndOfReading<'_> {
    fn drop(&mut self) {
        self.0.change(|state| {
            state.source = match state.source {
                Source::Open => Source::Exhausted,
                Source::Stopping => Source::StoppedAfterwards,
                ended => ended,
            };
        });
    }
}

#[cfg(test)]
mod tests;
