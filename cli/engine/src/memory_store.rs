//! [`MemoryStore`]: the store behind [`Engine::submit`](crate::Engine::submit), and the [`JobHandle`] of a job in it.
//!
//! ```text
//!   submit ─► waiting ──next──► fleet ──begins──► attempts ──record──► the handle completes with the result
//!                │                 └──────────────────────release────► the handle completes with the job
//!                └── cancel, drain
//! ```
//!
//! The store refuses a job when the number of open jobs is at its capacity. Artifacts stay in memory until the job ends
//! and then belong to the handle; when the handle was dropped, they are dropped too.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::id::{JobId, Ticket};
use plimsoll_core::job::Job as CheckedJob;
use plimsoll_core::outcome::Outcome;
use plimsoll_core::port::{Artifact, Incidents, JobRecord, Store, StoreError};
use serde_json::Map;
use tokio::sync::{Notify, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::submit::{NotRun, Refusal};

/// A job that has ended, with its results.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// How it ended, and the data that it extracted.
    pub record: JobRecord,
    /// Its pictures and PDFs, in the order of `record.artifacts`.
    pub artifacts: Vec<Artifact>,
}

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobProgress {
    /// The job waits for its first attempt.
    Waiting,
    /// Its attempts began; this is the number of the last one, from 1. The job may wait for the next.
    Attempted(u32),
}

/// A job that an engine has accepted. Awaiting it gives its result; dropping it does not cancel the job.
#[derive(Debug)]
pub struct JobHandle {
    id: JobId,
    ticket: Ticket,
    store: Arc<MemoryStore>,
    cancel: CancellationToken,
    progress: watch::Receiver<JobProgress>,
    end: oneshot::Receiver<Result<Finished, NotRun>>,
}

impl JobHandle {
    /// The id by which results name the job.
    #[must_use]
    pub const fn id(&self) -> &JobId {
        &self.id
    }

    /// Where the job is, and how to wait for a change.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<JobProgress> {
        self.progress.clone()
    }

    /// Cancels the job; awaiting it then gives the outcome `cancelled`, unless it has ended otherwise meanwhile. A job
    /// that its fleet has already queued ends when it leaves the queue, without opening a context.
    pub fn cancel(&self) {
        self.cancel.cancel();
        self.store.withdraw(self.ticket);
    }
}

impl Future for JobHandle {
    type Output = Result<Finished, NotRun>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.end).poll(cx).map(|end| end.unwrap_or(Err(NotRun::EngineEnded)))
    }
}

/// Jobs that were submitted and have not ended, in memory.
#[derive(Debug)]
pub(crate) struct MemoryStore {
    /// The most jobs that are open at once.
    capacity: usize,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    submitted: u64,
    waiting: VecDeque<Ticket>,
    open: HashMap<Ticket, OpenJob>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    Draining,
    Closed,
}

#[derive(Debug)]
struct OpenJob {
    job: CheckedJob,
    attempts: u32,
    cancel: CancellationToken,
    progress: watch::Sender<JobProgress>,
    /// The artifacts of the last attempt, by name.
    artifacts: Vec<(String, Artifact)>,
    end: oneshot::Sender<Result<Finished, NotRun>>,
}

impl MemoryStore {
    /// A store that refuses jobs while `capacity` are open.
    pub(crate) fn new(capacity: usize) -> Arc<Self> {
        let state =
            State { phase: Phase::Open, submitted: 0, waiting: VecDeque::new(), open: HashMap::new() };
        Arc::new(Self { capacity, state: Mutex::new(state), changed: Notify::new() })
    }

