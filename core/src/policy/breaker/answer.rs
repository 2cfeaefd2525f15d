//! What a breaker answers, announces and shows.

use crate::policy::breaker::{BreakerPermit, TripReason};
use crate::policy::window::Counts;
use crate::time::Moment;

/// Why there is no permit now.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Refused {
    /// The breaker is open.
    #[error("breaker is open until {until}: {why}")]
    Open {
        /// Ask again then.
        until: Moment,
        /// Why it opened.
        why: TripReason,
    },
    /// The breaker is half-open and the next probe is not due.
    #[error("breaker is half-open, waiting for a probe until {until}")]
    Probing {
        /// Ask again then, or as soon as an outcome was recorded.
        until: Moment,
    },
}

impl Refused {
    /// When to ask again.
    #[must_use]
    pub const fn until(&self) -> Moment {
        match self {
            Self::Open { until, .. } | Self::Probing { until } => *until,
        }
    }
}

/// A change of state, announced once.
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use = "each change is announced only once"]
pub enum Change {
    /// It opened.
    Opened {
        /// The end of the rest.
        until: Moment,
        /// The reason.
        why: TripReason,
    },
    /// The rest is over; probes may go.
    HalfOpened,
    /// It closed.
    Closed,
}

/// The answer to [`try_acquire`](super::Breaker::try_acquire).
#[derive(Debug, PartialEq)]
pub struct Answer {
    /// The permit, or why there is none.
    pub permit: Result<BreakerPermit, Refused>,
    /// What the passing of time had changed.
    pub change: Option<Change>,
}

/// What a breaker shows to people.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum State {
    /// Calls go through.
    Closed {
        /// What its rule has seen; for a leaky counter only `failures` is filled.
        counts: Counts,
    },
    /// No calls go through.
    Open {
        /// The end of the rest.
        until: Moment,
        /// The reason.
        why: TripReason,
    },
    /// One call at a time goes through.
    HalfOpen {
        /// Good probes so far.
        good: u32,
        /// Good probes that close it.
        needed: u32,
    },
}
