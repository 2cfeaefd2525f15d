//! [`Rule`]: what opens a closed breaker, and [`Evidence`]: what it has seen so far.
//!
//! Only bad news opens a breaker. A success may complete the minimum of calls, but to trip at that instant would
//! punish the first sign of recovery.

use std::time::Duration;

use crate::policy::leaky::{Leaky, LeakyConfig};
use crate::policy::window::{Counts, Verdict, Window};
use crate::time::Moment;
use crate::units::Ratio;

/// What opens a closed breaker.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// Too large a share, or too many, of the recent calls went wrong.
    Rates(Rates),
    /// Failures outweighed successes for long: see `leaky`.
    Leaky(LeakyConfig),
}

/// Thresholds over a time window; any one that is reached (≥) opens the breaker.
#[derive(Debug, Clone, PartialEq)]
pub struct Rates {
    /// How far back the rates look.
    pub window: Duration,
    /// With fewer calls in the window than this, the two rates mean nothing.
    pub min_calls: u32,
    /// Share of calls that failed.
    pub failure_rate: Option<Ratio>,
    /// Share of calls that took too long, failed or not.
    pub slow_rate: Option<Ratio>,
    /// Number of failures in the window, however many calls succeeded.
    pub failures: Option<u32>,
    /// Number of failures with no other answer between them, however long they took to come.
    pub in_a_row: Option<u32>,
}

/// Half of at least 10 calls within 30 s: resilience4j's rate with a minimum that a browser fleet can reach (its own
/// minimum of 100 calls would never be, at a few calls a second). Slow calls count from 80 %.
impl Default for Rates {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(30),
            min_calls: 10,
            failure_rate: Some(Ratio::percent(50)),
            slow_rate: Some(Ratio::percent(80)),
            failures: None,
            in_a_row: None,
        }
    }
}

/// Why a breaker opened.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum TripReason {
    /// [`Rates::failure_rate`] was reached.
    #[error("{failures} of {calls} calls failed (limit {limit})", failures = counts.failures, calls = counts.calls)]
    FailureRate {
        /// The window at that moment.
        counts: Counts,
        /// The rate that was reached.
        limit: Ratio,
    },
    /// [`Rates::slow_rate`] was reached.
    #[error("{slow} of {calls} calls were too slow (limit {limit})", slow = counts.slow, calls = counts.calls)]
    SlowRate {
        /// The window at that moment.
        counts: Counts,
        /// The rate that was reached.
        limit: Ratio,
    },
    /// [`Rates::failures`] was reached.
    #[error("{0} calls failed within the window")]
    Failures(u32),
    /// [`Rates::in_a_row`] was reached.
    #[error("{0} calls failed in a row")]
    InARow(u32),
    /// [`LeakyConfig::trips_at`] was reached.
    #[error("failed_count reached {0}")]
    Leaky(u32),
    /// A probe went wrong while the breaker was half-open.
    #[error("a probe failed")]
    ProbeFailed,
}

/// What a closed breaker has seen.
#[derive(Debug, Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "of thousands of breakers only the one fuse is the small variant"
)]
pub(super) enum Evidence {
    Rates { rates: Rates, window: Window, in_a_row: u32 },
    Leaky(Leaky),
}

impl Evidence {
    pub(super) fn new(rule: Rule) -> Self {
        match rule {
            Rule::Rates(rates) => Self::Rates { window: Window::new(rates.window), rates, in_a_row: 0 },
            Rule::Leaky(config) => Self::Leaky(Leaky::new(config)),
        }
    }

    /// Counts one call; returns why the breaker must open, if it must.
    pub(super) fn record(&mut self, now: Moment, verdict: Verdict) -> Option<TripReason> {
        match self {
            Self::Rates { rates, window, in_a_row } => {
                window.record(now, verdict);
                match verdict {
                    Verdict::Ignored => return None,
                    Verdict::Failure | Verdict::TimedOut => *in_a_row = in_a_row.saturating_add(1),
                    Verdict::Success | Verdict::Slow => *in_a_row = 0,
                }
                let is_bad = verdict.is_failure() || verdict.is_slow();
                if is_bad { rates.reached(window.counts(now), *in_a_row) } else { None }
            }
            Self::Leaky(leaky) => {
                leaky.record(now, verdict);
                let trips = verdict.is_failure() && leaky.has_tripped(now);
                trips.then(|| TripReason::Leaky(leaky.trips_at()))
            }
        }
    }

