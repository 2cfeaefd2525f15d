//! `memory`: what contexts are expected to take, and how much of the memory they may fill.

use std::time::Duration;

use plimsoll_core::policy::footprint::{Estimate, FootprintConfig};
use plimsoll_core::units::{Bytes, Ratio};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::problem::Problem;
use super::unit::{share, size, span};

/// How much memory may be filled, and what is expected of contexts before they are measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MemorySettings {
    /// The share of memory, in use and promised, above which no context is admitted. 80% suits a host shared with other
    /// work.
    #[serde(with = "share")]
    #[schemars(with = "share::Share", extend("x-least" = "1%"))]
    pub shut_above: Ratio,
    /// The share at or below which contexts are admitted again.
    #[serde(with = "share")]
    #[schemars(with = "share::Share", extend("x-least" = "1%"))]
    pub open_at: Ratio,
    /// The least time for which none is admitted then.
    #[serde(with = "span")]
    #[schemars(with = "span::Span")]
    pub shut_for: Duration,
    /// What a context is expected to take until contexts were measured.
    #[serde(with = "size")]
    #[schemars(with = "size::Size", extend("x-least" = "1MiB"))]
    pub context: Bytes,
    /// By how much contexts are expected to differ (one standard deviation) until then.
    #[serde(with = "size")]
    #[schemars(with = "size::Size")]
    pub context_spread: Bytes,
    /// What an empty context shows at once.
    #[serde(with = "size")]
    #[schemars(with = "size::Size")]
    pub blank_context: Bytes,
    /// What a browser takes before it has any context.
    #[serde(with = "size")]
    #[schemars(with = "size::Size")]
    pub browser: Bytes,
}

impl Default for MemorySettings {
    fn default() -> Self {
        let FootprintConfig { shut_above, open_at, shut_for, prior, blank, browser } =
            FootprintConfig::default();
        let Estimate { mean, deviation } = prior;
        Self {
            shut_above,
            open_at,
            shut_for,
            context: mean,
            context_spread: deviation,
            blank_context: blank,
            browser,
        }
    }
}

impl MemorySettings {
    pub(super) fn footprint(&self) -> FootprintConfig {
        FootprintConfig {
            shut_above: self.shut_above,
            open_at: self.open_at,
            shut_for: self.shut_for,
            prior: Estimate { mean: self.context, deviation: self.context_spread },
            blank: self.blank_context,
            browser: self.browser,
        }
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.open_at > self.shut_above {
            problems.push(Problem::of(
                ["memory.open_at", "memory.shut_above"],
                format!(
                    "{} lies above {}, where the gate shuts: it would never open",
                    self.open_at, self.shut_above
                ),
            ));
        }
        if self.blank_context > self.context {
            problems.push(Problem::of(
                ["memory.blank_context", "memory.context"],
                format!(
                    "an empty context cannot take more ({}) than any ({})",
                    self.blank_context, self.context
                ),
            ));
        }
        problems
    }
}
