//! `pressure`: when the machine counts as short of something.

use plimsoll_core::policy::PressureProfile;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When the machine counts as short of memory, of descriptors, of processes or of disk. docs/memory.md has the numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PressureSettings {
    /// Where the levels elevated (grow no further), critical (admit nothing) and emergency (give memory back) begin.
    /// `default`: for a machine that this program has to itself. `strict`: every level begins earlier, for a machine that
    /// must keep a large reserve. `shared-host`: memory levels begin earlier, and a stall of any program counts sooner.
    pub profile: PressureProfile,
}
