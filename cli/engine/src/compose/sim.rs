//! The simulated driver, for dry runs of job files. It has no settings: the same jobs give the same results.

use std::sync::Arc;

use plimsoll_sim::driver::{SimDriver, SimSettings};

use super::{Equipped, Weight, Yard};
use plimsoll_host::probe::LightProbe;

pub(super) fn equip(yard: &Yard<'_>) -> Equipped {
    Equipped {
        driver: Arc::new(SimDriver::new(SimSettings::default(), yard.supervisor)),
        about: None,
        probe: Box::new(LightProbe::new(yard.profiles())),
        weight: Weight::Light,
    }
}
