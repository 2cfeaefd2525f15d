//! [`Tally`]: the report's figures about jobs, gathered job by job in bounded memory.

use std::collections::BTreeMap;

use plimsoll_core::id::JobId;
use plimsoll_core::outcome::{FailureClass, Outcome};
use plimsoll_core::port::{Incidents, JobRecord};
use serde::Serialize;

use super::spread::{Spread, SpreadMs};

/// How many failed jobs of each class are listed.
const EXAMPLES: usize = 5;
/// How many of the slowest jobs are listed.
const SLOWEST: usize = 20;
/// How many pictures are shown: the first ones.
const PICTURES: usize = 24;
/// How much of a URL or a message is kept, in characters.
const MAX_TEXT: usize = 500;

/// The results of the jobs that have ended.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    pub(super) succeeded: u64,
    pub(super) failed: u64,
    pub(super) cancelled: u64,
    pub(super) expired: u64,
    pub(super) rejected: u64,
    pub(super) attempts: u64,
    pub(super) retried: u64,
    pub(super) incidents: IncidentTotals,
    pub(super) classes: BTreeMap<FailureClass, u64>,
    pub(super) examples: BTreeMap<FailureClass, Vec<Example>>,
    pub(super) slowest: Vec<SlowJob>,
    pub(super) pictures: Vec<Picture>,
    /// By driver; there are as many entries as configured drivers.
    pub(super) drivers: BTreeMap<String, DriverTally>,
    /// The latency of jobs that ran.
    latency: Spread,
}

/// The results of the jobs of one driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct DriverTally {
    /// Jobs that ended on it.
    pub ended: u64,
    /// Jobs among them that succeeded.
    pub succeeded: u64,
    /// Jobs that failed on it and went to another driver.
    pub fell_back: u64,
}

/// Incidents on the pages of all jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct IncidentTotals {
    /// Dialogs that were answered.
    pub dialogs: u64,
    /// Popups that were closed.
    pub popups: u64,
    /// Downloads that were refused.
    pub downloads: u64,
}

/// A job that failed, as an example of its class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    /// The job's id.
    pub id: JobId,
    /// The URL of its first page; cut after 500 characters.
    pub url: Option<String>,
    /// The stage in which it failed.
    pub stage: String,
    /// The failure's message; cut after 500 characters.
    pub message: String,
}

/// One of the slowest jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlowJob {
    /// The job's id.
    pub id: JobId,
    /// The URL of its first page; cut after 500 characters.
    pub url: Option<String>,
    /// How it ended.
    pub outcome: &'static str,
    /// How many attempts were made.
    pub attempts: u32,
    /// From the start of the first attempt to the end of the last, in milliseconds.
    pub ms: u64,
}

/// A picture that a job took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Picture {
    /// The job's id.
    pub id: JobId,
    /// The file, relative to the output directory.
    pub artifact: String,
}

impl Tally {
    /// Counts a job that ended, and each driver that failed it before.
    pub fn add(&mut self, record: &JobRecord) {
        self.count_outcome(record);
        record.fell_back_from.iter().for_each(|driver| self.driver(driver).fell_back += 1);
        let of_driver = self.driver(&record.driver);
        of_driver.ended += 1;
        of_driver.succeeded += u64::from(record.outcome == Outcome::Succeeded);
        self.attempts += u64::from(record.attempts);
        self.retried += u64::from(record.attempts > 1);
        let Incidents { dialogs, popups, downloads } = record.incidents;
        self.incidents.dialogs += u64::from(dialogs);
        self.incidents.popups += u64::from(popups);
        self.incidents.downloads += u64::from(downloads);
        if record.attempts > 0 {
            self.latency.record(record.elapsed);
            self.rank(record);
        }
        let room = PICTURES - self.pictures.len();
        let pictures =
            record.artifacts.iter().filter(|name| name.ends_with(".png") || name.ends_with(".jpg"));
        self.pictures.extend(
            pictures.take(room).map(|name| Picture { id: record.id.clone(), artifact: name.clone() }),
        );
    }

    fn driver(&mut self, name: &str) -> &mut DriverTally {
        self.drivers.entry(name.to_owned()).or_default()
    }

    /// The number of jobs that were counted.
    #[must_use]
    pub const fn jobs(&self) -> u64 {
        self.succeeded + self.failed + self.cancelled + self.expired + self.rejected
    }

    /// Whether every job that was counted succeeded.
    #[must_use]
    pub const fn all_succeeded(&self) -> bool {
        self.jobs() == self.succeeded
    }

    /// How long the jobs that ran took.
    #[must_use]
    pub fn latency(&self) -> SpreadMs {
        self.latency.quantiles()
    }

