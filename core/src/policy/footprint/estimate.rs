//! [`Estimate`]: what a context of a class takes at its peak, learnt from those that have ended.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::units::Bytes;

/// Contexts that weigh alike: a browser kind, and what kind of site, as far as the caller tells them apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class(pub Arc<str>);

/// How fast an estimate rises to a heavier context, and falls to a lighter one: to guess too low is what kills.
const RISE: f64 = 0.10;
const FALL: f64 = 0.05;
const SPREAD: f64 = 0.05;

/// Classes that are told apart; further ones keep the prior.
const MAX_CLASSES: usize = 256;

/// A mean with its spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// The expected peak.
    pub mean: Bytes,
    /// One standard deviation of the peaks.
    pub deviation: Bytes,
}

/// 200 ± 60 MiB: an ordinary site in an ordinary browser. A light page in headless-shell takes a tenth of it, a Firefox
/// session (486 MB in 11 processes) more than twice as much: such classes deserve their own priors.
impl Default for Estimate {
    fn default() -> Self {
        Self { mean: Bytes::mib(200), deviation: Bytes::mib(60) }
    }
}

impl Estimate {
    /// What all but the heaviest sixth stay below: the mean and one deviation.
    #[must_use]
    pub fn high(self) -> Bytes {
        self.mean + self.deviation
    }

    fn learn(&mut self, peak: Bytes) {
        let off = peak.0 as f64 - self.mean.0 as f64;
        let weight = if off > 0.0 { RISE } else { FALL };
        let deviation = self.deviation.0 as f64;
        let variance = (1.0 - SPREAD) * deviation * deviation + SPREAD * off * off;
        self.mean = Bytes((self.mean.0 as f64 + weight * off) as u64);
        self.deviation = Bytes(variance.sqrt() as u64);
    }
}

#[derive(Debug, Clone)]
pub(super) struct Estimates {
    prior: Estimate,
    classes: BTreeMap<Class, Estimate>,
    lightest: Estimate,
}

impl Estimates {
    pub(super) fn new(prior: Estimate, classes: BTreeMap<Class, Estimate>) -> Self {
        let mut estimates = Self { prior, classes, lightest: prior };
        estimates.weigh();
        estimates
    }

    pub(super) fn of(&self, class: &Class) -> Estimate {
        self.classes.get(class).copied().unwrap_or(self.prior)
    }

    /// The least that any context is known to take; the prior while nothing is known.
    pub(super) const fn lightest(&self) -> Estimate {
        self.lightest
    }

    pub(super) fn learn(&mut self, class: Class, peak: Bytes) {
        if self.classes.contains_key(&class) || self.classes.len() < MAX_CLASSES {
            self.classes.entry(class).or_insert(self.prior).learn(peak);
            self.weigh();
        }
    }

    /// Walks the classes once per ended context, so that no decision has to.
    fn weigh(&mut self) {
        let lightest = self.classes.values().copied().min_by_key(|estimate| estimate.high());
        self.lightest = lightest.unwrap_or(self.prior);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn class(name: &str) -> Class {
        Class(name.into())
    }

    #[test]
    fn sixty_ended_contexts_bring_an_estimate_within_a_fifth() {
        for true_peak in [Bytes::mib(17), Bytes::mib(500)] {
            let mut estimates = Estimates::new(Estimate::default(), BTreeMap::new());
            (0..80).for_each(|_| estimates.learn(class("a"), true_peak));
            let mean = estimates.of(&class("a")).mean.0 as f64 / true_peak.0 as f64;
            assert!((0.8..1.2).contains(&mean), "{mean} times {true_peak}");
            assert_eq!(estimates.of(&class("b")), Estimate::default(), "classes do not teach each other");
        }
    }

    #[test]
    fn a_mixed_class_is_guessed_above_its_mean() {
        let mut estimates = Estimates::new(Estimate::default(), BTreeMap::new());
        for n in 0..400 {
            estimates.learn(class("a"), Bytes::mib(if n % 2 == 0 { 50 } else { 250 }));
        }
        let estimate = estimates.of(&class("a"));
        assert!(estimate.mean > Bytes::mib(150), "{}", estimate.mean);
        assert!(estimate.high() > Bytes::mib(240), "{}", estimate.high());
    }

    #[test]
    fn classes_are_bounded() {
        let mut estimates = Estimates::new(Estimate::default(), BTreeMap::new());
        (0..1_000).for_each(|n| estimates.learn(class(&n.to_string()), Bytes::mib(1)));
        assert_eq!(estimates.classes.len(), MAX_CLASSES);
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
    }
}