    /// Accepts a job, or returns why it is refused.
    pub(crate) fn submit(self: &Arc<Self>, job: CheckedJob) -> Result<JobHandle, Refusal> {
        let mut state = self.state();
        match state.phase {
            Phase::Open if state.open.len() >= self.capacity => return Err(Refusal::Full(self.capacity)),
            Phase::Open => {}
            Phase::Draining => return Err(Refusal::Draining),
            Phase::Closed => return Err(Refusal::Closed),
        }
        let ticket = Ticket(state.submitted);
        state.submitted += 1;
        let (end, ended) = oneshot::channel();
        let (progress, progressed) = watch::channel(JobProgress::Waiting);
        let cancel = CancellationToken::new();
        let handle = JobHandle {
            id: job.id.clone(),
            ticket,
            store: Arc::clone(self),
            cancel: cancel.clone(),
            progress: progressed,
            end: ended,
        };
        state.open.insert(ticket, OpenJob { job, attempts: 0, cancel, progress, artifacts: Vec::new(), end });
        state.waiting.push_back(ticket);
        drop(state);
        self.changed.notify_waiters();
        Ok(handle)
    }

    /// The number that is the id of a job without an id.
    pub(crate) fn next_number(&self) -> u64 {
        self.state().submitted + 1
    }

    /// Completes at the first change after this call; a caller whose job was refused may then try again.
    pub(crate) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }

    /// Accepts no more jobs; accepted jobs still run.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        if state.phase == Phase::Open {
            state.phase = Phase::Closed;
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// Accepts no more jobs and gives waiting jobs back.
    pub(crate) fn drain(&self) {
        let mut state = self.state();
        state.phase = Phase::Draining;
        let waiting = std::mem::take(&mut state.waiting);
        waiting.into_iter().for_each(|ticket| state.release(ticket));
        drop(state);
        self.changed.notify_waiters();
    }

    /// Ends the open jobs without a result, because the engine has ended.
    pub(crate) fn abandon(&self) {
        let mut state = self.state();
        state.phase = Phase::Closed;
        state.waiting.clear();
        state.open.clear();
        drop(state);
        self.changed.notify_waiters();
    }

    /// Ends a job that no fleet has taken yet.
    fn withdraw(&self, ticket: Ticket) {
        let mut state = self.state();
        let Some(place) = state.waiting.iter().position(|waiting| *waiting == ticket) else { return };
        state.waiting.remove(place);
        if let Some(open) = state.open.remove(&ticket) {
            let record = never_run(&open.job);
            // An error means that the handle was dropped.
            let _ = open.end.send(Ok(Finished { record, artifacts: Vec::new() }));
        }
        drop(state);
        self.changed.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn release(&mut self, ticket: Ticket) {
        if let Some(open) = self.open.remove(&ticket) {
            // An error means that the handle was dropped.
            let _ = open.end.send(Err(NotRun::Released(Box::new(open.job))));
        }
    }
}