    fn count_outcome(&mut self, record: &JobRecord) {
        let failure = match &record.outcome {
            Outcome::Succeeded => return self.succeeded += 1,
            Outcome::Cancelled => return self.cancelled += 1,
            Outcome::Expired => return self.expired += 1,
            Outcome::Rejected => return self.rejected += 1,
            Outcome::Failed(failure) => failure,
        };
        self.failed += 1;
        *self.classes.entry(failure.fault.class).or_default() += 1;
        let examples = self.examples.entry(failure.fault.class).or_default();
        if examples.len() < EXAMPLES {
            examples.push(Example {
                id: record.id.clone(),
                url: record.url.as_deref().map(cut),
                stage: failure.place(),
                message: cut(&failure.fault.message),
            });
        }
    }

    fn rank(&mut self, record: &JobRecord) {
        let ms = u64::try_from(record.elapsed.as_millis()).unwrap_or(u64::MAX);
        // Among jobs that took equally long, the job that ended first stays ahead.
        let place = self.slowest.partition_point(|slow| slow.ms >= ms);
        if place < SLOWEST {
            self.slowest.truncate(SLOWEST - 1);
            let job = SlowJob {
                id: record.id.clone(),
                url: record.url.as_deref().map(cut),
                outcome: record.outcome.name(),
                attempts: record.attempts,
                ms,
            };
            self.slowest.insert(place, job);
        }
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use plimsoll_core::outcome::{Fault, Stage};
    use proptest::prelude::*;
    use serde_json::Map;

    use super::*;

    fn record(n: u64, ms: u64, outcome: Outcome) -> JobRecord {
        JobRecord {
            id: JobId::try_from(format!("job-{n}")).expect("a plain id"),
            url: None,
            outcome,
            driver: "cdp".into(),
            fell_back_from: Vec::new(),
            attempts: 1,
            elapsed: Duration::from_millis(ms),
            data: Map::new(),
            artifacts: vec![format!("artifacts/job-{n}-{n}-1.png"), format!("artifacts/job-{n}-{n}-2.pdf")],
            status: None,
            incidents: Incidents { dialogs: 1, popups: 0, downloads: 2 },
        }
    }

    fn failed(message: &str) -> Outcome {
        Outcome::Failed(Fault::transient(FailureClass::Timeout, message).at(Stage::Create))
    }

    proptest! {
        #[test]
        fn the_slowest_are_those_of_a_full_sort(times in prop::collection::vec(0u64..100, 0..200)) {
            let mut tally = Tally::default();
            for (n, &ms) in (0..).zip(&times) {
                tally.add(&record(n, ms, Outcome::Succeeded));
            }
            let mut expected: Vec<_> = (0u64..).zip(times.iter().copied()).collect();
            expected.sort_by_key(|&(n, ms)| (std::cmp::Reverse(ms), n));
            expected.truncate(SLOWEST);
            let ranked: Vec<_> = tally.slowest.iter().map(|slow| (slow.id.to_string(), slow.ms)).collect();
            prop_assert_eq!(ranked, expected.into_iter().map(|(n, ms)| (format!("job-{n}"), ms)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn memory_stays_bounded_over_many_jobs() {
        let mut tally = Tally::default();
        for n in 0..10_000 {
            tally.add(&record(
                n,
                n,
                if n % 4 == 0 { failed(&"long ".repeat(1000)) } else { Outcome::Succeeded },
            ));
        }
        assert_eq!((tally.succeeded, tally.failed, tally.jobs()), (7500, 2500, 10_000));
        assert_eq!(tally.classes[&FailureClass::Timeout], 2500);
        let examples = &tally.examples[&FailureClass::Timeout];
        assert_eq!(examples.len(), EXAMPLES);
        assert_eq!(
            (examples[0].stage.as_str(), examples[0].message.chars().count()),
            ("create", MAX_TEXT + 1)
        );
        assert_eq!(tally.pictures.len(), PICTURES);
        assert!(tally.pictures.iter().all(|picture| picture.artifact.ends_with(".png")));
        assert_eq!(tally.incidents, IncidentTotals { dialogs: 10_000, popups: 0, downloads: 20_000 });
    }

    #[test]
    fn jobs_that_never_ran_have_no_latency() {
        let mut tally = Tally::default();
        tally.add(&JobRecord { attempts: 0, ..record(0, 0, Outcome::Expired) });
        assert_eq!(tally.latency(), SpreadMs::default());
        assert!(tally.slowest.is_empty() && !tally.all_succeeded());
        tally.add(&record(1, u64::MAX, Outcome::Succeeded));
        assert!(tally.latency().p50.is_some_and(f64::is_finite));
    }
}
