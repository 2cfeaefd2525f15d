//! Time as policies see it: a [`Moment`] on one monotonic line that starts at zero.
//!
//! Policies never read a clock; the runtime (or the simulator) hands them the current moment. A
//! plain number instead of `std::time::Instant` lets a simulation start at zero, jump, and print
//! the same trace on every machine.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

use serde::Serialize;

/// A point on the monotonic time line of one fleet, in nanoseconds since the fleet began.
///
/// Arithmetic saturates at both ends (584 years), so no clock jump can panic a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct Moment(u64);

impl Moment {
    /// The moment at which the fleet began.
    pub const ZERO: Self = Self(0);
    /// Later than every moment a run can reach.
    pub const NEVER: Self = Self(u64::MAX);

    /// The moment `elapsed` after the beginning.
    #[must_use]
    pub fn after(elapsed: Duration) -> Self {
        Self(u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX))
    }

    /// The time since the beginning.
    #[must_use]
    pub const fn elapsed(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    /// The time since `earlier`; zero if `earlier` is later than this moment.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(Self::after(rhs).0))
    }
}

impl AddAssign<Duration> for Moment {
    fn add_assign(&mut self, rhs: Duration) {
        *self = *self + rhs;
    }
}

impl Sub<Duration> for Moment {
    type Output = Self;

    fn sub(self, rhs: Duration) -> Self {
        Self(self.0.saturating_sub(Self::after(rhs).0))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{:.3}s", self.elapsed().as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_instead_of_panicking() {
        assert_eq!(Moment::NEVER + Duration::from_secs(1), Moment::NEVER);
        assert_eq!(Moment::ZERO - Duration::from_secs(1), Moment::ZERO);
        assert_eq!(Moment::ZERO.since(Moment::NEVER), Duration::ZERO);
        assert_eq!(Moment::after(Duration::MAX), Moment::NEVER);
    }
}
