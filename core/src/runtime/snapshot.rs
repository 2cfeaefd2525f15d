//! [`Snapshot`]: the state of a fleet that others can read.

use std::time::Duration;

use crate::policy::admission::Wait;
use crate::policy::ledger::Counts;
use crate::policy::pressure::{Level, Signal};
use crate::units::Bytes;

/// The fleet at one instant.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// Since the fleet began.
    pub at: Duration,
    /// Where the jobs are.
    pub jobs: Counts,
    /// Contexts held, in whatever phase.
    pub active: u32,
    /// Contexts being created.
    pub creating: u32,
    /// Browsers that are ready.
    pub browsers: u32,
    /// Browsers that are starting.
    pub launching: u32,
    /// Browsers that died or hung and were replaced.
    pub browser_restarts: u64,
    /// Contexts that may be active now.
    pub active_limit: u32,
    /// Contexts that may be in creation now.
    pub creation_limit: u32,
    /// The level of pressure.
    pub pressure: Level,
    /// Signals whose sensors say nothing.
    pub blind: Vec<Signal>,
    /// What all browsers together occupy.
    pub memory: Option<Bytes>,
    /// How often a breaker opened.
    pub breaker_trips: u64,
    /// Why the next job does not start now; `None` when no job waits.
    pub waiting_for: Option<Wait>,
    /// The highest number of contexts held at once so far.
    pub peak_active: u32,
    /// The highest number of contexts in creation at once so far.
    pub peak_creating: u32,
    /// Tasks that panicked.
    pub panics: u64,
}
