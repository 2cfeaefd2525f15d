//! The driver over the Chrome DevTools Protocol, set up by `driver.cdp`.

use std::sync::Arc;

use plimsoll_cdp::{CdpDriver, CdpDriverError, CdpSettings};

use super::{ConfiguredDriver, DriverFactory};
use crate::capacity::ContextCost;
use crate::error::{EngineError, with_causes};
use plimsoll_host::executable::NamedPath;
use plimsoll_host::machine::Machine;
use plimsoll_host::probe::HostProbe;
use plimsoll_host::sandbox::Sandbox;

pub(super) fn configure(factory: &DriverFactory) -> Result<ConfiguredDriver, EngineError> {
    let cdp = &factory.settings.driver.cdp;
    let settings = CdpSettings {
        executable: cdp.executable.clone().map(|path| NamedPath::new(path, "driver.cdp.executable")),
        sandbox: if cdp.sandbox { Sandbox::On } else { Sandbox::Off },
        extra_args: cdp.args.clone(),
        ..CdpSettings::default()
    };
    let machine = Machine {
        spawner: factory.spawner.clone(),
        identity: factory.identity.clone(),
        profiles: Arc::clone(&factory.profiles),
    };
    let driver = CdpDriver::new(settings, machine, &factory.supervisor, factory.clock)
        .map_err(|error: CdpDriverError| EngineError::environment(with_causes(&error)))?;
    Ok(ConfiguredDriver {
        about: Some(driver.binary().path.display().to_string()),
        driver: Arc::new(driver),
        probe: Box::new(HostProbe::new(factory.spawner.clone(), factory.profiles())),
        cost: ContextCost::SharedBrowser,
    })
}
