//! [`Backoff`]: how long to wait before the next try.
//!
//! The ceiling grows with each try. [`Backoff::near`] draws a delay of the ceiling ± 20 %: a breaker, or a slot whose browser
//! keeps dying, must really rest, so a delay near zero would be wrong.

use std::time::Duration;

use crate::units::Ratio;

/// How far a jittered span may lie from what was asked, either way (Akka's back-off supervisor uses the same share).
pub(crate) const JITTER: Ratio = Ratio::percent(20);

/// An exponential back-off with a cap.
#[derive(Debug, Clone, PartialEq)]
pub struct Backoff {
    /// The ceiling of the first delay.
    pub base: Duration,
    /// What no ceiling exceeds.
    pub cap: Duration,
    /// By how much each ceiling exceeds the one before; below 1 (or not a number) it counts as 1.
    pub factor: f64,
}

/// For retries of jobs: 500 ms, doubled up to 30 s, so that five tries span less than a minute.
impl Default for Backoff {
    fn default() -> Self {
        Self::doubling(Duration::from_millis(500), Duration::from_secs(30))
    }
}

impl Backoff {
    /// Starts at `base`, doubles each time, stops at `cap`.
    #[must_use]
    pub(crate) const fn doubling(base: Duration, cap: Duration) -> Self {
        Self { base, cap, factor: 2.0 }
    }

    /// The longest delay before try `attempt`, counted from 0.
    #[must_use]
    pub(crate) fn ceiling(&self, attempt: u32) -> Duration {
        let growth = self.factor.max(1.0).powf(f64::from(attempt)).min(f64::MAX);
        let ceiling = self.base.as_secs_f64() * growth;
        Duration::try_from_secs_f64(ceiling).unwrap_or(self.cap).min(self.cap)
    }

    /// A delay drawn evenly from the ceiling ± `JITTER`.
    #[must_use]
    pub fn near(&self, attempt: u32, rng: &mut fastrand::Rng) -> Duration {
        jittered(self.ceiling(attempt), rng)
    }
}

/// `span` ± [`JITTER`], drawn evenly.
#[must_use]
pub(crate) fn jittered(span: Duration, rng: &mut fastrand::Rng) -> Duration {
    let middle = nanos(span);
    let reach = (middle as f64 * JITTER.value()) as u64;
    Duration::from_nanos(rng.u64(middle - reach..=middle.saturating_add(reach)))
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ceilings_double_up_to_the_cap() {
        let backoff = Backoff::doubling(Duration::from_secs(5), Duration::from_secs(60));
        let ceilings: Vec<u64> = (0..6).map(|n| backoff.ceiling(n).as_secs()).collect();
        assert_eq!(ceilings, [5, 10, 20, 40, 60, 60]);
        assert_eq!(backoff.ceiling(u32::MAX), Duration::from_secs(60));
    }

    #[test]
    fn a_senseless_factor_means_no_growth() {
        for factor in [f64::NAN, -3.0, 0.5] {
            let backoff = Backoff { factor, ..Backoff::default() };
            assert_eq!(backoff.ceiling(9), backoff.base);
        }
    }

    #[test]
    fn a_rest_never_vanishes() {
        let backoff = Backoff::doubling(Duration::from_secs(10), Duration::from_secs(10));
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..1000 {
            let rest = backoff.near(0, &mut rng);
            assert!((Duration::from_secs(8)..=Duration::from_secs(12)).contains(&rest), "{rest:?}");
        }
    }

    proptest! {
        #[test]
        fn no_setting_makes_a_delay_exceed_the_cap(
            base: Duration, cap: Duration, factor: f64, attempt: u32, seed: u64,
        ) {
            let backoff = Backoff { base, cap, factor };
            let mut rng = fastrand::Rng::with_seed(seed);
            prop_assert!(backoff.ceiling(attempt) <= cap);
            let _ = backoff.near(attempt, &mut rng);
        }
    }
}
