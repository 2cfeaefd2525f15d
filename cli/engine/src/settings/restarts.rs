//! `restarts`: how often browsers may die before the fleet rests.

use std::time::Duration;

use plimsoll_core::policy::backoff::Backoff;
use plimsoll_core::policy::restart::RestartIntensity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::problem::{Problem, no_shorter};
use super::unit::span;

/// How often browsers may die before the fleet rests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RestartSettings {
    /// Deaths within `restarts.period` after which a browser is replaced at once.
    #[schemars(range(min = 0, max = 10_000))]
    pub at_once: usize,
    /// The period they are counted over.
    #[serde(with = "span")]
    #[schemars(with = "span::Span", extend("x-least" = "1s"))]
    pub period: Duration,
    /// The rest before the next start after one death more; doubled with each further death.
    #[serde(with = "span")]
    #[schemars(with = "span::Span", extend("x-least" = "1ms"))]
    pub rest: Duration,
    /// No such rest is longer.
    #[serde(with = "span")]
    #[schemars(with = "span::Span", extend("x-least" = "1ms"))]
    pub longest_rest: Duration,
    /// A browser that lives this long clears the record.
    #[serde(with = "span")]
    #[schemars(with = "span::Span", extend("x-least" = "1s"))]
    pub healthy_after: Duration,
    /// A browser that serves this many contexts clears it too.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub healthy_contexts: u32,
}

impl Default for RestartSettings {
    fn default() -> Self {
        let RestartIntensity { restarts, period, rest, healthy_after, healthy_served } =
            RestartIntensity::default();
        Self {
            at_once: restarts,
            period,
            rest: rest.base,
            longest_rest: rest.cap,
            healthy_after,
            healthy_contexts: healthy_served,
        }
    }
}

impl RestartSettings {
    pub(super) fn intensity(&self) -> RestartIntensity {
        RestartIntensity {
            restarts: self.at_once,
            period: self.period,
            rest: Backoff::doubling(self.rest, self.longest_rest),
            healthy_after: self.healthy_after,
            healthy_served: self.healthy_contexts,
        }
    }

    pub(super) fn problems(&self) -> Option<Problem> {
        no_shorter("restarts.longest_rest", self.longest_rest, "restarts.rest", self.rest)
    }
}
