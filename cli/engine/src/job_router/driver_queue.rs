//! [`DriverQueue`]: the jobs that wait for one driver and those its fleet has; [`QueueStore`]: the same as a store.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::id::{JobId, Ticket};
use plimsoll_core::job::Job;
use plimsoll_core::port::{Artifact, JobRecord, Store, StoreError};
use tokio_util::sync::CancellationToken;

use super::{Ended, JobRouter, Next, Source};
use crate::routes::DriverIndex;

/// The jobs of one driver.
#[derive(Debug, Default)]
pub(super) struct DriverQueue {
    pub(super) waiting: VecDeque<RoutedJob>,
    /// Jobs that the fleet took and has not ended.
    pub(super) given: HashMap<Ticket, RoutedJob>,
    /// The fleet was notified that there are no more jobs.
    pub(super) over: bool,
}

/// A job on its way through the drivers.
#[derive(Debug, Clone)]
pub(super) struct RoutedJob {
    pub(super) ticket: Ticket,
    pub(super) job: Job,
    pub(super) failed_by: Vec<DriverIndex>,
    /// Attempts on all drivers so far.
    pub(super) attempts: u32,
    pub(super) elapsed: Duration,
}

impl RoutedJob {
    pub(super) const fn new(ticket: Ticket, job: Job) -> Self {
        Self { ticket, job, failed_by: Vec::new(), attempts: 0, elapsed: Duration::ZERO }
    }
}

impl DriverQueue {
    /// Moves the first job that waits to those that the fleet has.
    pub(super) fn give(&mut self) -> Option<(Ticket, Job)> {
        let routed = self.waiting.pop_front()?;
        let (ticket, job) = (routed.ticket, routed.job.clone());
        self.given.insert(ticket, routed);
        Some((ticket, job))
    }

    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.given.is_empty()
    }
}

/// What the fleet of one driver sees of a [`JobRouter`].
#[derive(Debug)]
pub(crate) struct QueueStore {
    router: Arc<JobRouter>,
    driver: DriverIndex,
}

impl QueueStore {
    pub(super) const fn new(router: Arc<JobRouter>, driver: DriverIndex) -> Self {
        Self { router, driver }
    }

    #[cfg(test)]
    pub(super) const fn driver(&self) -> DriverIndex {
        self.driver
    }

    #[cfg(test)]
    pub(super) fn router(&self) -> &JobRouter {
        &self.router
    }

    /// After an error no fleet gets another job.
    fn checked<T>(&self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if done.is_err() {
            self.router.change(|state| state.source = Source::Broken);
        }
        done
    }
}

#[async_trait]
impl Store for QueueStore {
    async fn next(&self) -> Result<Option<(Ticket, Job)>, StoreError> {
        loop {
            // Created before the check, so that no change between the check and the wait is missed.
            let changed = self.router.changed.notified();
            match self.router.next_for(self.driver) {
                Next::Job(ticket, job) => return Ok(Some((ticket, *job))),
                Next::Over => return Ok(None),
                Next::Unreadable(error) => return Err(error),
                Next::Wait => changed.await,
            }
        }
    }

    fn begins(&self, ticket: Ticket) -> CancellationToken {
        self.router.store.begins(ticket)
    }

    async fn secret(&self, name: &str) -> Result<String, StoreError> {
        self.router.store.secret(name).await
    }

    async fn keep(&self, ticket: Ticket, job: &JobId, artifact: Artifact) -> Result<String, StoreError> {
        self.router.store.keep(ticket, job, artifact).await
    }

    async fn record(&self, ticket: Ticket, record: JobRecord) -> Result<(), StoreError> {
        match self.router.ended(self.driver, ticket, record) {
            Ended::Record(record) => self.checked(self.router.store.record(ticket, *record).await),
            Ended::FellBack => Ok(()),
            Ended::Released => self.checked(self.router.store.release(ticket).await),
        }
    }

    async fn release(&self, ticket: Ticket) -> Result<(), StoreError> {
        self.router.change(|state| state.queues[self.driver].given.remove(&ticket));
        self.checked(self.router.store.release(ticket).await)
    }
}
