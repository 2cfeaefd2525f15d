//! The jobs that have not ended, and the two tasks that carry jobs in and records out.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::id::JobSeq;
use crate::job::Job;
use crate::outcome::Outcome;
use crate::port::{JobRecord, Store, StoreError};
use crate::runtime::attempt::Harvest;
use crate::runtime::supervisor::{Supervisor, Task};
use crate::time::Moment;

/// Jobs or records that may be under way between two tasks.
const IN_TRANSIT: usize = 256;

/// What is known of the jobs that have not ended.
#[derive(Default)]
pub(super) struct Journal {
    open: HashMap<JobSeq, Entry>,
    next: u64,
}

struct Entry {
    job: Arc<Job>,
    first_start: Option<Moment>,
    last_end: Option<Moment>,
    harvest: Harvest,
}

impl Journal {
    /// Takes in a job and numbers it.
    pub(super) fn enter(&mut self, job: Job) -> JobSeq {
        let seq = JobSeq(self.next);
        self.next += 1;
        let entry =
            Entry { job: Arc::new(job), first_start: None, last_end: None, harvest: Harvest::default() };
        self.open.insert(seq, entry);
        seq
    }

    /// Notes that an attempt begins, and returns its job.
    pub(super) fn begin(&mut self, seq: JobSeq, now: Moment) -> Option<Arc<Job>> {
        let entry = self.open.get_mut(&seq)?;
        entry.first_start.get_or_insert(now);
        Some(Arc::clone(&entry.job))
    }

    /// Notes what an attempt brought back; an earlier attempt's harvest is forgotten.
    pub(super) fn harvest(&mut self, seq: JobSeq, finished: Moment, harvest: Harvest) {
        if let Some(entry) = self.open.get_mut(&seq) {
            entry.last_end = Some(finished);
            entry.harvest = harvest;
        }
    }

    /// Closes a job's entry.
    pub(super) fn close(&mut self, seq: JobSeq, outcome: Outcome, attempts: u32) -> Option<JobRecord> {
        let Entry { job, first_start, last_end, harvest } = self.open.remove(&seq)?;
        let elapsed = last_end.zip(first_start).map(|(end, start)| end.since(start)).unwrap_or_default();
        Some(JobRecord {
            seq,
            id: job.id.clone(),
            url: job.start.as_ref().map(|goto| goto.url.to_string()),
            outcome,
            attempts,
            elapsed,
            data: harvest.data,
            artifacts: harvest.artifacts,
            status: harvest.status,
            incidents: harvest.incidents,
        })
    }
}

/// Reads jobs ahead of the fleet, as many as fit in the channel.
pub(super) fn feed(
    store: Arc<dyn Store>,
    supervisor: &Supervisor,
) -> mpsc::Receiver<Result<Job, StoreError>> {
    let (send, receive) = mpsc::channel(IN_TRANSIT);
    // Nobody awaits the task: its end is the end of the channel, and a panic is logged and counted.
    drop(supervisor.spawn("feed", async move {
        while let Some(job) = store.next().await.transpose() {
            let broken = job.is_err();
            if send.send(job).await.is_err() || broken {
                break;
            }
        }
    }));
    receive
}

/// What the recorder says at its end.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    /// Records that were written.
    pub(super) records: u64,
    /// Why the next one was not.
    pub(super) error: Option<StoreError>,
}

/// Writes records behind the fleet. The task ends when the sender is dropped and everything is written, or with the
/// first error: the sender then finds its channel closed.
pub(super) fn recorder(
    store: Arc<dyn Store>,
    supervisor: &Supervisor,
) -> (mpsc::Sender<JobRecord>, Task<Recorded>) {
    let (send, mut receive) = mpsc::channel::<JobRecord>(IN_TRANSIT);
    let task = supervisor.spawn_graceful("recorder", async move {
        let mut recorded = Recorded::default();
        while let Some(record) = receive.recv().await {
            match store.record(record).await {
                Ok(()) => recorded.records += 1,
                Err(error) => {
                    recorded.error = Some(error);
                    break;
                }
            }
        }
        recorded
    });
    (send, task)
}
