//! [`Figures`]: the report's figures that are gathered during a run: curves, peaks, changes, waits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plimsoll_core::policy::{Announcement, Wait};
use plimsoll_core::port::Observer;
use plimsoll_core::runtime::fleet::FleetReport;
use plimsoll_core::runtime::snapshot::Snapshot;
use plimsoll_core::time::Moment;
use serde_json::Map;

use crate::out::{ChangeKind, ChangeLog, History, RunFigures, Sample, Spread};
use plimsoll::Ceilings;
use plimsoll::settings::Settings;

/// The time between two samples of the curves.
const SAMPLE_EVERY: Duration = Duration::from_millis(250);

/// The figures of a run in progress.
#[derive(Debug)]
pub struct Figures {
    total: u64,
    /// The snapshot that was sampled last.
    last: Option<Snapshot>,
    /// When the state was read last, and why jobs waited then.
    waiting: (Duration, Option<Wait>),
    /// Lost browsers that are already in the log of changes. There are more snapshots than samples.
    known_restarts: u64,
    changes: Arc<Changes>,
    figures: RunFigures,
}

/// Announcements of the engine, for the log and the report.
#[derive(Debug, Default)]
pub struct Changes {
    log: Mutex<ChangeLog>,
    creations: Mutex<Spread>,
}

impl Changes {
    fn push(&self, at: Duration, kind: ChangeKind, text: String) {
        held(&self.log).push(at, kind, text);
    }
}

/// Locks, also after a thread panicked with the lock held: each change of the value is complete in itself.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Observer for Changes {
    fn announced(&self, at: Moment, announcement: &Announcement) {
        let kind = match announcement {
            Announcement::Pressure(_) | Announcement::Evicted(_) => ChangeKind::Pressure,
            Announcement::Breaker(..) => ChangeKind::Breaker,
            Announcement::Nearing { .. } => ChangeKind::Limit,
        };
        match kind {
            // Reaching the limit is normal for a batch: log at info.
            ChangeKind::Limit => tracing::info!("{announcement}"),
            _ => tracing::warn!("{announcement}"),
        }
        self.push(at.elapsed(), kind, announcement.to_string());
    }

    fn opened(&self, took: Duration) {
        held(&self.creations).record(took);
    }
}

