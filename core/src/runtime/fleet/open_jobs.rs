//! [`OpenJobs`]: the unfinished jobs of a fleet, each with the store's ticket and the output of its last attempt.

use std::collections::HashMap;
use std::sync::Arc;

use crate::id::{JobSeq, Ticket};
use crate::job::Job;
use crate::outcome::Outcome;
use crate::port::JobRecord;
use crate::runtime::attempt::AttemptOutput;
use crate::runtime::result_memory::{Held, ResultMemory};
use crate::secret_mark::shown;
use crate::time::Moment;

/// The jobs that have not ended.
pub(super) struct OpenJobs {
    /// The name of the driver in the records.
    driver: Arc<str>,
    jobs: HashMap<JobSeq, OpenJob>,
    /// The memory of all their data.
    results: ResultMemory,
    next: u64,
}

struct OpenJob {
    ticket: Ticket,
    job: Arc<Job>,
    first_start: Option<Moment>,
    last_end: Option<Moment>,
    output: AttemptOutput,
}

impl OpenJobs {
    /// An empty set of jobs; their records will name this driver.
    pub(super) fn of(driver: Arc<str>) -> Self {
        Self { driver, jobs: HashMap::new(), results: ResultMemory::default(), next: 0 }
    }

    /// The name of the driver in the records.
    pub(super) fn driver(&self) -> Arc<str> {
        Arc::clone(&self.driver)
    }

    /// Counts the memory of the data of an attempt.
    pub(super) fn results(&self) -> ResultMemory {
        self.results.clone()
    }

    /// Adds a job and gives it a number.
    pub(super) fn add(&mut self, ticket: Ticket, job: Job) -> JobSeq {
        let seq = JobSeq(self.next);
        self.next += 1;
        let job = Arc::new(job);
        let open =
            OpenJob { ticket, job, first_start: None, last_end: None, output: AttemptOutput::default() };
        self.jobs.insert(seq, open);
        seq
    }

    /// Records the start of an attempt and returns its job.
    pub(super) fn begin(&mut self, seq: JobSeq, now: Moment) -> Option<(Ticket, Arc<Job>)> {
        let open = self.jobs.get_mut(&seq)?;
        open.first_start.get_or_insert(now);
        Some((open.ticket, Arc::clone(&open.job)))
    }

    /// Replaces the output of earlier attempts by the output of this attempt.
    pub(super) fn attempt_ended(&mut self, seq: JobSeq, finished: Moment, output: AttemptOutput) {
        if let Some(open) = self.jobs.get_mut(&seq) {
            open.last_end = Some(finished);
            open.output = output;
        }
    }

    /// Removes a job that has ended and returns its record, with the memory that its data takes.
    pub(super) fn end(
        &mut self,
        seq: JobSeq,
        outcome: Outcome,
        attempts: u32,
    ) -> Option<(Ticket, JobRecord, Held)> {
        let OpenJob { ticket, job, first_start, last_end, output } = self.jobs.remove(&seq)?;
        let elapsed = last_end.zip(first_start).map(|(end, start)| end.since(start)).unwrap_or_default();
        let record = JobRecord {
            id: job.id.clone(),
            driver: Arc::clone(&self.driver),
            fell_back_from: Vec::new(),
            url: job.start.as_ref().map(|goto| shown(&goto.url.to_string()).into_owned()),
            outcome,
            attempts,
            elapsed,
            data: output.data,
            artifacts: output.artifacts,
            status: output.status,
            incidents: output.incidents,
        };
        Some((ticket, record, output.held))
    }
}
