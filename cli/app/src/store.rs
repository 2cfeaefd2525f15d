//! What is behind every run: jobs come from a file, results go to a directory or to standard output. The fleets reach it
//! through a [`Junction`](crate::junction::Junction).
//!
//! Writing a line takes as long as its reader likes; what is known of the jobs that ended is behind a lock of its own, so
//! that nobody who only counts waits for a reader.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use plimsoll_core::id::{JobId, JobSeq};
use plimsoll_core::job::Job;
use plimsoll_core::port::{Artifact, JobRecord, StoreError};

use crate::out::{Artifacts, OutDir, OutError, ResultsWriter, Tally};
use plimsoll::jobs::{JobFile, JobsError};

/// Jobs in, results out.
#[derive(Debug)]
pub struct RunStore {
    jobs: Mutex<JobFile>,
    /// `None` when there is no output directory to keep pictures in. Jobs that take some are refused then
    /// ([`Demand::kept_nowhere`](plimsoll::demand::Demand::kept_nowhere)), unless their file was changed meanwhile.
    artifacts: Option<Artifacts>,
    writer: Mutex<ResultsWriter>,
    tally: Mutex<Tally>,
}

impl RunStore {
    /// A store that writes to `out`, or to standard output.
    ///
    /// # Errors
    /// When the results file cannot be written.
    pub fn new(jobs: JobFile, out: Option<&OutDir>) -> Result<Self, OutError> {
        let writer = out.map_or_else(|| Ok(ResultsWriter::stdout()), OutDir::results)?;
        Ok(Self::of(jobs, out.map(OutDir::artifacts), writer))
    }

    pub(crate) fn of(jobs: JobFile, artifacts: Option<Artifacts>, writer: ResultsWriter) -> Self {
        let (writer, tally) = (Mutex::new(writer), Mutex::default());
        Self { jobs: Mutex::new(jobs), artifacts, writer, tally }
    }

    /// Takes the tally of all jobs that ended.
    #[must_use]
    pub fn take_tally(&self) -> Tally {
        std::mem::take(&mut lock(&self.tally))
    }

    /// The next job, or `None` when there are no more.
    ///
    /// # Errors
    /// When the jobs cannot be read on.
    pub fn read(&self) -> Result<Option<Job>, StoreError> {
        let next = lock(&self.jobs).next();
        next.map_err(|error: JobsError| StoreError {
            doing: "reading jobs".to_owned(),
            source: io::Error::other(error),
        })
    }

    /// Keeps an artifact of a job and returns the name under which it can be found.
    ///
    /// # Errors
    /// When it could not be written, or there is no place for it.
    pub fn keep(&self, job: &JobId, seq: JobSeq, artifact: &Artifact) -> Result<String, StoreError> {
        match &self.artifacts {
            Some(artifacts) => artifacts.keep(job, seq, artifact),
            None => Err(StoreError {
                doing: "keeping a picture or PDF".to_owned(),
                source: io::Error::new(
                    io::ErrorKind::Unsupported,
                    "there is no place for it; name a directory with --out",
                ),
            }),
        }
    }

    /// Writes how a job ended on `driver`. It blocks for as long as the reader of the results does.
    ///
    /// # Errors
    /// When its line could not be written.
    pub fn record(&self, record: &JobRecord, driver: &str) -> Result<(), StoreError> {
        lock(&self.writer).write(record, driver)?;
        lock(&self.tally).add(record, driver);
        Ok(())
    }

    /// Notes that a job went on from `driver` to another.
    pub fn fell_back(&self, driver: &str) {
        lock(&self.tally).fell_back(driver);
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