impl Figures {
    /// The figures at the start of a run, with the effective limits, and each driver's name and browser.
    #[must_use]
    pub fn open(
        settings: &Settings,
        ceilings: Ceilings,
        drivers: &[(String, Option<String>)],
        started_at: String,
        total: u64,
    ) -> Self {
        let written = |key: &str, value: serde_json::Value| (key.to_owned(), value);
        let shaping = Map::from_iter([
            written("limits.policy", serde_json::to_value(settings.limits.policy).unwrap_or_default()),
            written("limits.max_contexts", ceilings.contexts.into()),
            written("limits.max_creating", ceilings.creating.into()),
            written("retry.attempts", settings.retry.attempts.into()),
            written("driver.cdp.contexts_per_browser", settings.driver.cdp.contexts_per_browser.into()),
            written("driver.cdp.sandbox", settings.driver.cdp.sandbox.into()),
        ]);
        let mut history = History::default();
        history.push(Sample { queued: total, ..Sample::default() });
        let figures = RunFigures {
            started_at,
            driver: drivers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", "),
            browser: drivers.iter().find_map(|(_, about)| about.clone()),
            settings: shaping,
            history,
            ..RunFigures::default()
        };
        Self {
            total,
            last: None,
            waiting: (Duration::ZERO, None),
            known_restarts: 0,
            changes: Arc::default(),
            figures,
        }
    }

    /// The observer to which the engine announces changes.
    #[must_use]
    pub fn changes(&self) -> Arc<Changes> {
        Arc::clone(&self.changes)
    }

    /// Records the engine's state.
    pub fn sample(&mut self, now: &Snapshot) {
        let lost = now.browser_restarts.saturating_sub(self.known_restarts);
        if lost > 0 {
            let text = format!("{lost} lost, {} in all", now.browser_restarts);
            self.changes.push(now.at, ChangeKind::Browser, text);
            self.known_restarts = now.browser_restarts;
        }
        let (since, wait) = std::mem::replace(&mut self.waiting, (now.at, now.waiting_for.clone()));
        if let Some(wait) = wait {
            self.figures.waits.add(&wait, now.at.saturating_sub(since));
        }
        if self.last.as_ref().is_none_or(|last| now.at.saturating_sub(last.at) >= SAMPLE_EVERY) {
            self.push(now);
            self.last = Some(now.clone());
        }
    }

    /// The figures of a run that ended, with the CPU time of this process.
    #[must_use]
    pub fn close(mut self, report: &FleetReport, supervisor_cpu: Option<Duration>) -> RunFigures {
        // The curves of a short run, too, need a beginning and an end.
        self.figures.history.push(Sample {
            at: report.wall,
            limit: self.last.as_ref().map(|last| last.active_limit),
            creation_limit: self.last.as_ref().map(|last| last.creation_limit),
            queued: self.total.saturating_sub(report.jobs.ended()),
            done: report.jobs.ended(),
            failed: report.jobs.failed,
            ..Sample::default()
        });
        self.figures.submitted = report.jobs.submitted;
        self.figures.lost = report.jobs.lost();
        self.figures.wall = report.wall;
        self.figures.peak_active = report.peaks.active;
        self.figures.peak_creating = report.peaks.creating;
        self.figures.browser_restarts = report.browser_restarts;
        self.figures.breaker_trips = report.breaker_trips;
        self.figures.changes = std::mem::take(&mut *held(&self.changes.log));
        self.figures.creations = std::mem::take(&mut *held(&self.changes.creations));
        self.figures.supervisor_cpu = supervisor_cpu.unwrap_or_default();
        self.figures.task_panics = report.panics;
        self.figures.counters = report.counters.clone();
        self.figures.counters.retain(|_, counts| !counts.is_empty());
        self.figures
    }

    fn push(&mut self, now: &Snapshot) {
        let jobs = &now.jobs;
        self.figures.peak_memory = self.figures.peak_memory.max(now.memory);
        self.figures.history.push(Sample {
            at: now.at,
            active: now.active,
            creating: now.creating,
            limit: Some(now.active_limit),
            creation_limit: Some(now.creation_limit),
            queued: self.total.saturating_sub(jobs.ended() + jobs.running),
            done: jobs.ended(),
            failed: jobs.failed,
            memory: now.memory,
            browsers: now.browsers,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::out::{Report, Tally};

    #[test]
    fn a_lost_browser_is_logged_once_however_often_the_state_is_sampled() {
        let mut figures =
            Figures::open(&Settings::default(), Ceilings { contexts: 1, creating: 1 }, &[], String::new(), 1);
        for (ms, browser_restarts) in [(0, 0), (100, 1), (200, 1), (300, 1), (400, 3), (500, 3)] {
            let at = Duration::from_millis(ms);
            figures.sample(&Snapshot { at, browser_restarts, ..Snapshot::default() });
        }
        let changes = figures.close(&FleetReport::default(), None).changes.into_kept();
        let told: Vec<_> = changes.iter().map(|change| change.text.as_str()).collect();
        assert_eq!(told, ["1 lost, 1 in all", "2 lost, 3 in all"]);
    }

    #[test]
    fn the_counts_of_drivers_reach_the_report() {
        let figures =
            Figures::open(&Settings::default(), Ceilings { contexts: 1, creating: 1 }, &[], String::new(), 1);
        let counted = [("http.requests".to_owned(), 7)].into();
        let report = FleetReport {
            counters: [("cdp".to_owned(), BTreeMap::new()), ("http".to_owned(), counted)].into(),
            ..FleetReport::default()
        };
        let report = Report::new(Tally::default(), figures.close(&report, None));
        let written = serde_json::to_value(report).expect("plain data");
        assert_eq!(written["counters"], serde_json::json!({"http": {"http.requests": 7}}));
    }

    #[test]
    fn the_time_between_two_states_counts_for_the_reason_of_the_first() {
        let mut figures =
            Figures::open(&Settings::default(), Ceilings { contexts: 1, creating: 1 }, &[], String::new(), 1);
        let full = Some(Wait::Active { in_flight: 1, limit: 1 });
        for (ms, waiting_for) in [(0, None), (100, full.clone()), (300, full), (1_000, None), (5_000, None)] {
            figures.sample(&Snapshot { at: Duration::from_millis(ms), waiting_for, ..Snapshot::default() });
        }
        let waits = figures.close(&FleetReport::default(), None).waits.figures(Duration::from_secs(10));
        assert_eq!(
            waits.iter().map(|wait| (wait.reason, wait.s)).collect::<Vec<_>>(),
            [("active_limit", 0.9)]
        );
    }
}
