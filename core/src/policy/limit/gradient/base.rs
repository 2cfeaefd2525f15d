//! [`Base`]: how long a creation takes on an idle machine.

use std::time::Duration;

/// How much was going on while the samples were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Load {
    /// So little that a slower sample means a slower machine.
    Calm,
    /// Enough to explain a slower sample.
    Busy,
}

/// How far the base falls towards a faster median in one window.
const FALL: f64 = 0.3;
/// How far it rises towards a slower median in one calm window.
const RISE: f64 = 0.002;

/// The base in seconds, once there is one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Base(Option<f64>);

impl Base {
    /// The median of the samples as a multiple of the base; 1 before there is a base, and nothing without samples.
    pub(super) fn ratio(self, samples: &[Duration]) -> Option<f64> {
        median(samples).map(|median| self.0.map_or(1.0, |base| median / base))
    }

    /// Takes in a window's samples. Only a calm window may raise the base.
    pub(super) fn learn(&mut self, samples: &[Duration], load: Load) {
        let Some(time) = median(samples) else { return };
        let weight = |base| match load {
            _ if time < base => FALL,
            Load::Calm => RISE,
            Load::Busy => 0.0,
        };
        self.0 = Some(self.0.map_or(time, |base| base + weight(base) * (time - base)));
    }
}

fn median(samples: &[Duration]) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).map(Duration::as_secs_f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(millis: &[u64]) -> Vec<Duration> {
        millis.iter().copied().map(Duration::from_millis).collect()
    }

    #[test]
    fn a_base_falls_fast_rises_slowly_and_only_in_calm() {
        let mut base = Base::default();
        assert_eq!(base.ratio(&[]), None);
        assert_eq!(base.ratio(&samples(&[60_000])), Some(1.0));
        base.learn(&samples(&[900, 1_000, 1_100]), Load::Busy);
        base.learn(&samples(&[500]), Load::Busy);
        let after = |base: Base| base.ratio(&samples(&[850])).expect("there is a sample");
        assert!((after(base) - 1.0).abs() < 1e-9, "1 s falls to 850 ms");
        base.learn(&samples(&[9_000]), Load::Busy);
        assert!((after(base) - 1.0).abs() < 1e-9, "load teaches it nothing");
        base.learn(&samples(&[9_000]), Load::Calm);
        assert!((0.97..0.99).contains(&after(base)));
    }
}
