//! `limits`: what may run at once. Core keeps these numbers in the configs of several policies; users find them in one
//! table.

use std::time::Duration;

use plimsoll_core::policy::{DispatchConfig, LimitPolicy};
use plimsoll_core::quantity::span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What may run at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// Contexts active at once. Contexts in creation and contexts that are being closed count.
    #[schemars(range(min = 1, max = 100_000))]
    pub max_contexts: u32,
    /// Contexts in creation at once. A number above `limits.max_contexts` has the effect of that number.
    #[schemars(range(min = 1, max = 100_000))]
    pub max_creating: u32,
    /// `adaptive`: limits follow the machine, and the two numbers above are their ceilings. `fixed`: the two numbers are the
    /// limits; memory and pressure are shown but limit nothing, and breakers work as usual.
    pub policy: LimitPolicyName,
    /// Browsers starting at once.
    #[schemars(range(min = 1, max = 1_000))]
    pub max_launching: u32,
    /// Jobs that wait in memory. The file is read on as they leave the queue.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub queue_capacity: usize,
    /// How long a job may wait in the queue for its first attempt before it expires; without it, without end.
    #[serde(with = "span::optional")]
    #[schemars(with = "Option<span::Span>", example = &"10m", extend("x-least" = "1ms"))]
    pub queue_timeout: Option<Duration>,
    /// How long jobs wait for the breaker of their host or proxy before they fail with its reason. Jobs wait at least as
    /// long for browsers that could be started before and cannot be started any more.
    #[serde(with = "span")]
    #[schemars(with = "span::Span")]
    pub host_patience: Duration,
    /// How many times as long as on an idle machine the creation of a context may take before fewer are allowed at once.
    /// Values of 2 to 3 suit remote grids, because their latency varies for other reasons.
    #[schemars(range(min = 1, max = 100))]
    pub creation_tolerance: f64,
}

/// `limits.policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum LimitPolicyName {
    /// The configured numbers are the limits.
    Fixed,
    /// The limits follow the machine, below the configured numbers.
    Adaptive,
}

impl Default for LimitSettings {
    fn default() -> Self {
        let DispatchConfig { admission, placement, queue_capacity, queue_timeout, host_patience, .. } =
            DispatchConfig::default();
        Self {
            max_contexts: admission.max_contexts,
            max_creating: admission.max_creating,
            policy: LimitPolicyName::Adaptive,
            max_launching: placement.max_launching,
            queue_capacity,
            queue_timeout,
            host_patience,
            creation_tolerance: admission.creation.tolerance,
        }
    }
}

impl LimitSettings {
    pub(super) fn policy(&self, cores: u32) -> LimitPolicy {
        match self.policy {
            LimitPolicyName::Fixed => LimitPolicy::Fixed,
            LimitPolicyName::Adaptive => LimitPolicy::Adaptive { cores },
        }
    }
}
