//! [`Eviction`]: one victim at a time, and a wait between them.
//!
//! earlyoom once killed two processes where one was enough, because it did not wait for the first to be gone. So the
//! next victim waits until the last one is *verified* gone and its memory had time to come back.

use std::time::Duration;

use crate::time::Moment;
use crate::units::Ratio;

/// The least time between one victim's end and the next victim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace(Duration);

impl Pace {
    /// 1 s when `memory` is above 97 %, else 5 s.
    #[must_use]
    pub fn at(memory: Ratio) -> Self {
        let hurry = memory > Ratio::percent(97);
        Self(if hurry { Duration::from_secs(1) } else { Duration::from_secs(5) })
    }

    /// The time between victims.
    #[must_use]
    pub const fn spacing(self) -> Duration {
        self.0
    }
}

/// A victim that is not gone after this long no longer holds up the next one: closing a context, then its browser, has
/// failed at every stage by then.
const GIVE_UP: Duration = Duration::from_secs(30);

/// Where the eviction of contexts stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Eviction {
    /// No attempt was ever evicted.
    #[default]
    Unused,
    /// A victim was chosen and is not yet gone.
    Waiting {
        /// When it was chosen.
        since: Moment,
    },
    /// The last victim is gone.
    Rested {
        /// Since when.
        since: Moment,
    },
}

impl Eviction {
    /// Whether a victim may be chosen at `now`.
    #[must_use]
    pub(crate) fn is_due(self, now: Moment, pace: Pace) -> bool {
        match self {
            Self::Unused => true,
            Self::Waiting { since } => now.since(since) >= GIVE_UP,
            Self::Rested { since } => now.since(since) >= pace.spacing(),
        }
    }

    /// A victim was chosen.
    pub(crate) const fn on_chosen(&mut self, now: Moment) {
        *self = Self::Waiting { since: now };
    }

    /// The victim is gone. News of a victim that was given up earlier is no news.
    pub(crate) const fn on_gone(&mut self, now: Moment) {
        if let Self::Waiting { .. } = self {
            *self = Self::Rested { since: now };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(seconds: u64) -> Moment {
        Moment::after(Duration::from_secs(seconds))
    }

    #[test]
    fn the_next_victim_waits_for_the_last_to_be_gone_and_then_some() {
        let (slow, fast) = (Pace::at(Ratio::percent(97)), Pace::at(Ratio::percent(98)));
        let mut eviction = Eviction::default();
        assert!(eviction.is_due(secs(0), slow));
        eviction.on_chosen(secs(0));
        assert!(!eviction.is_due(secs(29), fast), "not while the first is still there");
        assert!(eviction.is_due(secs(30), fast), "but not for ever");
        eviction.on_gone(secs(29));
        assert!(!eviction.is_due(secs(30) - Duration::from_millis(1), fast));
        assert!(eviction.is_due(secs(30), fast));
        assert!(!eviction.is_due(secs(33), slow));
        assert!(eviction.is_due(secs(34), slow));
        eviction.on_gone(secs(40));
        assert!(eviction.is_due(secs(40), slow), "a second report of the same end does not restart the rest");
    }
}
