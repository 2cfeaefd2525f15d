//! [`Store`]: where jobs come from and where results go.
//!
//! ```text
//!   next ─► (ticket, job) ─► attempts ─► keep(ticket, artifact) … ─► record(ticket, record)
//!                                                               └──► release(ticket): the job did not finish
//! ```
//!
//! The store chooses the ticket, and the fleet names it in every later call about the job. A job that was given out ends
//! with exactly one `record` or one `release`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::id::{JobId, Ticket};
use crate::job::Job;
use crate::outcome::Outcome;
use crate::port::output::{Artifact, Incidents};

/// Where jobs come from and where results go: a file and a directory for `run`, a database for a service.
///
/// The methods are called on the runtime's workers, which also serve every browser's pipe and every timer: a method that
/// waits for a disk must wait on a thread of its own
/// ([`Supervisor::spawn_blocking`](crate::runtime::supervisor::Supervisor::spawn_blocking)).
#[async_trait]
pub trait Store: Send + Sync {
    /// The next job with its ticket, or `None` when there will be no more. A ticket is used once. A fleet calls this from
    /// one task, and only while its queue has room: a million jobs need not be in memory.
    ///
    /// # Errors
    /// When no more jobs can be read; the fleet then finishes what it has.
    async fn next(&self) -> Result<Option<(Ticket, Job)>, StoreError>;

    /// Notes that an attempt of a job begins. The store may cancel the job by the token that it returns, now or later.
    fn begins(&self, _ticket: Ticket) -> CancellationToken {
        CancellationToken::new()
    }

    /// Keeps an artifact of a job and returns the name under which it can be found.
    ///
    /// # Errors
    /// When it could not be written. [`ErrorKind::Unsupported`](std::io::ErrorKind::Unsupported) means that this store
    /// keeps no artifacts; the job is then not tried again.
    async fn keep(&self, ticket: Ticket, job: &JobId, artifact: Artifact) -> Result<String, StoreError>;

    /// Records how a job ended.
    ///
    /// # Errors
    /// When it could not be recorded; the fleet then stops.
    async fn record(&self, ticket: Ticket, record: JobRecord) -> Result<(), StoreError>;

    /// Takes back a job that did not finish because its fleet is drained.
    ///
    /// # Errors
    /// When the store could not take note of it; the fleet then stops.
    async fn release(&self, ticket: Ticket) -> Result<(), StoreError>;
}

/// How a job ended, with all it brought back.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRecord {
    /// What the user calls it.
    pub id: JobId,
    /// The name of the driver that ended it.
    pub driver: Arc<str>,
    /// The drivers that failed it before, when it fell back from one to the next.
    pub fell_back_from: Vec<Arc<str>>,
    /// The page it was to open first, as it was written.
    pub url: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// How many attempts were made.
    pub attempts: u32,
    /// From the start of the first attempt to the end of the last; zero if there was none.
    pub elapsed: Duration,
    /// What was extracted, of the last attempt.
    pub data: Map<String, Value>,
    /// The names of the artifacts, of the last attempt.
    pub artifacts: Vec<String>,
    /// The status of the last page that was opened.
    pub status: Option<u16>,
    /// What the page tried that was answered by rule.
    pub incidents: Incidents,
}

/// Why a store could not do its part.
#[derive(Debug, thiserror::Error)]
#[error("{doing} failed")]
pub struct StoreError {
    /// What it was doing, with the place: "writing out/results.jsonl".
    pub doing: String,
    /// What the system said.
    #[source]
    pub source: std::io::Error,
}
