//! How far a context may still grow, judged by its age.
//!
//! A context that took `m` bytes by age `a` is assumed to grow no faster than linearly: within the next [`SETTLE`] it takes at
//! most `m · SETTLE / a` more. The bound is wide for a young context, so a page that still grows is not trusted early, and it
//! narrows by itself as the context lives on.

use std::time::Duration;

use crate::units::Bytes;

/// How far ahead growth is reserved for: ten readings of the machine. After the same time a context counts as half grown.
pub(super) const SETTLE: Duration = Duration::from_secs(10);

/// What a context of this age may still take, beyond the `used` bytes it was measured to take.
pub(super) fn remaining(used: Bytes, age: Duration) -> Bytes {
    Bytes((used.0 as f64 * SETTLE.as_secs_f64() / age.as_secs_f64()) as u64)
}

/// The share of its final size that a context of this age has reached at least: 0 at its start, 1/2 after [`SETTLE`].
pub(super) fn grown(age: Duration) -> f64 {
    let age = age.as_secs_f64();
    age / (age + SETTLE.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_context_without_age_has_shown_nothing() {
        assert_eq!(grown(Duration::ZERO), 0.0);
        assert_eq!(remaining(Bytes::mib(1), Duration::ZERO), Bytes(u64::MAX));
    }

    proptest! {
        /// Both functions express one bound: used + remaining = used / grown.
        #[test]
        fn the_bound_narrows_with_age(used in 1u64 << 20..1 << 40, age in 1u64..100_000) {
            let bound = |age| used as f64 + remaining(Bytes(used), Duration::from_secs(age)).0 as f64;
            prop_assert!(bound(age + 1) <= bound(age));
            let same = used as f64 / grown(Duration::from_secs(age));
            prop_assert!((bound(age) / same - 1.0).abs() < 1e-3);
        }
    }
}
