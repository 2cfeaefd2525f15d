//! Limits: how many contexts may be *being created* at once, and how many may be *active*.
//!
//! A limit is only a number; [`admission`](crate::policy::admission) decides whether something may start. It may fall
//! below what is in flight: that is a debt, paid as permits come back. Nothing is ever killed to honour it.
//!
//! Each comes in two kinds. *Fixed* is the incident's pair, 50 and 100. *Adaptive* takes the same numbers as ceilings and
//! finds its own below them: creations follow their latency ([`gradient`]), actives follow the pressure ([`aimd`]). On
//! two cores 50 creations at once halve the throughput of four; on eight cores the adaptive pair pays for its caution
//! with a ramp of some seconds.

pub(crate) mod aimd;
pub(crate) mod gradient;

use self::aimd::AimdLimit;
pub use self::aimd::MAX_CONTEXTS;
use self::gradient::GradientLimit;
pub(crate) use self::gradient::MAX_CREATING;

/// How many contexts may be being created at once.
#[derive(Debug, Clone)]
pub(crate) enum CreationLimit {
    /// Always this number.
    Fixed(u32),
    /// As many as can be created without queueing for the processor.
    Adaptive(GradientLimit),
}

impl CreationLimit {
    /// The limit now.
    #[must_use]
    pub(crate) fn current(&self) -> u32 {
        match self {
            Self::Fixed(limit) => *limit,
            Self::Adaptive(limit) => limit.current(),
        }
    }
}

impl Default for CreationLimit {
    fn default() -> Self {
        Self::Fixed(MAX_CREATING)
    }
}

/// How many contexts may be active at once.
#[derive(Debug, Clone)]
pub(crate) enum ActiveLimit {
    /// Always this number.
    Fixed(u32),
    /// As many as the machine bears without pressure.
    Adaptive(AimdLimit),
}

impl ActiveLimit {
    /// The limit now.
    #[must_use]
    pub(crate) fn current(&self) -> u32 {
        match self {
            Self::Fixed(limit) => *limit,
            Self::Adaptive(limit) => limit.current(),
        }
    }
}

impl Default for ActiveLimit {
    fn default() -> Self {
        Self::Fixed(MAX_CONTEXTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_limits_are_the_incidents() {
        assert_eq!((CreationLimit::default().current(), ActiveLimit::default().current()), (50, 100));
    }
}
