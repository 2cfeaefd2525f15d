//! What a driver is made from: [`Start`].

use plimsoll_core::outcome::Fault;
use plimsoll_core::port::Driver;
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use serde_json::Value;

use crate::counters::Counters;

/// The argument of the exported constructor. The constructor runs on the library's own runtime, so it may spawn tasks. It
/// should not block: work that takes time belongs in [`Driver::launch`].
#[derive(Debug)]
pub struct Start {
    /// The settings of this driver (`[driver.plugin.NAME.config]`), as JSON: a map, empty when there are none.
    pub config: Value,
    /// Owns every task of the driver; cancelled when the driver is no longer needed.
    pub supervisor: Supervisor,
    /// The clock of this driver.
    pub clock: Clock,
    /// Numbers for Plimsoll's metrics.
    pub counters: Counters,
}

impl Start {
    /// A start without Plimsoll, for unit tests of a driver: with this configuration, and counters in memory.
    #[must_use]
    pub fn detached(config: Value) -> Self {
        Self {
            config,
            supervisor: Supervisor::root(),
            clock: Clock::start(),
            counters: Counters::in_memory(),
        }
    }
}

/// The exported constructor, with its result as the library's answer.
pub(crate) type Make = fn(Start) -> Result<Box<dyn Driver>, Fault>;
