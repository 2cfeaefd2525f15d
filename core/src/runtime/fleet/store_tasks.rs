//! The two tasks between a fleet and its store: one reads jobs in advance, the other writes results in the background.
//!
//! ```text
//!   store ──next──► feed task ──► channel ──► fleet ──► channel ──► recorder task ──record | release──► store
//! ```
//!
//! The fleet's loop waits for the store's disk only when a channel is full. The recorder ends at the store's first
//! error; the fleet then finds its channel closed.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::id::Ticket;
use crate::job::Job;
use crate::port::{JobRecord, Store, StoreError};
use crate::runtime::result_memory::Held;
use crate::runtime::supervisor::{Supervisor, Task};

/// The capacity of each channel, in jobs or results.
const IN_TRANSIT: usize = 256;

/// An item of the feed task: a job, or the reason why no more jobs can be read.
pub(super) type Fed = Result<(Ticket, Job), StoreError>;

/// Reads jobs in advance, up to the capacity of the channel. A job that the fleet no longer takes is released.
pub(super) fn feed(store: Arc<dyn Store>, supervisor: &Supervisor) -> mpsc::Receiver<Fed> {
    let (send, receive) = mpsc::channel(IN_TRANSIT);
    // The task is not awaited: its end closes the channel, and a panic is logged and counted.
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

/// What is sent to the store about a job.
pub(super) enum JobEnd {
    /// With the memory of its data, which is given back when it is recorded.
    Recorded(Ticket, Box<JobRecord>, Held),
    Released(Ticket),
}

/// The result of the recorder task.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    /// The number of jobs that were recorded or released.
    pub(super) jobs: u64,
    /// Why the next job could not be recorded or released.
    pub(super) error: Option<StoreError>,
}

/// Writes results in the background. The task ends when the sender is dropped and everything is written, or at the
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
                JobEnd::Recorded(ticket, record, _held) => store.record(ticket, *record).await,
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
