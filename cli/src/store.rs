//! The store of `plimsoll run`: jobs come from a file, results go to a directory or to standard output.

use std::io;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use plimsoll_core::id::{JobId, JobSeq};
use plimsoll_core::job::Job;
use plimsoll_core::port::{Artifact, JobRecord, Store, StoreError};

use crate::jobs::{JobFile, JobsError};
use crate::out::{Artifacts, OutDir, OutError, ResultsWriter, Tally};

/// Jobs in, results out.
#[derive(Debug)]
pub struct RunStore {
    jobs: Mutex<JobFile>,
    /// `None` when there is no output directory to keep pictures in.
    artifacts: Option<Artifacts>,
    ended: Mutex<Ended>,
}

/// What is known of the jobs that ended.
#[derive(Debug)]
struct Ended {
    writer: ResultsWriter,
    tally: Tally,
}

impl RunStore {
    /// A store that writes to `out`, or to standard output.
    ///
    /// # Errors
    /// When the results file cannot be written.
    pub fn new(jobs: JobFile, out: Option<&OutDir>) -> Result<Self, OutError> {
        let writer = out.map_or_else(|| Ok(ResultsWriter::stdout()), OutDir::results)?;
        Ok(Self {
            jobs: Mutex::new(jobs),
            artifacts: out.map(OutDir::artifacts),
            ended: Mutex::new(Ended { writer, tally: Tally::default() }),
        })
    }

    /// Takes the tally of all jobs that ended.
    #[must_use]
    pub fn take_tally(&self) -> Tally {
        std::mem::take(&mut self.ended.lock().unwrap_or_else(PoisonError::into_inner).tally)
    }
}

#[async_trait]
impl Store for RunStore {
    async fn next(&self) -> Result<Option<Job>, StoreError> {
        let next = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
        next.map_err(|error: JobsError| StoreError {
            doing: "reading jobs".to_owned(),
            source: io::Error::other(error),
        })
    }

    async fn keep(&self, job: &JobId, seq: JobSeq, artifact: Artifact) -> Result<String, StoreError> {
        match &self.artifacts {
            Some(artifacts) => artifacts.keep(job, seq, &artifact),
            None => Err(StoreError {
                doing: "keeping a picture or PDF".to_owned(),
                source: io::Error::other("there is no place for it; name a directory with --out"),
            }),
        }
    }

    async fn record(&self, record: JobRecord) -> Result<(), StoreError> {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.writer.write(&record)?;
        ended.tally.add(&record);
        Ok(())
    }
}
