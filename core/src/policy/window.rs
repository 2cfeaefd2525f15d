//! [`Window`]: what the calls of the last few seconds said, in a ring of time buckets.
//!
//! A bucket remembers which slice of time it belongs to, so nothing has to run when time passes: reading skips the
//! buckets that are too old, and recording reuses them. A jump of an hour empties the window; a clock that stands
//! still, or news that arrives late, lands in the newest slice.

use std::time::Duration;

use crate::time::Moment;
use crate::units::Ratio;

/// How many buckets a window has: its length is exact to one tenth.
const BUCKETS: usize = 10;

/// How one call counts for the breaker that it passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It worked.
    Success,
    /// It worked, but took too long.
    Slow,
    /// It failed.
    Failure,
    /// It failed by running out of time: slow as well as failed.
    TimedOut,
    /// It does not count: cancelled, refused before it began, or caused by another part.
    Ignored,
}

impl Verdict {
    /// Whether the call failed.
    #[must_use]
    pub(crate) const fn is_failure(self) -> bool {
        matches!(self, Self::Failure | Self::TimedOut)
    }

    /// Whether the call took too long.
    #[must_use]
    pub(crate) const fn is_slow(self) -> bool {
        matches!(self, Self::Slow | Self::TimedOut)
    }
}

/// How many calls were seen, and how they went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// All calls that said something.
    pub calls: u32,
    /// Those that failed.
    pub failures: u32,
    /// Those that took too long, failed or not.
    pub slow: u32,
}

impl Counts {
    /// The share of calls that failed; zero without calls.
    #[must_use]
    pub(crate) fn failure_rate(self) -> Ratio {
        Ratio::new(f64::from(self.failures) / f64::from(self.calls))
    }

    /// The share of calls that took too long; zero without calls.
    #[must_use]
    pub(crate) fn slow_rate(self) -> Ratio {
        Ratio::new(f64::from(self.slow) / f64::from(self.calls))
    }

    fn add(&mut self, verdict: Verdict) {
        self.calls = self.calls.saturating_add(1);
        self.failures = self.failures.saturating_add(u32::from(verdict.is_failure()));
        self.slow = self.slow.saturating_add(u32::from(verdict.is_slow()));
    }

    fn plus(self, other: Self) -> Self {
        Self {
            calls: self.calls.saturating_add(other.calls),
            failures: self.failures.saturating_add(other.failures),
            slow: self.slow.saturating_add(other.slow),
        }
    }
}

/// Counts of the last `length`, in constant memory.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    slice: u64,
    newest: u64,
    ring: [Bucket; BUCKETS],
}

#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    epoch: u64,
    counts: Counts,
}

impl Window {
    /// An empty window that looks back over `length` (at least ten nanoseconds).
    #[must_use]
    pub(crate) fn new(length: Duration) -> Self {
        let slice = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX) / BUCKETS as u64;
        Self { slice: slice.max(1), newest: 0, ring: [Bucket::default(); BUCKETS] }
    }

    /// Takes in one call that ended at `now`. [`Verdict::Ignored`] leaves no trace.
    pub(crate) fn record(&mut self, now: Moment, verdict: Verdict) {
        if verdict == Verdict::Ignored {
            return;
        }
        self.newest = self.epoch(now);
        let bucket = &mut self.ring[(self.newest % BUCKETS as u64) as usize];
        if bucket.epoch != self.newest {
            *bucket = Bucket { epoch: self.newest, counts: Counts::default() };
        }
        bucket.counts.add(verdict);
    }

    /// The counts of the slices that reach into the window as it ends at `now`.
    #[must_use]
    pub(crate) fn counts(&self, now: Moment) -> Counts {
        let oldest = self.epoch(now).saturating_sub(BUCKETS as u64 - 1);
        let recent = self.ring.iter().filter(|bucket| bucket.epoch >= oldest);
        recent.fold(Counts::default(), |sum, bucket| sum.plus(bucket.counts))
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.ring = [Bucket::default(); BUCKETS];
    }

    /// The slice `now` lies in; never one before the newest that was recorded.
    fn epoch(&self, now: Moment) -> u64 {
        (now.since(Moment::ZERO).as_nanos() as u64 / self.slice).max(self.newest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEN_SECONDS: Duration = Duration::from_secs(10);

    fn at(millis: u64) -> Moment {
        Moment::after(Duration::from_millis(millis))
    }

    #[test]
    fn a_timeout_is_slow_and_failed_and_an_ignored_call_is_nothing() {
        let mut window = Window::new(TEN_SECONDS);
        for verdict in
            [Verdict::Success, Verdict::Slow, Verdict::Failure, Verdict::TimedOut, Verdict::Ignored]
        {
            window.record(at(0), verdict);
        }
        let counts = window.counts(at(0));
        assert_eq!(counts, Counts { calls: 4, failures: 2, slow: 2 });
        assert_eq!(counts.failure_rate(), Ratio::percent(50));
        assert_eq!(Counts::default().failure_rate(), Ratio::ZERO);
    }

    #[test]
    fn a_far_jump_empties_the_window_and_late_news_lands_in_the_newest_slice() {
        let mut window = Window::new(TEN_SECONDS);
        window.record(at(500), Verdict::Failure);
        assert_eq!(window.counts(at(9_999)).calls, 1);
        assert_eq!(window.counts(at(10_000)).calls, 0);
        assert_eq!(window.counts(Moment::NEVER).calls, 0);
        window.record(at(3_600_000), Verdict::Success);
        window.record(at(600), Verdict::Failure);
        assert_eq!(window.counts(at(3_600_000)), Counts { calls: 2, failures: 1, slow: 0 });
    }

    #[test]
    fn a_window_of_no_length_still_counts() {
        let mut window = Window::new(Duration::ZERO);
        window.record(at(1), Verdict::Success);
        assert_eq!(window.counts(at(1)).calls, 1);
        assert_eq!(window.counts(at(2)).calls, 0);
    }

    proptest! {
        /// The model keeps every call with its slice and counts again from scratch.
        #[test]
        fn counts_equal_a_full_recount(
            calls in prop::collection::vec((0u64..4_000, 0usize..4), 1..200),
        ) {
            const KINDS: [Verdict; 4] = [Verdict::Success, Verdict::Slow, Verdict::Failure, Verdict::TimedOut];
            let mut window = Window::new(TEN_SECONDS);
            let mut seen: Vec<(u64, Verdict)> = Vec::new();
            let mut now = 0;
            for (step, kind) in calls {
                now += step;
                window.record(at(now), KINDS[kind]);
                seen.push((now / 1_000, KINDS[kind]));
                let in_reach: Vec<_> = seen.iter().filter(|(slice, _)| slice + 10 > now / 1_000).collect();
                let counts = window.counts(at(now));
                prop_assert_eq!(counts.calls as usize, in_reach.len());
                prop_assert_eq!(counts.failures as usize, in_reach.iter().filter(|c| c.1.is_failure()).count());
                prop_assert_eq!(counts.slow as usize, in_reach.iter().filter(|c| c.1.is_slow()).count());
            }
        }
    }
}
