//! The gates' settings.

use crate::policy::footprint::FootprintConfig;
use crate::policy::limit::aimd::{AimdConfig, AimdLimit};
use crate::policy::limit::gradient::{GradientConfig, GradientLimit};
use crate::policy::limit::{ActiveLimit, CreationLimit, MAX_CONTEXTS, MAX_CREATING};
use crate::policy::pressure::PressureConfig;
use crate::policy::scopes::ScopesConfig;

/// The gates' settings.
#[derive(Debug, Clone, PartialEq)]
pub struct AdmissionConfig {
    /// Contexts that may be in creation at once, at most.
    pub max_creating: u32,
    /// Contexts that may be active at once, at most; those in creation and those being closed among them.
    pub max_contexts: u32,
    /// Whether these numbers are the limits or their ceilings.
    pub policy: LimitPolicy,
    /// How an adaptive limit on creations moves; its ceiling is `max_creating`, and it starts at the number of cores.
    pub creation: GradientConfig,
    /// How an adaptive limit on active contexts moves; its ceiling is `max_contexts`.
    pub active: AimdConfig,
    /// The ledger of predicted memory.
    pub footprint: FootprintConfig,
    /// The levels of pressure.
    pub pressure: PressureConfig,
    /// The breakers.
    pub scopes: ScopesConfig,
}

/// How the limits are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitPolicy {
    /// They are the configured numbers.
    Fixed,
    /// They follow the machine, below the configured numbers. A search for the creation limit starts at the number of
    /// cores.
    Adaptive {
        /// Processors this program may use.
        cores: u32,
    },
}

impl Default for AdmissionConfig {
    /// The incident's numbers, 50 in creation and 100 active, as ceilings of limits that adapt.
    fn default() -> Self {
        Self {
            max_creating: MAX_CREATING,
            max_contexts: MAX_CONTEXTS,
            policy: LimitPolicy::Adaptive { cores: 2 },
            creation: GradientConfig::default(),
            active: AimdConfig::default(),
            footprint: FootprintConfig::default(),
            pressure: PressureConfig::default(),
            scopes: ScopesConfig::default(),
        }
    }
}

impl AdmissionConfig {
    pub(super) fn limits(&self) -> (CreationLimit, ActiveLimit) {
        match self.policy {
            LimitPolicy::Fixed => {
                (CreationLimit::Fixed(self.max_creating), ActiveLimit::Fixed(self.max_contexts))
            }
            LimitPolicy::Adaptive { cores } => {
                let gradient = GradientConfig { start: cores, max: self.max_creating, ..self.creation };
                let aimd = AimdConfig { max: self.max_contexts, ..self.active };
                (
                    CreationLimit::Adaptive(GradientLimit::new(gradient)),
                    ActiveLimit::Adaptive(AimdLimit::new(aimd)),
                )
            }
        }
    }
}
