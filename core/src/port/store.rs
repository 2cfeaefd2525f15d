//! [`Store`]: the source of jobs and the destination of results.
//!
//! ```text
//!   next ─► (ticket, job) ─► attempts ─► keep(ticket, artifact) … ─► record(ticket, record)
//!                                                               └──► release(ticket): the job did not finish
//! ```
//!
//! The store chooses the ticket, and the fleet passes it in every later call for the job. Each job that the store
//! returned ends with exactly one `record` or one `release`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::id::{JobId, Ticket};
use crate::job::Job;
use crate::outcome::Outcome;
use crate::port::output::{Artifact, Incidents};

/// The source of jobs and the destination of results: a file and a directory for `run`, a database for a service.
///
/// The methods run on the runtime's workers, which also serve every browser's pipe and every timer. A method that waits
/// for a disk must do so on another thread
/// ([`Supervisor::spawn_blocking`](crate::runtime::supervisor::Supervisor::spawn_blocking)).
#[async_trait]
pub trait Store: Send + Sync {
    /// The next job with its ticket, or `None` when there are no more jobs. A ticket is used once. A fleet calls this
    /// from one task, and only while its queue has room, so a million jobs need not be in memory.
    ///
    /// # Errors
    /// If no more jobs can be read. The fleet then finishes the jobs that it has.
    async fn next(&self) -> Result<Option<(Ticket, Job)>, StoreError>;

    /// Reports that an attempt of a job starts. The store may cancel the job through the returned token, now or later.
    fn begins(&self, _ticket: Ticket) -> CancellationToken {
        CancellationToken::new()
    }

    /// The value of the secret that the texts of its jobs name so. A store has no secrets unless it says otherwise.
    ///
    /// # Errors
    /// If there is no such secret now. No message has the value.
    async fn secret(&self, name: &str) -> Result<String, StoreError> {
        let source = std::io::Error::new(std::io::ErrorKind::NotFound, "this store has no secrets");
        Err(StoreError { doing: format!("looking up the secret `{name}`"), source })
    }

    /// Stores an artifact of a job and returns the name under which it can be found.
    ///
    /// # Errors
    /// If the artifact could not be written. [`ErrorKind::Unsupported`](std::io::ErrorKind::Unsupported) means that
    /// this store keeps no artifacts; the job is then not retried.
    async fn keep(&self, ticket: Ticket, job: &JobId, artifact: Artifact) -> Result<String, StoreError>;

    /// Records how a job ended.
    ///
    /// # Errors
    /// If the record could not be written. The fleet then stops.
    async fn record(&self, ticket: Ticket, record: JobRecord) -> Result<(), StoreError>;

    /// Takes back a job that did not finish because its fleet was drained.
    ///
    /// # Errors
    /// If the store could not save the release. The fleet then stops.
    async fn release(&self, ticket: Ticket) -> Result<(), StoreError>;
}

/// How a job ended, with its output.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRecord {
    /// The job's id, chosen by the user.
    pub id: JobId,
    /// The name of the driver of the last attempt.
    pub driver: Arc<str>,
    /// The drivers that failed before, if the job fell back to another driver.
    pub fell_back_from: Vec<Arc<str>>,
    /// The URL of the first page, as written in the job.
    pub url: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// The number of attempts.
    pub attempts: u32,
    /// From the start of the first attempt to the end of the last; zero without attempts.
    pub elapsed: Duration,
    /// The extracted data of the last attempt.
    pub data: Map<String, Value>,
    /// The names of the artifacts of the last attempt.
    pub artifacts: Vec<String>,
    /// The HTTP status of the last page that was opened.
    pub status: Option<u16>,
    /// The counted incidents of the page.
    pub incidents: Incidents,
}

/// Why an operation of a store failed.
#[derive(Debug, thiserror::Error)]
#[error("{doing} failed")]
pub struct StoreError {
    /// The operation and its place: "writing out/results.jsonl".
    pub doing: String,
    /// The error of the operating system.
    #[source]
    pub source: std::io::Error,
}
