//! The answers of the gates: why a job does not start now, and the announcements for observers.

use std::fmt;

use crate::id::SlotId;
use crate::policy::breaker::Change;
use crate::policy::footprint::Shortage;
use crate::policy::pressure::{Cause, Level, LevelChange};
use crate::policy::scopes::{Blocked, Scope};
use crate::time::Moment;

/// Why a job does not start now.
#[derive(Debug, Clone, PartialEq)]
pub enum Wait {
    /// As many contexts are being created as may be.
    Creating {
        /// How many.
        in_flight: u32,
        /// The limit now.
        limit: u32,
    },
    /// As many contexts are active as may be.
    Active {
        /// How many.
        in_flight: u32,
        /// The limit now.
        limit: u32,
    },
    /// The machine is under pressure.
    Pressure(Level, Option<Cause>),
    /// One more would not fit into memory, counting what the others were promised.
    Memory(Shortage),
    /// Memory cannot be seen, and as many contexts are being created as is safe blindly.
    Blind {
        /// The limit while blind.
        limit: u32,
    },
    /// A breaker is open.
    Breaker(Blocked),
    /// No browser has room.
    Browser {
        /// Browsers that are starting.
        launching: u32,
    },
    /// It is held back until then: it failed, or its host's breaker is open.
    HeldBack(Moment),
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Creating { in_flight, limit } => {
                write!(f, "{in_flight} contexts are being created; the limit is {limit}")
            }
            Self::Active { in_flight, limit } => {
                write!(f, "{in_flight} contexts are active; the limit is {limit}")
            }
            Self::Pressure(level, Some(cause)) => write!(f, "pressure is {level}: {cause}"),
            Self::Pressure(level, None) => write!(f, "pressure is {level}"),
            Self::Memory(shortage) => shortage.fmt(f),
            Self::Blind { limit } => {
                write!(f, "memory cannot be seen; {limit} creations at once are the limit meanwhile")
            }
            Self::Breaker(blocked) => blocked.fmt(f),
            Self::Browser { launching } => write!(f, "no browser has room; {launching} are starting"),
            Self::HeldBack(due) => write!(f, "held back until {due}"),
        }
    }
}

/// An event for observers, announced once.
#[derive(Debug, Clone, PartialEq)]
pub enum Announcement {
    /// The level of pressure changed.
    Pressure(LevelChange),
    /// A breaker changed its state.
    Breaker(Scope, Change),
    /// At least 80 % of the limit was in use; at most once in 30 s.
    Nearing {
        /// The most contexts that were active since the last such announcement.
        active: u32,
        /// The configured limit.
        limit: u32,
        /// How many more times a context began above that share since then.
        suppressed: u64,
    },
    /// An attempt was evicted to save the machine; its job waits for another.
    Evicted(SlotId),
}

impl fmt::Display for Announcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pressure(LevelChange { from, to, cause: Some(cause) }) => {
                write!(f, "pressure {from} -> {to}: {cause}")
            }
            Self::Pressure(LevelChange { from, to, cause: None }) => write!(f, "pressure {from} -> {to}"),
            Self::Breaker(scope, Change::Opened { until, why }) => {
                write!(f, "breaker {scope} open until {until}: {why}")
            }
            Self::Breaker(scope, Change::HalfOpened) => write!(f, "breaker {scope} half-open"),
            Self::Breaker(scope, Change::Closed) => write!(f, "breaker {scope} closed"),
            Self::Nearing { active, limit, suppressed: 0 } => {
                write!(f, "{active} of {limit} contexts are active")
            }
            Self::Nearing { active, limit, suppressed } => {
                write!(
                    f,
                    "up to {active} of {limit} contexts were active; {suppressed} such warnings were held back"
                )
            }
            Self::Evicted(slot) => write!(f, "{slot} evicted to save memory; its job will be tried again"),
        }
    }
}
