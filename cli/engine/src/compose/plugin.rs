//! Drivers from libraries, set up by `driver.plugins` and `driver.plugin.NAME`.

use std::sync::Arc;

use plimsoll_core::port::Driver as _;
use plimsoll_loader::{HostProgram, Loader, PluginDriver};

use super::{Equipped, Weight, Yard};
use crate::failure::{Failure, with_causes};
use crate::settings::{Isolation, PluginSettings};
use plimsoll_host::probe::{HostProbe, LightProbe};

/// Loads the driver of this name.
pub(super) async fn load(yard: &Yard<'_>, name: &str) -> Result<PluginDriver, Failure> {
    let settings = yard.settings.driver.plugin.get(name).cloned().unwrap_or_default();
    let PluginSettings { path, isolation, config, .. } = settings;
    let Some(path) = path.or_else(|| yard.settings.driver.plugins.find(name)) else {
        let dirs = yard.settings.driver.plugins.dirs();
        let dirs: Vec<_> = dirs.iter().map(|dir| dir.display().to_string()).collect();
        return Err(Failure::usage(format!(
            "there is no driver `{name}`: it is not built in, and no library of this name is in {}; `plimsoll drivers` \
             lists what there is",
            dirs.join(", ")
        )));
    };
    let isolation = match isolation {
        Isolation::Process => plimsoll_loader::Isolation::Process,
        Isolation::InProcess => plimsoll_loader::Isolation::InProcess,
    };
    let loader = Loader {
        spawner: yard.spawner.clone(),
        supervisor: yard.supervisor.clone(),
        clock: yard.clock,
        program: HostProgram::default(),
    };
    let loaded = loader.load(&path, isolation, config.0.into()).await;
    loaded.map_err(|error| Failure::environment(with_causes(&error)))
}

pub(super) async fn equip(yard: &Yard<'_>, name: &str) -> Result<Equipped, Failure> {
    let driver = load(yard, name).await?;
    let library = &driver.info().library;
    let about = Some(format!("{} {} ({})", library.name, library.version, library.path.display()));
    // Who renders has a browser somewhere below, and its processes are ours to measure.
    let renders = driver.capabilities().contains(plimsoll_core::capability::Capability::Screenshot);
    Ok(if renders {
        let probe = Box::new(HostProbe::new(yard.spawner.clone(), yard.profiles()));
        Equipped { driver: Arc::new(driver), about, probe, weight: Weight::Browsers }
    } else {
        let probe = Box::new(LightProbe::new(yard.profiles()));
        Equipped { driver: Arc::new(driver), about, probe, weight: Weight::Light }
    })
}
