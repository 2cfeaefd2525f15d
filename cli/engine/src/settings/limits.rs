//! `limits`: what may run at once.

use std::time::Duration;

use plimsoll_core::policy::admission::LimitPolicy;
use plimsoll_core::policy::dispatch::DispatchConfig;
use plimsoll_core::policy::limit::aimd::AimdConfig;
use plimsoll_core::policy::limit::gradient::GradientConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::unit::span;

/// What may run at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// Contexts active at once, those in creation and those being closed among them.
    #[schemars(range(min = 1, max = 100_000))]
    pub max_contexts: u32,
    /// Contexts in creation at once. More than `limits.max_contexts` means as many as those.
    #[schemars(range(min = 1, max = 100_000))]
    pub max_creating: u32,
    /// `adaptive`: limits follow the machine, and these numbers are their ceilings. `fixed`: these numbers are the limits,
    /// memory and pressure are only watched, breakers guard on.
    pub policy: LimitPolicyName,
    /// Browsers starting at once.
    #[schemars(range(min = 1, max = 1_000))]
    pub max_launching: u32,
    /// Jobs that wait in memory; the file is read on as they leave.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub queue_capacity: usize,
    /// How long a job may wait in the queue for its first attempt before it expires; for ever unless set. It holds for a
    /// run: SIGHUP does not change it.
    #[serde(with = "span::optional")]
    #[schemars(with = "Option<span::Span>", example = &"10m", extend("x-least" = "1ms"))]
    pub queue_timeout: Option<Duration>,
    /// How long jobs of a host or a proxy that fails are held back before they fail with that reason. Jobs wait at least as
    /// long for browsers that could be started before and cannot be any more.
    #[serde(with = "span")]
    #[schemars(with = "span::Span")]
    pub host_patience: Duration,
    /// How adaptive limits move.
    pub adaptive: AdaptiveSettings,
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

/// How adaptive limits move.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AdaptiveSettings {
    /// Active contexts that the limit starts from: enough to show how the machine takes them, few enough to be borne.
    #[schemars(range(min = 1, max = 100_000))]
    pub start_contexts: u32,
    /// The least time from one step up to the next: long enough for the last one's memory to show.
    #[serde(with = "span")]
    #[schemars(with = "span::Span", extend("x-least" = "100ms"))]
    pub grow_every: Duration,
    /// The least time from one cut to the next: long enough for the last one to have worked.
    #[serde(with = "span")]
    #[schemars(with = "span::Span", extend("x-least" = "100ms"))]
    pub cut_every: Duration,
    /// How many times as long as on an idle machine a creation may take before fewer are allowed at once. 2 to 3 suit
    /// remote grids, whose latency varies for other reasons.
    #[schemars(range(min = 1, max = 100))]
    pub creation_tolerance: f64,
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
            adaptive: AdaptiveSettings::default(),
        }
    }
}

impl Default for AdaptiveSettings {
    fn default() -> Self {
        let AimdConfig { start, grow_every, cut_every, .. } = AimdConfig::default();
        let GradientConfig { tolerance, .. } = GradientConfig::default();
        Self { start_contexts: start, grow_every, cut_every, creation_tolerance: tolerance }
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

impl AdaptiveSettings {
    pub(super) fn active(&self) -> AimdConfig {
        AimdConfig {
            start: self.start_contexts,
            grow_every: self.grow_every,
            cut_every: self.cut_every,
            ..AimdConfig::default()
        }
    }

    pub(super) fn creation(&self) -> GradientConfig {
        GradientConfig { tolerance: self.creation_tolerance, ..GradientConfig::default() }
    }
}
