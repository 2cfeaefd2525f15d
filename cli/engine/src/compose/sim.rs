//! The simulated driver, for dry runs of job files. It has no settings: the same jobs give the same results.

use std::sync::Arc;

use plimsoll_sim::driver::{SimDriver, SimSettings};

use super::{ConfiguredDriver, DriverFactory};
use crate::capacity::ContextCost;
use plimsoll_host::probe::LightProbe;

pub(super) fn configure(factory: &DriverFactory) -> ConfiguredDriver {
    ConfiguredDriver {
        driver: Arc::new(SimDriver::new(SimSettings::default(), &factory.supervisor)),
        about: None,
        probe: Box::new(LightProbe::new(factory.profiles())),
        cost: ContextCost::Light,
    }
}
