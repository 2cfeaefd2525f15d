//! What a driver is made from: [`Start`].

use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use serde_json::Value;

use crate::counters::Counters;

/// What the exported constructor is given. It runs on the library's own runtime, so it may spawn; it should not
/// block: what takes time belongs into [`Driver::launch`](crate::Driver::launch).
#[derive(Debug)]
pub struct Start {
    /// The settings of this driver (`[driver.NAME]`), as JSON: a map, empty when there are none.
    pub config: Value,
    /// Owns every task of the driver; cancelled when the driver is done with.
    pub supervisor: Supervisor,
    /// The time line of this driver.
    pub clock: Clock,
    /// Numbers for Plimsoll's metrics.
    pub counters: Counters,
}
