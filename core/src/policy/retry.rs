//! Whether a failed attempt is made again, and when.
//!
//! Three things must agree: the job has attempts left, the failure's class may be retried, and the failure may go
//! away by itself ([`Recurrence::Transient`]). The wait before the next attempt is exponential with full jitter
//! (uniform between zero and the bound), which spreads jobs that failed together best of the known
//! schemes (AWS Architecture Blog, "Exponential Backoff and Jitter", 2015).

use std::collections::BTreeSet;
use std::time::Duration;

use crate::outcome::{Failure, FailureClass, Recurrence};

/// Which failed attempts are made again, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "settings",
    derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema),
    serde(deny_unknown_fields, default)
)]
pub struct RetryPolicy {
    /// Attempts that a job may have in all; 1 means no retry.
    #[cfg_attr(feature = "settings", schemars(range(min = 1, max = 1_000)))]
    pub attempts: u32,
    /// The failure classes that may be retried.
    pub classes: BTreeSet<FailureClass>,
    /// The upper bound of the first wait between two attempts. The bound doubles with each further attempt; the wait is
    /// drawn at random between zero and its bound.
    #[cfg_attr(
        feature = "settings",
        serde(with = "crate::quantity::span"),
        schemars(with = "crate::quantity::span::Span")
    )]
    pub base: Duration,
    /// The longest such bound, and the longest time that a retry waits for the retry budget.
    #[cfg_attr(
        feature = "settings",
        serde(with = "crate::quantity::span"),
        schemars(with = "crate::quantity::span::Span")
    )]
    pub cap: Duration,
}

impl Default for RetryPolicy {
    /// Three attempts, for failures of the surroundings: a crash, the network, the proxy, overload. A failed
    /// assertion, script or status is the job's own result, and a panic of ours is not repeated.
    fn default() -> Self {
        use FailureClass::{BrowserCrash, Navigation, Overload, PageCrash, Proxy};
        Self {
            attempts: 3,
            classes: BTreeSet::from([Navigation, PageCrash, BrowserCrash, Proxy, Overload]),
            base: Duration::from_millis(500),
            cap: Duration::from_secs(30),
        }
    }
}

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Another attempt, after this wait.
    Again(Duration),
    /// The failure is the job's outcome.
    Final,
}

impl RetryPolicy {
    /// What follows the failure of attempt number `made` (from 1).
    pub fn after(&self, made: u32, failure: &Failure, rng: &mut fastrand::Rng) -> Verdict {
        let fault = &failure.fault;
        if made >= self.attempts
            || fault.recurrence == Recurrence::Persistent
            || !self.classes.contains(&fault.class)
        {
            return Verdict::Final;
        }
        let doublings = (made - 1).min(31);
        let bound = self.base.saturating_mul(1 << doublings).min(self.cap);
        Verdict::Again(bound.mul_f64(rng.f64()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Fault, Stage};

    fn failure(class: FailureClass, recurrence: Recurrence) -> Failure {
        Fault { class, recurrence, message: String::new() }.at(Stage::Step(0))
    }

    #[test]
    fn a_retry_needs_attempts_left_a_class_and_a_transient_failure() {
        let policy = RetryPolicy::default();
        let rng = &mut fastrand::Rng::with_seed(1);
        let crash = failure(FailureClass::PageCrash, Recurrence::Transient);
        assert!(matches!(policy.after(1, &crash, rng), Verdict::Again(_)));
        assert!(matches!(policy.after(2, &crash, rng), Verdict::Again(_)));
        assert_eq!(policy.after(3, &crash, rng), Verdict::Final);
        let unresolved = failure(FailureClass::Navigation, Recurrence::Persistent);
        assert_eq!(policy.after(1, &unresolved, rng), Verdict::Final);
        let panic = failure(FailureClass::Internal, Recurrence::Transient);
        assert_eq!(policy.after(1, &panic, rng), Verdict::Final);
    }

    #[test]
    fn waits_double_stay_below_the_cap_and_are_spread() {
        let policy = RetryPolicy { attempts: u32::MAX, ..RetryPolicy::default() };
        let crash = failure(FailureClass::PageCrash, Recurrence::Transient);
        let rng = &mut fastrand::Rng::with_seed(7);
        for (made, bound_ms) in
            [(1, 500), (2, 1000), (4, 4000), (7, 30_000), (40, 30_000), (u32::MAX - 1, 30_000)]
        {
            let waits: Vec<_> = (0..200)
                .map(|_| match policy.after(made, &crash, rng) {
                    Verdict::Again(wait) => wait,
                    Verdict::Final => panic!("attempts are left"),
                })
                .collect();
            let bound = Duration::from_millis(bound_ms);
            assert!(waits.iter().all(|wait| *wait <= bound));
            assert!(
                waits.iter().any(|wait| *wait > bound * 3 / 4) && waits.iter().any(|wait| *wait < bound / 4)
            );
        }
    }
}
