//! May one more context start now? One synchronous decision, with a typed reason when the answer is no.

use std::fmt;
use std::time::Duration;

use crate::time::Moment;

/// The limits of admission.
#[derive(Debug, Clone, PartialEq)]
pub struct AdmissionConfig {
    /// Contexts that may be in creation at once.
    pub max_creating: u32,
    /// Contexts that may be active at once, those in creation and those being closed among them.
    pub max_contexts: u32,
}

impl Default for AdmissionConfig {
    /// The numbers of the founding incident: 50 in creation, 100 active.
    fn default() -> Self {
        Self { max_creating: 50, max_contexts: 100 }
    }
}

/// How much is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Contexts held, in whatever phase.
    pub active: u32,
    /// Contexts being created.
    pub creating: u32,
}

/// Why a job does not start now.
#[derive(Debug, Clone, PartialEq)]
pub enum Wait {
    /// As many contexts are being created as may be.
    Creating {
        /// How many.
        in_flight: u32,
        /// The limit.
        limit: u32,
    },
    /// As many contexts are active as may be.
    Active {
        /// How many.
        in_flight: u32,
        /// The limit.
        limit: u32,
    },
    /// No browser has room.
    Browser {
        /// Browsers that are starting.
        launching: u32,
    },
    /// It failed and its next attempt comes at this moment.
    Backoff(Moment),
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
            Self::Browser { launching } => write!(f, "no browser has room; {launching} are starting"),
            Self::Backoff(due) => write!(f, "its next attempt comes at {due}"),
        }
    }
}

/// The gates, and what they have learnt.
#[derive(Debug)]
pub struct Admission {
    config: AdmissionConfig,
}

impl Admission {
    /// Gates with nothing learnt yet.
    #[must_use]
    pub const fn new(config: AdmissionConfig) -> Self {
        Self { config }
    }

    /// Whether one more context may start under this load.
    ///
    /// # Errors
    /// The first gate that is shut.
    pub const fn admit(&self, _now: Moment, load: Load) -> Result<(), Wait> {
        let AdmissionConfig { max_creating, max_contexts } = self.config;
        if load.active >= max_contexts {
            return Err(Wait::Active { in_flight: load.active, limit: max_contexts });
        }
        if load.creating >= max_creating {
            return Err(Wait::Creating { in_flight: load.creating, limit: max_creating });
        }
        Ok(())
    }

    /// A context was created, in so long.
    pub const fn opened(&mut self, _took: Duration) {}

    /// How many contexts may be active.
    #[must_use]
    pub const fn limit(&self) -> u32 {
        self.config.max_contexts
    }
}
