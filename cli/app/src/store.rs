//! [`RunStore`]: the store of `plimsoll run`. Jobs come from a file, results go to a directory or to standard output.
//!
//! Its methods block until the disk or the reader of the results is ready, so the engine calls them on separate
//! threads. The tally of the jobs that ended has its own lock, so that reading the counts never waits.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use plimsoll::blocking_store::BlockingStore;
use plimsoll::jobs::{JobFile, JobsError};
use plimsoll::named_secrets::NamedSecrets;
use plimsoll_core::id::{JobId, Ticket};
use plimsoll_core::job::Job;
use plimsoll_core::port::{Artifact, JobRecord, StoreError};

use crate::out::{Artifacts, OutDir, OutError, ResultsWriter, Tally};

/// Jobs from a file, results to a directory or to standard output. A job's ticket is its place in the file, from 0.
#[derive(Debug)]
pub struct RunStore {
    jobs: Mutex<JobFile>,
    given: AtomicU64,
    /// `None` when there is no output directory to keep pictures in. Jobs that take some are refused then
    /// ([`RequiredCapabilities::require_no_output`](plimsoll::required::RequiredCapabilities::require_no_output)), unless their file was changed meanwhile.
    artifacts: Option<Artifacts>,
    secrets: NamedSecrets,
    writer: Mutex<ResultsWriter>,
    tally: Mutex<Tally>,
}

impl RunStore {
    /// A store that writes to `out`.
    ///
    /// # Errors
    /// When the results file cannot be written.
    pub fn in_dir(jobs: JobFile, out: &OutDir) -> Result<Self, OutError> {
        Ok(Self::new(jobs, out.results()?, Some(out.artifacts())))
    }

    /// A store that writes to the stream of results.
    #[must_use]
    pub fn on_stream(jobs: JobFile, stream: File) -> Self {
        Self::new(jobs, ResultsWriter::stream(stream), None)
    }

    fn new(jobs: JobFile, writer: ResultsWriter, artifacts: Option<Artifacts>) -> Self {
        Self {
            secrets: jobs.secrets().clone(),
            jobs: Mutex::new(jobs),
            given: AtomicU64::new(0),
            artifacts,
            writer: Mutex::new(writer),
            tally: Mutex::default(),
        }
    }

    /// Takes the tally of all jobs that ended.
    #[must_use]
    pub fn take_tally(&self) -> Tally {
        std::mem::take(&mut lock(&self.tally))
    }
}

impl BlockingStore for RunStore {
    fn next(&self) -> Result<Option<(Ticket, Job)>, StoreError> {
        let next = lock(&self.jobs).next();
        let next = next.map_err(|error: JobsError| StoreError {
            doing: "reading jobs".to_owned(),
            source: io::Error::other(error),
        })?;
        Ok(next.map(|job| (Ticket(self.given.fetch_add(1, Ordering::Relaxed)), job)))
    }

    fn secret(&self, name: &str) -> Result<String, StoreError> {
        let secret = self.secrets.get(name).map(|secret| secret.expose().to_owned());
        secret.map_err(|why| StoreError {
            doing: format!("looking up the secret `{name}`"),
            source: io::Error::other(why),
        })
    }

    fn keep(&self, ticket: Ticket, job: &JobId, artifact: &Artifact) -> Result<String, StoreError> {
        match &self.artifacts {
            Some(artifacts) => artifacts.keep(ticket, job, artifact),
            None => Err(StoreError {
                doing: "keeping a picture or PDF".to_owned(),
                source: io::Error::new(
                    io::ErrorKind::Unsupported,
                    "there is no place for it; name a directory with --out",
                ),
            }),
        }
    }

    fn record(&self, _: Ticket, record: &JobRecord) -> Result<(), StoreError> {
        lock(&self.writer).write(record)?;
        lock(&self.tally).add(record);
        Ok(())
    }

    fn release(&self, _: Ticket) -> Result<(), StoreError> {
        // The next run reads the whole file again.
        Ok(())
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
