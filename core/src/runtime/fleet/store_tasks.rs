//! The two tasks between a fleet and its store: one reads jobs ahead, one writes results behind.
//!
//! ```text
//!   store ──next──► feed task ──► channel ──► fleet ──► channel ──► recorder task ──record | release──► store
//! ```
//!
//! The fleet's loop never waits for the store's disk until a channel is full. The recorder ends with the store's first
//! error, and the fleet finds its channel closed.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::id::Ticket;
use crate::job::Job;
use crate::port::{JobRecord, Store, StoreError};
use crate::runtime::supervisor::{Supervisor, Task};

/// Jobs or results that may be under way between two tasks.
const IN_TRANSIT: usize = 256;

/// What the feed task sends: a job, or why no more can be read.
pub(super) type Fed = Result<(Ticket, Job), StoreError>;

/// Reads jobs ahead of the fleet, as many as fit in the channel. A job that the fleet takes no more is released.
pub(super) fn feed(store: Arc<dyn Store>, supervisor: &Supervisor) -> mpsc::Receiver<Fed> {
    let (send, receive) = mpsc::channel(IN_TRANSIT);
    // Nobody awaits the task: its end is the end of the channel, and a panic is logged and counted.
    drop(supervisor.spawn("feed", async move {
        while let Some(fed) = store.next().await.transpose() {
            let broken = fed.is_err();
            if let Err(mpsc::error::SendError(fed)) = send.send(fed).await {
                if let Ok((ticket, _)) = fed
                    && let Err(error) = store.release(ticket).await
                {
                    tracing::warn!(%error, "a job that was read could not be given back to its store");
                }
                break;
            }
            if broken {
                break;
            }
        }
    }));
    receive
}

/// What the store is to learn of a job.
pub(super) enum JobEnd {
    Recorded(Ticket, Box<JobRecord>),
    Released(Ticket),
}

/// What the recorder task did.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    /// Jobs that were recorded or released.
    pub(super) jobs: u64,
    /// Why the next one was not.
    pub(super) error: Option<StoreError>,
}

/// Writes results behind the fleet. The task ends when the sender is dropped and everything is written, or with the
/// first error.
pub(super) fn recorder(
    store: Arc<dyn Store>,
    supervisor: &Supervisor,
) -> (mpsc::Sender<JobEnd>, Task<Recorded>) {
    let (send, mut receive) = mpsc::channel::<JobEnd>(IN_TRANSIT);
    let task = supervisor.spawn_graceful("recorder", async move {
        let mut recorded = Recorded::default();
        while let Some(end) = receive.recv().await {
            let done = match end {
                JobEnd::Recorded(ticket, record) => store.record(ticket, *record).await,
                JobEnd::Released(ticket) => store.release(ticket).await,
            };
            match done {
                Ok(()) => recorded.jobs += 1,
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
