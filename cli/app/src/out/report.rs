//! [`Report`]: a whole run in figures, which `report.json` contains and `report.html` shows.

use std::collections::BTreeMap;
use std::time::Duration;

use plimsoll_core::outcome::FailureClass;
use plimsoll_core::units::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

use super::changes::{Change, ChangeLog};
use super::history::History;
use super::seconds;
use super::spread::{Spread, SpreadMs};
use super::tally::{DriverTally, Example, IncidentTotals, Picture, SlowJob, Tally};
use super::waits::{WaitFigures, Waits};

/// The figures of the run as a whole, which cannot be gathered from single jobs.
#[derive(Debug, Clone, Default)]
pub struct RunFigures {
    /// Jobs that were submitted.
    pub submitted: u64,
    /// Jobs among them that did not end; a number above 0 is a bug.
    pub lost: u64,
    /// From the start of the run to the end of its last job.
    pub wall: Duration,
    /// The most contexts that held a permit at once.
    pub peak_active: u32,
    /// The most contexts that were being created at once.
    pub peak_creating: u32,
    /// How long contexts took from their admission until they were open.
    pub creations: Spread,
    /// The most memory that the browsers used; `None` when it could never be read.
    pub peak_memory: Option<Bytes>,
    /// Browsers that were started to replace a browser that ended.
    pub browser_restarts: u64,
    /// How often a breaker opened.
    pub breaker_trips: u64,
    /// Tasks of Plimsoll that panicked; a number above 0 is a bug.
    pub task_panics: u64,
    /// Processor time of this process, without its browsers.
    pub supervisor_cpu: Duration,
    /// When the run began, as RFC 3339 in UTC.
    pub started_at: String,
    /// The driver's name.
    pub driver: String,
    /// The browser's name and version, if they are known.
    pub browser: Option<String>,
    /// The main settings of the run, by their keys, such as `limits.max_contexts`.
    pub settings: Map<String, Value>,
    /// How the run went over time.
    pub history: History,
    /// What changed during the run.
    pub changes: ChangeLog,
    /// Why jobs waited.
    pub waits: Waits,
    /// The counts of each driver's own, by driver and name.
    pub counters: BTreeMap<String, BTreeMap<String, u64>>,
}

/// A whole run. Scripts rely on the first keys, up to `supervisor_cpu_s`.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    submitted: u64,
    succeeded: u64,
    failed: u64,
    cancelled: u64,
    expired: u64,
    rejected: u64,
    lost: u64,
    attempts: u64,
    wall_s: f64,
    /// Jobs that succeeded or failed, in each second of the run.
    jobs_per_s: f64,
    latency_ms: SpreadMs,
    peak_active: u32,
    peak_creating: u32,
    peak_memory_bytes: Option<Bytes>,
    browser_restarts: u64,
    breaker_trips: u64,
    supervisor_cpu_s: f64,

    task_panics: u64,
    /// From a context's admission until it was open.
    creation_ms: SpreadMs,
    /// Jobs that had more than one attempt.
    retried: u64,
    incidents: IncidentTotals,
    /// Why jobs waited, the longest wait first.
    waits: Vec<WaitFigures>,
    /// Where the jobs ended, by driver.
    drivers: BTreeMap<String, DriverTally>,
    /// What the drivers counted themselves, by driver and name.
    counters: BTreeMap<String, BTreeMap<String, u64>>,
    /// How many jobs failed, by class.
    classes: BTreeMap<FailureClass, u64>,
    started_at: String,
    driver: String,
    browser: Option<String>,
    settings: Map<String, Value>,
    /// Up to five failed jobs of each class.
    examples: BTreeMap<FailureClass, Vec<Example>>,
    slowest: Vec<SlowJob>,
    pub(super) pictures: Vec<Picture>,
    changes: Vec<Change>,
    changes_left_out: u64,
    curves: History,
}

impl Report {
    /// The report of a run with the results of its jobs in `tally`.
    #[must_use]
    pub fn new(tally: Tally, figures: RunFigures) -> Self {
        let ran = tally.succeeded + tally.failed;
        let wall_s = figures.wall.as_secs_f64();
        let jobs_per_s = if wall_s > 0.0 { (ran as f64 / wall_s * 1000.0).round() / 1000.0 } else { 0.0 };
        Self {
            submitted: figures.submitted,
            succeeded: tally.succeeded,
            failed: tally.failed,
            cancelled: tally.cancelled,
            expired: tally.expired,
            rejected: tally.rejected,
            lost: figures.lost,
            attempts: tally.attempts,
            wall_s: seconds(figures.wall),
            jobs_per_s,
            latency_ms: tally.latency(),
            peak_active: figures.peak_active,
            peak_creating: figures.peak_creating,
            peak_memory_bytes: figures.peak_memory,
            browser_restarts: figures.browser_restarts,
            breaker_trips: figures.breaker_trips,
            supervisor_cpu_s: seconds(figures.supervisor_cpu),
            task_panics: figures.task_panics,
            creation_ms: figures.creations.quantiles(),
            retried: tally.retried,
            incidents: tally.incidents,
            waits: figures.waits.figures(figures.wall),
            drivers: tally.drivers,
            counters: figures.counters,
            classes: tally.classes,
            started_at: figures.started_at,
            driver: figures.driver,
            browser: figures.browser,
            settings: figures.settings,
            examples: tally.examples,
            slowest: tally.slowest,
            pictures: tally.pictures,
            changes_left_out: figures.changes.left_out(),
            changes: figures.changes.into_kept(),
            curves: figures.history,
        }
    }

    /// The run in a line or two, for a terminal.
    #[must_use]
    pub fn summary(&self) -> String {
        let Self { submitted, succeeded, wall_s, jobs_per_s, lost, .. } = self;
        let mut text = format!(
            "{succeeded} of {submitted} succeeded in {wall_s:.1} s ({jobs_per_s:.1} jobs/s), lost: {lost}"
        );
        for (count, name) in
            [(self.cancelled, "cancelled"), (self.expired, "expired"), (self.rejected, "rejected")]
        {
            if count > 0 {
                text += &format!(", {name}: {count}");
            }
        }
        if self.failed > 0 {
            let classes: Vec<_> =
                self.classes.iter().map(|(class, count)| format!("{class} {count}")).collect();
            text += &format!("\n{} failed: {}", self.failed, classes.join(", "));
        }
        text
    }
}
