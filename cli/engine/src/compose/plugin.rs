//! Drivers from libraries, set up by `driver.plugins` and `driver.plugin.NAME`.

use std::sync::Arc;

use plimsoll_core::port::Driver as _;
use plimsoll_loader::{HostProgram, Loader, PluginDriver};

use super::{ConfiguredDriver, DriverFactory};
use crate::capacity::ContextCost;
use crate::error::{EngineError, with_causes};
use crate::settings::{Isolation, PluginSettings};
use plimsoll_host::probe::{HostProbe, LightProbe};

/// Loads the driver of this name.
pub(super) async fn load(factory: &DriverFactory, name: &str) -> Result<PluginDriver, EngineError> {
    let settings = factory.settings.driver.plugin.get(name).cloned().unwrap_or_default();
    let PluginSettings { path, isolation, config, .. } = settings;
    let Some(path) = path.or_else(|| factory.settings.driver.plugins.find(name)) else {
        let dirs = factory.settings.driver.plugins.dirs();
        let dirs: Vec<_> = dirs.iter().map(|dir| dir.display().to_string()).collect();
        return Err(EngineError::usage(format!(
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
        spawner: factory.spawner.clone(),
        supervisor: factory.supervisor.clone(),
        clock: factory.clock,
        program: HostProgram::default(),
    };
    let loaded = loader.load(&path, isolation, config.0.into()).await;
    let driver = loaded.map_err(|error| EngineError::environment(with_causes(&error)))?;
    if let Some(two_names) = two_names(name, driver.name()) {
        tracing::warn!("{two_names}");
    }
    Ok(driver)
}

/// A sentence about a driver whose own name is not the name in the settings.
fn two_names(name: &str, own: &str) -> Option<String> {
    let sentence = || {
        format!(
            "the driver `{name}` calls itself `{own}` (`Driver::name`); settings and results say `{name}`"
        )
    };
    (own != name).then(sentence)
}

pub(super) async fn configure(factory: &DriverFactory, name: &str) -> Result<ConfiguredDriver, EngineError> {
    let driver = load(factory, name).await?;
    let library = &driver.info().library;
    let about = Some(format!("{} {} ({})", library.name, library.version, library.path.display()));
    // A driver that renders has a browser among its child processes, and we measure these processes.
    let renders = driver.capabilities().contains(plimsoll_core::capability::Capability::Screenshot);
    Ok(if renders {
        let probe = Box::new(HostProbe::new(factory.spawner.clone(), factory.profiles()));
        ConfiguredDriver { driver: Arc::new(driver), about, probe, cost: ContextCost::SharedBrowser }
    } else {
        let probe = Box::new(LightProbe::new(factory.profiles()));
        ConfiguredDriver { driver: Arc::new(driver), about, probe, cost: ContextCost::Light }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_with_two_names_is_announced() {
        assert_eq!(two_names("demo", "demo"), None);
        let sentence = two_names("demo-driver", "demo").expect("there are two");
        assert!(sentence.starts_with("the driver `demo-driver` calls itself `demo`"), "{sentence}");
    }
}