/// The record of a job that was cancelled before any driver had it.
fn never_run(job: &CheckedJob) -> JobRecord {
    JobRecord {
        id: job.id.clone(),
        driver: "".into(),
        fell_back_from: Vec::new(),
        url: job.start.as_ref().map(|goto| goto.url.to_string()),
        outcome: Outcome::Cancelled,
        attempts: 0,
        elapsed: Duration::ZERO,
        data: Map::new(),
        artifacts: Vec::new(),
        status: None,
        incidents: Incidents::default(),
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn next(&self) -> Result<Option<(Ticket, CheckedJob)>, StoreError> {
        loop {
            // Created before the check, so that no change between the check and the wait is missed.
            let changed = self.changed.notified();
            {
                let mut state = self.state();
                let next = state.waiting.pop_front();
                if let Some((ticket, open)) = next.and_then(|next| Some((next, state.open.get(&next)?))) {
                    return Ok(Some((ticket, open.job.clone())));
                }
                if state.phase != Phase::Open {
                    return Ok(None);
                }
            }
            changed.await;
        }
    }

    fn begins(&self, ticket: Ticket) -> CancellationToken {
        let mut state = self.state();
        let Some(open) = state.open.get_mut(&ticket) else { return CancellationToken::new() };
        open.attempts += 1;
        open.artifacts.clear();
        open.progress.send_replace(JobProgress::Attempted(open.attempts));
        open.cancel.clone()
    }

    async fn keep(&self, ticket: Ticket, _: &JobId, artifact: Artifact) -> Result<String, StoreError> {
        let mut state = self.state();
        let Some(open) = state.open.get_mut(&ticket) else { return Ok(String::new()) };
        let name = format!("{}.{}", open.artifacts.len() + 1, artifact.kind.extension());
        open.artifacts.push((name.clone(), artifact));
        Ok(name)
    }

    async fn record(&self, ticket: Ticket, record: JobRecord) -> Result<(), StoreError> {
        let open = self.state().open.remove(&ticket);
        if let Some(open) = open {
            let artifacts = open.artifacts.into_iter().map(|(_, artifact)| artifact).collect();
            // An error means that the handle was dropped.
            let _ = open.end.send(Ok(Finished { record, artifacts }));
        }
        self.changed.notify_waiters();
        Ok(())
    }

    async fn release(&self, ticket: Ticket) -> Result<(), StoreError> {
        self.state().release(ticket);
        self.changed.notify_waiters();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::trial::{job, record};

    #[tokio::test]
    async fn a_full_a_draining_and_a_closed_store_refuse_and_lose_nothing() {
        let store = MemoryStore::new(2);
        let first = store.submit(job("http://a/")).expect("room");
        let second = store.submit(job("http://b/")).expect("room");
        assert!(matches!(store.submit(job("http://c/")), Err(Refusal::Full(2))));
        let (ticket, given) = store.next().await.expect("in memory").expect("a job");
        store.record(ticket, record(&given)).await.expect("in memory");
        assert_eq!(first.await.expect("a result").record.id, given.id);
        let third = store.submit(job("http://c/")).expect("room again");
        let (ticket, _) = store.next().await.expect("in memory").expect("a job");
        store.drain();
        assert!(matches!(store.submit(job("http://d/")), Err(Refusal::Draining)));
        assert!(matches!(third.await, Err(NotRun::Released(job)) if job.id.as_str() == "http://c/"));
        assert!(store.next().await.expect("in memory").is_none());
        store.release(ticket).await.expect("in memory");
        assert!(matches!(second.await, Err(NotRun::Released(job)) if job.id.as_str() == "http://b/"));
    }

    #[tokio::test]
    async fn a_job_that_waits_is_cancelled_at_once_and_a_running_one_by_its_token() {
        let store = MemoryStore::new(9);
        let [running, waiting] = ["http://a/", "http://b/"].map(|url| store.submit(job(url)).expect("room"));
        let (ticket, _) = store.next().await.expect("in memory").expect("a job");
        let token = store.begins(ticket);
        assert_eq!(*running.progress().borrow(), JobProgress::Attempted(1));
        running.cancel();
        waiting.cancel();
        assert!(token.is_cancelled());
        assert_eq!(waiting.await.expect("a result").record.outcome, Outcome::Cancelled);
        assert!(running.now_or_never().is_none(), "its fleet ends it");
    }

    #[tokio::test]
    async fn artifacts_of_an_earlier_attempt_are_dropped() {
        let store = MemoryStore::new(9);
        let handle = store.submit(job("http://a/")).expect("room");
        let (ticket, given) = store.next().await.expect("in memory").expect("a job");
        for bytes in [b"old".to_vec(), b"new".to_vec()] {
            let _ = store.begins(ticket);
            let artifact = Artifact { kind: plimsoll_core::port::ArtifactKind::Png, bytes };
            assert_eq!(store.keep(ticket, &given.id, artifact).await.expect("in memory"), "1.png");
        }
        store.record(ticket, record(&given)).await.expect("in memory");
        let artifacts = handle.await.expect("a result").artifacts;
        assert_eq!(artifacts.iter().map(|kept| kept.bytes.as_slice()).collect::<Vec<_>>(), [b"new"]);
    }

    #[tokio::test]
    async fn an_engine_that_ends_early_ends_its_handles() {
        let store = MemoryStore::new(9);
        let handle = store.submit(job("http://a/")).expect("room");
        store.abandon();
        assert!(matches!(handle.await, Err(NotRun::EngineEnded)));
        assert!(matches!(store.submit(job("http://a/")), Err(Refusal::Closed)));
    }
}
