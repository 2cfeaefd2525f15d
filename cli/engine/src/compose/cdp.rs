//! The driver over the Chrome DevTools Protocol, set up by `driver.cdp`.

use std::sync::Arc;

use plimsoll_cdp::{CdpDriver, CdpDriverError, CdpSettings};

use super::{Equipped, Weight, Yard};
use crate::failure::{Failure, with_causes};
use plimsoll_host::executable::NamedPath;
use plimsoll_host::machine::Machine;
use plimsoll_host::probe::HostProbe;
use plimsoll_host::sandbox::Sandbox;

pub(super) fn equip(yard: &Yard<'_>) -> Result<Equipped, Failure> {
    let cdp = &yard.settings.driver.cdp;
    let settings = CdpSettings {
        executable: cdp.executable.clone().map(|path| NamedPath::new(path, "driver.cdp.executable")),
        sandbox: if cdp.sandbox { Sandbox::On } else { Sandbox::Off },
        extra_args: cdp.args.clone(),
        ..CdpSettings::default()
    };
    let machine = Machine {
        spawner: yard.spawner.clone(),
        identity: yard.identity.clone(),
        profiles: Arc::clone(&yard.profiles),
    };
    let driver = CdpDriver::new(settings, machine, yard.supervisor, yard.clock)
        .map_err(|error: CdpDriverError| Failure::environment(with_causes(&error)))?;
    Ok(Equipped {
        about: Some(driver.binary().path.display().to_string()),
        driver: Arc::new(driver),
        probe: Box::new(HostProbe::new(yard.spawner.clone(), yard.profiles())),
        weight: Weight::Browsers,
    })
}
