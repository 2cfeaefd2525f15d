//! New rules for gates that are in use.

use super::{Admission, AdmissionConfig};
use crate::policy::limit::{ActiveLimit, CreationLimit};

impl Admission {
    /// Takes over new limits, pressure levels and breakers. A limit that keeps its policy keeps what it has found, within
    /// its new ceiling; breakers whose rules changed begin anew, closed. The ledger of predicted memory stays.
    pub(in crate::policy) fn reconfigure(&mut self, config: AdmissionConfig) {
        let config = AdmissionConfig { footprint: self.config.footprint.clone(), ..config };
        let bounds = |config: &AdmissionConfig| (config.max_creating, config.max_contexts);
        let law = |config: &AdmissionConfig| (config.policy, config.creation.clone(), config.active.clone());
        if law(&config) != law(&self.config) {
            (self.creation, self.active) = config.limits();
        } else if bounds(&config) != bounds(&self.config) {
            match &mut self.creation {
                CreationLimit::Fixed(limit) => *limit = config.max_creating,
                CreationLimit::Adaptive(limit) => limit.set_max(config.max_creating),
            }
            match &mut self.active {
                ActiveLimit::Fixed(limit) => *limit = config.max_contexts,
                ActiveLimit::Adaptive(limit) => limit.set_max(config.max_contexts),
            }
        }
        if config.scopes != self.config.scopes {
            self.scopes.reconfigure(config.scopes.clone());
        }
        self.gauge.reconfigure(config.pressure.clone());
        self.config = config;
    }
}
