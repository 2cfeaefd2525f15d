//! [`Snapshot`]: the published state of a fleet.

use std::time::Duration;

use crate::policy::admission::Wait;
use crate::policy::ledger::Counts;
use crate::policy::pressure::{Level, Signal};
use crate::units::Bytes;

/// The state of a fleet at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// The time since the start of the fleet.
    pub at: Duration,
    /// The jobs by state.
    pub jobs: Counts,
    /// The number of contexts held, in any phase.
    pub active: u32,
    /// The number of contexts being created.
    pub creating: u32,
    /// The number of browsers that are ready.
    pub browsers: u32,
    /// The number of browsers that are starting.
    pub launching: u32,
    /// The number of browsers that failed and were replaced.
    pub browser_restarts: u64,
    /// The current limit of active contexts.
    pub active_limit: u32,
    /// The current limit of contexts in creation.
    pub creation_limit: u32,
    /// The pressure level.
    pub pressure: Level,
    /// Signals whose sensors return no value.
    pub blind: Vec<Signal>,
    /// The memory of all browsers together.
    pub memory: Option<Bytes>,
    /// How often a breaker opened.
    pub breaker_trips: u64,
    /// Why the next job does not start now; `None` when no job waits.
    pub waiting_for: Option<Wait>,
    /// The highest number of contexts held at once so far.
    pub peak_active: u32,
    /// The highest number of contexts in creation at once so far.
    pub peak_creating: u32,
    /// The number of tasks that panicked.
    pub panics: u64,
}
