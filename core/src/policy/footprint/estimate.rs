//! [`Estimate`]: the memory that a context is expected to take at its peak.
//!
//! It is learnt from contexts that have ended, by the peak of each, and from contexts that live: a lower bound on what they
//! take raises the mean at once; an upper bound lowers it step by step, by as much as there is evidence.

use crate::units::Bytes;

/// How fast an estimate rises to a heavier context, and falls to a lighter one: an estimate that is too low is the dangerous
/// one.
const RISE: f64 = 0.10;
const FALL: f64 = 0.05;
const SPREAD: f64 = 0.05;

/// A mean with its spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// The expected peak.
    pub mean: Bytes,
    /// One standard deviation of the peaks.
    pub deviation: Bytes,
}

/// 200 ± 60 MiB: an ordinary site in an ordinary browser. A light page in headless-shell takes a tenth of it.
impl Default for Estimate {
    fn default() -> Self {
        Self::of_mean(Bytes::mib(200))
    }
}

impl Estimate {
    /// An estimate of which only the mean is known: its deviation is 30 % of the mean, as that of the default is.
    #[must_use]
    pub(crate) const fn of_mean(mean: Bytes) -> Self {
        Self { mean, deviation: Bytes(mean.0 / 10 * 3) }
    }

    /// The mean and one deviation: five of six contexts take less.
    #[must_use]
    pub(crate) fn high(self) -> Bytes {
        self.mean + self.deviation
    }

    /// A context ended that took `peak` at most.
    pub(super) fn learn(&mut self, peak: Bytes) {
        let off = peak.0 as f64 - self.mean.0 as f64;
        let weight = if off > 0.0 { RISE } else { FALL };
        let deviation = self.deviation.0 as f64;
        let variance = (1.0 - SPREAD) * deviation * deviation + SPREAD * off * off;
        self.mean = Bytes((self.mean.0 as f64 + weight * off) as u64);
        self.deviation = Bytes(variance.sqrt() as u64);
    }

    /// Living contexts take at least this much on average.
    pub(super) fn raise(&mut self, least: Bytes) {
        self.mean = self.mean.max(least);
    }

    /// Living contexts take at most this much on average. `evidence` counts contexts: one that was watched for long enough
    /// weighs as much as one that ended.
    pub(super) fn lower(&mut self, most: Bytes, evidence: f64) {
        let excess = (self.mean - most).0 as f64;
        let kept = (1.0 - FALL).powf(evidence.max(0.0));
        self.mean -= Bytes((excess * (1.0 - kept)) as u64);
    }
}

/// An estimate as a setting: its mean.
#[cfg(feature = "settings")]
pub(super) mod as_mean {
    use serde::{Deserializer, Serializer};

    use super::Estimate;
    use crate::quantity::size;

    pub(crate) fn serialize<S: Serializer>(estimate: &Estimate, serializer: S) -> Result<S::Ok, S::Error> {
        size::serialize(&estimate.mean, serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Estimate, D::Error> {
        size::deserialize(deserializer).map(Estimate::of_mean)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn eighty_ended_contexts_bring_an_estimate_within_a_fifth() {
        for true_peak in [Bytes::mib(17), Bytes::mib(500)] {
            let mut estimate = Estimate::default();
            (0..80).for_each(|_| estimate.learn(true_peak));
            let mean = estimate.mean.0 as f64 / true_peak.0 as f64;
            assert!((0.8..1.2).contains(&mean), "{mean} times {true_peak}");
        }
    }

    #[test]
    fn peaks_that_differ_give_an_estimate_above_their_mean() {
        let mut estimate = Estimate::default();
        for n in 0..400 {
            estimate.learn(Bytes::mib(if n % 2 == 0 { 50 } else { 250 }));
        }
        assert!(estimate.mean > Bytes::mib(150), "{}", estimate.mean);
        assert!(estimate.high() > Bytes::mib(240), "{}", estimate.high());
    }

    proptest! {
        #[test]
        fn an_estimate_stays_between_what_was_seen_and_believed(peaks in prop::collection::vec(0u64..1 << 40, 1..100)) {
            let mut estimate = Estimate::default();
            let highest = peaks.iter().copied().max().unwrap_or_default().max(estimate.mean.0);
            for peak in peaks {
                estimate.learn(Bytes(peak));
                prop_assert!(estimate.mean.0 <= highest);
                prop_assert!(estimate.deviation.0 <= highest);
            }
        }

        #[test]
        fn living_contexts_raise_the_mean_at_once_and_lower_it_no_further_than_their_bound(
            least in 0u64..1 << 40, above in 0u64..1 << 40, evidence in 0f64..1000.0,
        ) {
            let mut estimate = Estimate::default();
            let most = Bytes(least + above);
            let before = estimate.mean;
            estimate.lower(most, evidence);
            prop_assert!(estimate.mean <= before && estimate.mean >= most.min(before));
            estimate.raise(Bytes(least));
            prop_assert!(estimate.mean >= Bytes(least));
        }
    }
}
