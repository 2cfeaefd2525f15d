//! The port behind which jobs wait and results stay.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::{JobId, JobSeq};
use crate::job::Job;
use crate::outcome::Outcome;
use crate::port::driver::Incidents;

/// Where jobs wait and results stay: a file and a directory for `run`, a database for a service.
#[async_trait]
pub trait Store: Send + Sync {
    /// The next job, or `None` when there will be no more. Called by one task, only when the fleet has room in its
    /// queue: a million jobs need not be in memory.
    ///
    /// # Errors
    /// When the jobs cannot be read on; the fleet then finishes what it has.
    async fn next(&self) -> Result<Option<Job>, StoreError>;

    /// Keeps an artifact of a job and returns the name under which it can be found.
    ///
    /// # Errors
    /// When it could not be written. [`ErrorKind::Unsupported`](std::io::ErrorKind::Unsupported) says that this store
    /// keeps none: then no further try of the job will do better.
    async fn keep(&self, job: &JobId, seq: JobSeq, artifact: Artifact) -> Result<String, StoreError>;

    /// Records how a job ended; called exactly once for each job that [`Store::next`] gave out.
    ///
    /// # Errors
    /// When it could not be recorded.
    async fn record(&self, record: JobRecord) -> Result<(), StoreError>;
}

/// A picture or a PDF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// What it is.
    pub kind: ArtifactKind,
    /// The file's content.
    pub bytes: Vec<u8>,
}

/// What an artifact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArtifactKind {
    /// A PNG picture.
    Png,
    /// A JPEG picture.
    Jpeg,
    /// A PDF document.
    Pdf,
}

impl ArtifactKind {
    /// The file name extension, without a dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Pdf => "pdf",
        }
    }
}

/// How a job ended, with all it brought back.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRecord {
    /// The job's place in the order of submission.
    pub seq: JobSeq,
    /// What the user calls it.
    pub id: JobId,
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
