//! [`Chance`]: random numbers that depend on their purpose, not on earlier draws.
//!
//! Each use draws from a stream whose key is the seed and the subject ("attempt 2 of job 17"). So removing a fault from
//! a plan changes nothing else, and a plan can be shrunk.

use std::time::Duration;

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub struct Chance(fastrand::Rng);

impl Chance {
    /// The stream of one subject under one seed.
    #[must_use]
    pub fn of(seed: u64, thing: &[u64]) -> Self {
        let key = thing.iter().fold(mix(seed), |key, part| mix(key ^ part));
        Self(fastrand::Rng::with_seed(key))
    }

    /// Uniform in `0..1`.
    pub fn share(&mut self) -> f64 {
        self.0.f64()
    }

    /// Any 64-bit number.
    pub fn number(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// True with this probability.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.0.f64() < probability
    }

    /// Uniform between the two.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.f64()
    }

    /// Uniform on a logarithmic scale: a value between 1 and 10 is as likely as a value between 10 and 100.
    pub fn log_between(&mut self, low: f64, high: f64) -> f64 {
        self.between(low.ln(), high.ln()).exp()
    }

    /// A whole number from `low` to `high`, both included, uniform on a logarithmic scale.
    pub fn count(&mut self, low: u32, high: u32) -> u32 {
        (self.log_between(f64::from(low), f64::from(high) + 1.0) as u32).clamp(low, high)
    }

    /// Log-normal with this median; `sigma` is the spread of the logarithm.
    pub fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        // Box-Muller transform; 1 - share is never zero.
        let radius = (-2.0 * (1.0 - self.share()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.share()).cos();
        median * (sigma * normal).exp()
    }

    /// A random element of the list.
    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.0.usize(..choices.len())]
    }

    /// Uniform between two spans of time.
    pub fn span(&mut self, low: Duration, high: Duration) -> Duration {
        Duration::from_secs_f64(self.between(low.as_secs_f64(), high.as_secs_f64()))
    }
}

/// The finalizer of SplitMix64: neighbouring keys give unrelated streams.
fn mix(key: u64) -> u64 {
    let mut z = key.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_neighbours_differ_and_repeat() {
        let first = Chance::of(1, &[1, 2]).number();
        assert_eq!(first, Chance::of(1, &[1, 2]).number());
        assert_ne!(first, Chance::of(1, &[2, 1]).number());
        assert_ne!(first, Chance::of(2, &[1, 2]).number());
    }

    #[test]
    fn half_of_a_log_normal_lies_below_its_median() {
        let mut chance = Chance::of(7, &[]);
        let below = (0..10_000).filter(|_| chance.log_normal(120.0, 0.6) < 120.0).count();
        assert!((4_800..5_200).contains(&below), "{below}");
    }
}
