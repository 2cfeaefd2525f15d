//! When the next browser may be started after starts have failed.
//!
//! A start that fails is followed by a wait that doubles (1 s to 60 s, ±20 %), so that a broken browser costs no
//! CPU. After [`LaunchBackoff::HOPELESS`] failures in a row, or one failure that would repeat, waiting jobs fail.
//!
//! If a browser has been up before, the cause is not a wrong path but an outage, such as a grid that restarts, which may
//! end. Then waiting jobs fail only after a start has failed that began when the caller's patience was over; otherwise an
//! outage of ten seconds would fail every job of a file.

use std::time::Duration;

use crate::outcome::{Fault, Recurrence};
use crate::time::Moment;

/// Failures in a row, and what follows from them.
#[derive(Debug, Default)]
pub(crate) struct LaunchBackoff {
    past: Past,
    failures: Option<Failures>,
}

/// What is known of browsers before the failures.
#[derive(Debug, Clone, Copy, Default)]
enum Past {
    /// None has ever come up.
    #[default]
    Unproven,
    /// One has.
    Proven,
}

#[derive(Debug)]
struct Failures {
    in_a_row: u32,
    /// When the first of them was, and the last.
    since: Moment,
    until: Moment,
    last: Fault,
    retry_at: Moment,
}

impl LaunchBackoff {
    /// Failures in a row after which waiting jobs fail. Five, as in OTP's and systemd's common restart limits.
    pub(crate) const HOPELESS: u32 = 5;
    const FIRST_WAIT: Duration = Duration::from_secs(1);
    const LONGEST_WAIT: Duration = Duration::from_secs(60);

    /// A browser came up.
    pub(crate) fn succeeded(&mut self) {
        (self.past, self.failures) = (Past::Proven, None);
    }

    /// A browser did not come up.
    pub(crate) fn failed(&mut self, now: Moment, fault: Fault, rng: &mut fastrand::Rng) {
        let before = self.failures.as_ref();
        let in_a_row = before.map_or(0, |failures| failures.in_a_row) + 1;
        let since = before.map_or(now, |failures| failures.since);
        let bound = Self::FIRST_WAIT.saturating_mul(1 << (in_a_row - 1).min(10)).min(Self::LONGEST_WAIT);
        let retry_at = now + bound.mul_f64(0.8 + 0.4 * rng.f64());
        self.failures = Some(Failures { in_a_row, since, until: now, last: fault, retry_at });
    }

    /// Whether a browser may be started now.
    #[must_use]
    pub(crate) fn may_launch(&self, now: Moment) -> bool {
        self.retry_at().is_none_or(|at| at <= now)
    }

    /// When the next start may be tried, after a failure.
    #[must_use]
    pub(crate) fn retry_at(&self) -> Option<Moment> {
        self.failures.as_ref().map(|failures| failures.retry_at)
    }

    /// The last failure, when waiting jobs should fail with it; `None` again as soon as the next start may be tried.
    #[must_use]
    pub(crate) fn hopeless(&self, now: Moment, patience: Duration) -> Option<&Fault> {
        let failures = self.failures.as_ref().filter(|failures| now < failures.retry_at)?;
        let is_over = match self.past {
            Past::Unproven => true,
            Past::Proven => failures.until.since(failures.since) >= patience,
        };
        let hopeless =
            failures.in_a_row >= Self::HOPELESS || failures.last.recurrence == Recurrence::Persistent;
        (is_over && hopeless).then_some(&failures.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::FailureClass;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn exit() -> Fault {
        Fault::transient(FailureClass::BrowserCrash, "exit 1")
    }

    #[test]
    fn waits_grow_until_hope_ends_and_one_success_forgets_all() {
        let rng = &mut fastrand::Rng::with_seed(3);
        let mut launches = LaunchBackoff::default();
        let mut now = Moment::ZERO;
        for n in 1..=LaunchBackoff::HOPELESS {
            assert!(launches.hopeless(now, PATIENCE).is_none(), "after {} failures", n - 1);
            launches.failed(now, exit(), rng);
            let wait = launches.retry_at().expect("it failed").since(now);
            let bound = Duration::from_secs(1 << (n - 1));
            assert!(wait >= bound.mul_f64(0.8) && wait <= bound.mul_f64(1.2));
            assert!(!launches.may_launch(now) && launches.may_launch(now + wait));
            assert_eq!(launches.hopeless(now, PATIENCE).is_some(), n == LaunchBackoff::HOPELESS);
            now += wait;
        }
        assert!(launches.hopeless(now, PATIENCE).is_none(), "one more may be tried");
        launches.succeeded();
        assert!(launches.hopeless(now, PATIENCE).is_none() && launches.may_launch(Moment::ZERO));
    }

    #[test]
    fn a_browser_that_is_missing_is_not_waited_for() {
        let mut launches = LaunchBackoff::default();
        let missing = Fault::persistent(FailureClass::Unsupported, "no browser on this machine");
        launches.failed(Moment::ZERO, missing.clone(), &mut fastrand::Rng::with_seed(3));
        assert_eq!(launches.hopeless(Moment::ZERO, PATIENCE), Some(&missing));
    }

    #[test]
    fn jobs_wait_for_the_end_of_an_outage_until_the_callers_patience_is_over() {
        let rng = &mut fastrand::Rng::with_seed(3);
        let mut launches = LaunchBackoff::default();
        launches.succeeded();
        let began = Moment::after(Duration::from_secs(500));
        let mut now = began;
        while now < began + PATIENCE {
            launches.failed(now, exit(), rng);
            assert!(launches.hopeless(now, PATIENCE).is_none(), "{now}");
            now = launches.retry_at().expect("it failed");
        }
        assert!(launches.hopeless(now, PATIENCE).is_none(), "one more may be tried, now that it is late");
        launches.failed(now, exit(), rng);
        assert!(launches.hopeless(now, PATIENCE).is_some());
        launches.succeeded();
        (0..5).for_each(|_| launches.failed(now, exit(), rng));
        assert!(launches.hopeless(now, PATIENCE).is_none(), "the next outage begins anew");
    }
}
