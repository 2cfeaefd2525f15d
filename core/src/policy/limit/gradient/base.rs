//! [`Bases`]: what a creation of each class takes on an idle machine.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Whether the browser was already there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Warmth {
    /// The browser was started for this context.
    Cold,
    /// The browser was running.
    Warm,
}

/// A class of creations whose times can be compared with each other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Creation {
    /// Who makes it: the driver's name, or an endpoint's.
    pub maker: Arc<str>,
    /// Whether the browser was already there.
    pub warmth: Warmth,
}

/// How much was going on while the samples were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Load {
    /// So little that a slower sample means a slower machine.
    Calm,
    /// Enough to explain a slower sample.
    Busy,
}

/// How far a base falls towards a faster median in one window.
const FALL: f64 = 0.3;
/// How far it rises towards a slower one in one calm window.
const RISE: f64 = 0.002;
/// Classes that are told apart; further ones are not sampled.
const MAX_CLASSES: usize = 64;

/// The base of each class, in seconds.
#[derive(Debug, Clone, Default)]
pub(super) struct Bases(BTreeMap<Creation, f64>);

impl Bases {
    /// The median of the samples, each as a multiple of its class's base. Samples of a class without a base say nothing
    /// about load yet; if there are only such, the ratio is 1.
    pub(super) fn ratio(&self, samples: &[(Creation, Duration)]) -> Option<f64> {
        let known = samples.iter().filter_map(|(class, took)| Some(took.as_secs_f64() / self.0.get(class)?));
        median(known.collect()).or_else(|| (!samples.is_empty()).then_some(1.0))
    }

    /// Takes in a window's samples. Only a calm window may raise a base.
    pub(super) fn learn(&mut self, samples: &[(Creation, Duration)], load: Load) {
        let mut classes: BTreeMap<&Creation, Vec<f64>> = BTreeMap::new();
        for (class, took) in samples {
            classes.entry(class).or_default().push(took.as_secs_f64());
        }
        for (class, times) in classes {
            let Some(time) = median(times) else { continue };
            let has_room = self.0.len() < MAX_CLASSES;
            match self.0.get_mut(class) {
                Some(base) if time < *base => *base += FALL * (time - *base),
                Some(base) if load == Load::Calm => *base += RISE * (time - *base),
                Some(_) => {}
                None if has_room => {
                    self.0.insert(class.clone(), time);
                }
                None => {}
            }
        }
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(maker: &str, millis: &[u64]) -> Vec<(Creation, Duration)> {
        let class = Creation { maker: maker.into(), warmth: Warmth::Warm };
        millis.iter().map(|ms| (class.clone(), Duration::from_millis(*ms))).collect()
    }

    #[test]
    fn a_base_falls_fast_rises_slowly_and_only_in_calm() {
        let mut bases = Bases::default();
        bases.learn(&samples("a", &[900, 1_000, 1_100]), Load::Busy);
        bases.learn(&samples("a", &[500]), Load::Busy);
        let after = |bases: &Bases| bases.ratio(&samples("a", &[850])).expect("there is a sample");
        assert!((after(&bases) - 1.0).abs() < 1e-9, "1 s falls to 850 ms");
        bases.learn(&samples("a", &[9_000]), Load::Busy);
        assert!((after(&bases) - 1.0).abs() < 1e-9, "load teaches it nothing");
        bases.learn(&samples("a", &[9_000]), Load::Calm);
        assert!((0.97..0.99).contains(&after(&bases)));
    }

    #[test]
    fn one_class_is_not_measured_by_anothers_base() {
        let mut bases = Bases::default();
        bases.learn(&samples("headless", &[100]), Load::Busy);
        bases.learn(&samples("firefox", &[2_300]), Load::Busy);
        let mut both = samples("headless", &[100]);
        both.extend(samples("firefox", &[2_300, 2_300]));
        assert_eq!(bases.ratio(&both), Some(1.0));
        assert_eq!(bases.ratio(&samples("new", &[60_000])), Some(1.0));
        assert_eq!(bases.ratio(&[]), None);
    }

    #[test]
    fn classes_are_bounded() {
        let mut bases = Bases::default();
        (0..1_000).for_each(|n| bases.learn(&samples(&n.to_string(), &[1]), Load::Busy));
        assert_eq!(bases.0.len(), MAX_CLASSES);
    }
}
