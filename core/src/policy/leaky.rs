//! [`Leaky`]: the counter that ended the incident. One up for a failure, one down for a success, never below zero; at
//! 50 it trips, and creation stops.
//!
//! It is a random walk with a floor, so what it detects is *a sustained majority of failures*:
//!
//! | share of calls that fail | calls until it trips, on average |
//! |---|---|
//! | 100 % | 50 |
//! | 80 % | 83 |
//! | 60 % | 240 |
//! | 55 % | 455 |
//! | 50 % | 2 550 |
//! | 45 % | 1.3 million |
//!
//! Two properties to know. The floor is essential: without it 10 000 successes would buy 10 050 failures. And it has no
//! notion of time: 49 failures of last week still count, unless [`LeakyConfig::leak_per_s`] lets them drain.
//!
//! As it was written it could never close again: no calls, hence no successes, hence no way down. The breaker that
//! holds this counter adds the way back (a rest, probes, then [`Leaky::ease`]: closed, but half way to the next trip).
//! It serves as the last fuse behind the windowed rules of [`breaker`](super::breaker), which react within seconds.

use crate::policy::window::Verdict;
use crate::time::Moment;

/// The numbers of the counter.
#[derive(Debug, Clone, PartialEq)]
pub struct LeakyConfig {
    /// At this count the breaker opens (the incident's 50; at least 1).
    pub trips_at: u32,
    /// The count after the way back: half of `trips_at`, so that a relapse trips twice as fast as the first time.
    pub eased_to: u32,
    /// How much of the count drains in a second without any call. 0, as in the incident, keeps it for ever.
    pub leak_per_s: f64,
}

impl Default for LeakyConfig {
    fn default() -> Self {
        Self { trips_at: 50, eased_to: 25, leak_per_s: 0.0 }
    }
}

/// The counter itself.
#[derive(Debug, Clone)]
pub(crate) struct Leaky {
    config: LeakyConfig,
    failed: f64,
    as_of: Moment,
}

impl Leaky {
    /// A counter that stands at zero.
    #[must_use]
    pub(crate) const fn new(config: LeakyConfig) -> Self {
        Self { config, failed: 0.0, as_of: Moment::ZERO }
    }

    /// Counts one call that ended at `now`.
    pub(crate) fn record(&mut self, now: Moment, verdict: Verdict) {
        self.failed = self.level(now);
        self.as_of = self.as_of.max(now);
        match verdict {
            Verdict::Failure | Verdict::TimedOut => self.failed += 1.0,
            Verdict::Success | Verdict::Slow => self.failed = (self.failed - 1.0).max(0.0),
            Verdict::Ignored => {}
        }
    }

    /// The incident's `failed_count`, as it stands at `now`; a part that has not yet leaked away counts as one.
    #[must_use]
    pub(crate) fn failed_count(&self, now: Moment) -> u32 {
        self.level(now).ceil() as u32
    }

    /// Whether the count has reached the trip level.
    #[must_use]
    pub(crate) fn has_tripped(&self, now: Moment) -> bool {
        self.failed_count(now) >= self.config.trips_at.max(1)
    }

    /// The level at which it trips.
    #[must_use]
    pub(crate) const fn trips_at(&self) -> u32 {
        self.config.trips_at
    }

    /// Sets the count to where a passed probation leaves it: never up, and never so high that it trips at once.
    pub(crate) fn ease(&mut self, now: Moment) {
        let eased = self.config.eased_to.min(self.config.trips_at.saturating_sub(1));
        self.failed = self.level(now).min(f64::from(eased));
        self.as_of = self.as_of.max(now);
    }

    fn level(&self, now: Moment) -> f64 {
        let leaked = now.since(self.as_of).as_secs_f64() * self.config.leak_per_s.max(0.0);
        (self.failed - leaked).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fifty_failures_trip_and_the_fiftieth_is_needed() {
        let mut leaky = Leaky::new(LeakyConfig::default());
        for _ in 0..49 {
            leaky.record(Moment::ZERO, Verdict::Failure);
        }
        assert!(!leaky.has_tripped(Moment::NEVER), "49 failures keep for ever but do not trip");
        leaky.record(Moment::ZERO, Verdict::TimedOut);
        assert!(leaky.has_tripped(Moment::ZERO));
        leaky.ease(Moment::ZERO);
        assert_eq!(leaky.failed_count(Moment::ZERO), 25);
    }

    #[test]
    fn easing_never_raises_the_count_nor_leaves_it_tripped() {
        let mut leaky = Leaky::new(LeakyConfig { trips_at: 3, eased_to: 9, leak_per_s: 0.0 });
        leaky.ease(Moment::ZERO);
        assert_eq!(leaky.failed_count(Moment::ZERO), 0);
        for _ in 0..3 {
            leaky.record(Moment::ZERO, Verdict::Failure);
        }
        leaky.ease(Moment::ZERO);
        assert!(!leaky.has_tripped(Moment::ZERO));
    }

    #[test]
    fn a_leak_drains_the_count_and_reading_does_not_hurry_it() {
        let mut leaky = Leaky::new(LeakyConfig { leak_per_s: 0.5, ..LeakyConfig::default() });
        for _ in 0..10 {
            leaky.record(Moment::ZERO, Verdict::Failure);
        }
        let later = Moment::after(Duration::from_secs(4));
        for _ in 0..100 {
            assert_eq!(leaky.failed_count(later), 8);
        }
        leaky.record(later, Verdict::Ignored);
        leaky.record(Moment::ZERO, Verdict::Ignored);
        assert_eq!(leaky.failed_count(later), 8);
        assert_eq!(leaky.failed_count(Moment::NEVER), 0);
    }

    /// The table of the module's description, checked against walks with a fixed seed.
    #[test]
    fn the_walk_takes_as_long_as_the_table_says() {
        for (failing, expected) in [(1.0, 50.0), (0.8, 83.0), (0.6, 240.0), (0.55, 455.0)] {
            let mut rng = fastrand::Rng::with_seed(7);
            let mut calls = 0u32;
            for _ in 0..2_000 {
                let mut leaky = Leaky::new(LeakyConfig::default());
                while !leaky.has_tripped(Moment::ZERO) {
                    let verdict = if rng.f64() < failing { Verdict::Failure } else { Verdict::Success };
                    leaky.record(Moment::ZERO, verdict);
                    calls += 1;
                }
            }
            let mean = f64::from(calls) / 2_000.0;
            assert!((mean - expected).abs() / expected < 0.04, "{failing}: {mean} calls, not {expected}");
        }
    }

    proptest! {
        #[test]
        fn without_a_leak_it_is_the_incidents_counter(failures in prop::collection::vec(any::<bool>(), 0..400)) {
            let mut leaky = Leaky::new(LeakyConfig::default());
            let mut failed = 0i64;
            for (second, failure) in failures.into_iter().enumerate() {
                let now = Moment::after(Duration::from_secs(second as u64));
                leaky.record(now, if failure { Verdict::Failure } else { Verdict::Success });
                failed = if failure { failed + 1 } else { (failed - 1).max(0) };
                prop_assert_eq!(i64::from(leaky.failed_count(now)), failed);
                prop_assert_eq!(leaky.has_tripped(now), failed >= 50);
            }
        }
    }
}