    /// What a passed probation leaves of it.
    pub(super) fn ease(&mut self, now: Moment) {
        match self {
            Self::Rates { window, in_a_row, .. } => {
                window.clear();
                *in_a_row = 0;
            }
            Self::Leaky(leaky) => leaky.ease(now),
        }
    }

    /// The counts to show: calls and failures of the window, or the leaky count as failures.
    pub(super) fn counts(&self, now: Moment) -> Counts {
        match self {
            Self::Rates { window, .. } => window.counts(now),
            Self::Leaky(leaky) => Counts { failures: leaky.failed_count(now), ..Counts::default() },
        }
    }

    /// Whether a slow answer is bad news under this rule.
    pub(super) const fn minds_slowness(&self) -> bool {
        matches!(self, Self::Rates { rates: Rates { slow_rate: Some(_), .. }, .. })
    }
}

impl Rates {
    fn reached(&self, counts: Counts, in_a_row: u32) -> Option<TripReason> {
        if self.in_a_row.is_some_and(|limit| in_a_row >= limit.max(1)) {
            return Some(TripReason::InARow(in_a_row));
        }
        if self.failures.is_some_and(|limit| counts.failures >= limit.max(1)) {
            return Some(TripReason::Failures(counts.failures));
        }
        if counts.calls < self.min_calls {
            return None;
        }
        let failing =
            self.failure_rate.filter(|limit| counts.failures > 0 && counts.failure_rate() >= *limit);
        let slow = self.slow_rate.filter(|limit| counts.slow > 0 && counts.slow_rate() >= *limit);
        failing
            .map(|limit| TripReason::FailureRate { counts, limit })
            .or_else(|| slow.map(|limit| TripReason::SlowRate { counts, limit }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(rates: Rates, verdicts: &[Verdict]) -> Option<TripReason> {
        let mut evidence = Evidence::new(Rule::Rates(rates));
        verdicts.iter().fold(None, |why, verdict| evidence.record(Moment::ZERO, *verdict).or(why))
    }

    #[test]
    fn the_threshold_itself_trips_and_one_call_fewer_does_not() {
        let mut verdicts = vec![Verdict::Success; 5];
        verdicts.extend([Verdict::Failure; 4]);
        assert_eq!(feed(Rates::default(), &verdicts), None, "9 calls are too few");
        verdicts.push(Verdict::Failure);
        let counts = Counts { calls: 10, failures: 5, slow: 0 };
        let limit = Ratio::percent(50);
        assert_eq!(feed(Rates::default(), &verdicts), Some(TripReason::FailureRate { counts, limit }));
    }

    #[test]
    fn a_success_never_trips_even_when_it_completes_the_minimum() {
        let mut verdicts = vec![Verdict::Failure; 9];
        verdicts.push(Verdict::Success);
        assert_eq!(feed(Rates::default(), &verdicts), None);
    }

    #[test]
    fn slow_answers_trip_by_their_own_rate_and_timeouts_by_either() {
        assert!(matches!(feed(Rates::default(), &[Verdict::Slow; 10]), Some(TripReason::SlowRate { .. })));
        let only_slow = Rates { failure_rate: None, ..Rates::default() };
        assert!(matches!(feed(only_slow, &[Verdict::TimedOut; 10]), Some(TripReason::SlowRate { .. })));
    }

    #[test]
    fn a_row_is_broken_by_any_answer_but_not_by_silence() {
        let rates = Rates { in_a_row: Some(3), ..Rates::default() };
        let (bad, good, none) = (Verdict::Failure, Verdict::Success, Verdict::Ignored);
        assert_eq!(feed(rates.clone(), &[bad, bad, good, bad, bad]), None);
        assert_eq!(feed(rates, &[bad, bad, none, bad]), Some(TripReason::InARow(3)));
    }
}
