//! [`Tally`]: what a report tells about jobs, gathered job by job in bounded memory.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use plimsoll_core::id::JobId;
use plimsoll_core::outcome::{FailureClass, Outcome};
use plimsoll_core::port::{Incidents, JobRecord};
use serde::Serialize;

/// How many failed jobs of each class are told of.
const EXAMPLES: usize = 5;
/// How many of the slowest jobs are told of.
const SLOWEST: usize = 20;
/// How many pictures are shown: the first ones.
const PICTURES: usize = 24;
/// How much of a URL or a message is kept, in characters.
const MAX_TEXT: usize = 500;
/// Jobs that took longer count as having taken this long.
const MAX_LATENCY: Duration = Duration::from_secs(7 * 24 * 3600);

/// What the jobs that ended so far came to.
#[derive(Debug, Clone)]
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
    /// Of the jobs that ran, in microseconds.
    latency: Histogram<u64>,
}

/// What pages tried, over all jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct IncidentTotals {
    /// Dialogs that were answered.
    pub dialogs: u64,
    /// Popups that were closed.
    pub popups: u64,
    /// Downloads that were refused.
    pub downloads: u64,
}

/// A job that failed, for people who want to know why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    /// What the user calls it.
    pub id: JobId,
    /// The page it was to open first; cut after 500 characters.
    pub url: Option<String>,
    /// Where it was.
    pub stage: String,
    /// What happened; cut after 500 characters.
    pub message: String,
}

/// One of the slowest jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlowJob {
    /// What the user calls it.
    pub id: JobId,
    /// The page it was to open first; cut after 500 characters.
    pub url: Option<String>,
    /// How it ended.
    pub outcome: &'static str,
    /// How many attempts were made.
    pub attempts: u32,
    /// From the start of the first attempt to the end of the last, in milliseconds.
    pub ms: u64,
}

/// A picture that a job brought back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Picture {
    /// The job.
    pub id: JobId,
    /// The file, relative to the output directory.
    pub artifact: String,
}

/// How long jobs took, in milliseconds; nothing when none ran.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LatencyMs {
    /// Half of the jobs took no longer.
    pub p50: Option<f64>,
    /// 95 % of the jobs took no longer.
    pub p95: Option<f64>,
    /// 99 % of the jobs took no longer.
    pub p99: Option<f64>,
}

impl Default for Tally {
    fn default() -> Self {
        // Three digits: 0.1 % of a value is far below what runs differ by. It takes a quarter of a MiB.
        let latency =
            Histogram::new_with_bounds(1, micros(MAX_LATENCY), 3).expect("constant bounds that are in order");
        Self {
            succeeded: 0,
            failed: 0,
            cancelled: 0,
            expired: 0,
            rejected: 0,
            attempts: 0,
            retried: 0,
            incidents: IncidentTotals::default(),
            classes: BTreeMap::new(),
            examples: BTreeMap::new(),
            slowest: Vec::new(),
            pictures: Vec::new(),
            latency,
        }
    }
}

impl Tally {
    /// Counts a job that ended.
    pub fn add(&mut self, record: &JobRecord) {
        self.count_outcome(record);
        self.attempts += u64::from(record.attempts);
        self.retried += u64::from(record.attempts > 1);
        let Incidents { dialogs, popups, downloads } = record.incidents;
        self.incidents.dialogs += u64::from(dialogs);
        self.incidents.popups += u64::from(popups);
        self.incidents.downloads += u64::from(downloads);
        if record.attempts > 0 {
            self.latency.saturating_record(micros(record.elapsed));
            self.rank(record);
        }
        let room = PICTURES - self.pictures.len();
        let pictures =
            record.artifacts.iter().filter(|name| name.ends_with(".png") || name.ends_with(".jpg"));
        self.pictures.extend(
            pictures.take(room).map(|name| Picture { id: record.id.clone(), artifact: name.clone() }),
        );
    }

    /// How many jobs were counted.
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
    pub fn latency(&self) -> LatencyMs {
        let quantile = |q: f64| {
            (!self.latency.is_empty()).then(|| {
                let micros = self.latency.value_at_quantile(q).min(self.latency.max());
                (micros as f64 / 100.0).round() / 10.0
            })
        };
        LatencyMs { p50: quantile(0.50), p95: quantile(0.95), p99: quantile(0.99) }
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
                stage: failure.stage.to_string(),
                message: cut(&failure.fault.message),
            });
        }
    }

    fn rank(&mut self, record: &JobRecord) {
        let ms = u64::try_from(record.elapsed.as_millis()).unwrap_or(u64::MAX);
        // Of equals, the one that ended first stays ahead.
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

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_core::id::JobSeq;
    use plimsoll_core::outcome::{Fault, Stage};
    use proptest::prelude::*;
    use serde_json::Map;

    use super::*;

    fn record(n: u64, ms: u64, outcome: Outcome) -> JobRecord {
        JobRecord {
            seq: JobSeq(n),
            id: JobId::try_from(format!("job-{n}")).expect("a plain id"),
            url: None,
            outcome,
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

        #[test]
        fn quantiles_are_those_of_the_jobs_to_three_digits(times in prop::collection::vec(1u64..100_000, 1..300)) {
            let mut tally = Tally::default();
            times.iter().for_each(|&ms| tally.add(&record(0, ms, Outcome::Succeeded)));
            let mut sorted = times;
            sorted.sort_unstable();
            for (q, measured) in [(0.50, tally.latency().p50), (0.99, tally.latency().p99)] {
                let rank = ((sorted.len() as f64 * q).ceil() as usize).clamp(1, sorted.len());
                let (true_ms, measured) = (sorted[rank - 1] as f64, measured.expect("jobs ran"));
                prop_assert!((measured - true_ms).abs() <= true_ms * 0.001 + 0.1, "{} for {}", measured, true_ms);
            }
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
        assert_eq!(tally.latency(), LatencyMs { p50: None, p95: None, p99: None });
        assert!(tally.slowest.is_empty() && !tally.all_succeeded());
        tally.add(&record(1, u64::MAX, Outcome::Succeeded));
        assert!(tally.latency().p50.is_some_and(f64::is_finite));
    }
}
