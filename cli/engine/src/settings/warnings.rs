//! `warnings`: when to warn, and how often.

use std::time::Duration;

use plimsoll_core::policy::warning::WarningConfig;
use plimsoll_core::units::Ratio;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::unit::{share, span};

/// When to warn that the limit is near, and how often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WarningSettings {
    /// From this share of the limit on active contexts, its use is warned of.
    #[serde(with = "share")]
    #[schemars(with = "share::Share", extend("x-least" = "1%"))]
    pub nearing: Ratio,
    /// The least time between two warnings of a kind; what was kept back is counted in the next.
    #[serde(with = "span")]
    #[schemars(with = "span::Span")]
    pub interval: Duration,
}

impl Default for WarningSettings {
    fn default() -> Self {
        let WarningConfig { nearing, interval } = WarningConfig::default();
        Self { nearing, interval }
    }
}

impl WarningSettings {
    pub(super) fn config(&self) -> WarningConfig {
        WarningConfig { nearing: self.nearing, interval: self.interval }
    }
}
