//! The driver over W3C WebDriver, set up by `driver.webdriver`.

use std::path::PathBuf;
use std::sync::Arc;

use plimsoll_webdriver::{Family, Remote, WebDriverDriver, WebDriverSettings};

use super::{ConfiguredDriver, DriverFactory};
use crate::error::{EngineError, with_causes};
use crate::settings::{self, BrowserName, SharedMachine};
use plimsoll_host::executable::NamedPath;
use plimsoll_host::identity::Identity;
use plimsoll_host::machine::Machine;
use plimsoll_host::neighbours;
use plimsoll_host::probe::{HostProbe, LightProbe};
use plimsoll_host::sandbox::Sandbox;

pub(super) fn configure(factory: &DriverFactory) -> Result<ConfiguredDriver, EngineError> {
    let written = &factory.settings.driver.webdriver;
    let family = match written.browser {
        BrowserName::Chromium => Family::Chromium,
        BrowserName::Firefox => Family::Firefox,
    };
    let named = |path: &Option<PathBuf>, key| path.as_ref().map(|path| NamedPath::new(path, key));
    let settings = WebDriverSettings {
        family,
        remotes: remotes(written)?,
        driver: match family {
            Family::Chromium => named(&written.chromedriver, "driver.webdriver.chromedriver"),
            Family::Firefox => named(&written.geckodriver, "driver.webdriver.geckodriver"),
        },
        executable: named(&written.executable, "driver.webdriver.executable"),
        sandbox: if written.sandbox { Sandbox::On } else { Sandbox::Off },
        extra_args: written.args.clone(),
        capabilities: written.capabilities.0.clone(),
        breaker: factory.settings.breakers.scopes().endpoint,
        ..WebDriverSettings::default()
    };
    let is_remote = !settings.remotes.is_empty();
    if !is_remote && written.shared_machine == SharedMachine::Refuse {
        refuse_company(family, &factory.identity)?;
    }
    let machine = Machine {
        spawner: factory.spawner.clone(),
        identity: factory.identity.clone(),
        profiles: Arc::clone(&factory.profiles),
    };
    let driver = WebDriverDriver::new(settings, machine, &factory.supervisor, factory.clock)
        .map_err(|error| EngineError::environment(with_causes(&error)))?;
    let (about, driver) = (Some(driver.describe()), Arc::new(driver));
    let cost = super::expected_cost(&factory.settings, "webdriver");
    Ok(if is_remote {
        let slots = Arc::clone(&driver);
        let probe = LightProbe::new(factory.profiles()).with_slots(move || slots.slots());
        ConfiguredDriver { driver, about, probe: Box::new(probe), cost }
    } else {
        let probe = Box::new(HostProbe::new(factory.spawner.clone(), factory.profiles()));
        ConfiguredDriver { driver, about, probe, cost }
    })
}

/// Refuses to start a driver process on a machine where somebody else is: its port has no password.
fn refuse_company(family: Family, browsers: &Identity) -> Result<(), EngineError> {
    let program = match family {
        Family::Chromium => "chromedriver",
        Family::Firefox => "geckodriver",
    };
    match neighbours::other_person(browsers) {
        None => Ok(()),
        Some(uid) => Err(EngineError::environment(format!(
            "another person uses this machine (processes of uid {uid}), and the port of {program} is open to every user: \
             they could read the cookies of running jobs and start programs as the browsers' user; choose the driver \
             `cdp`, which opens no port, or, if you trust every user of this machine, set \
             driver.webdriver.shared_machine = \"allow\""
        ))),
    }
}

/// The remote ends, each with the user that the settings name.
fn remotes(written: &settings::WebDriverSettings) -> Result<Vec<Remote>, EngineError> {
    let password = written.password().map_err(EngineError::usage)?;
    let remote = |(address, weight): (&settings::Address, u32)| {
        let mut url = address.expose().clone();
        if let (Some(user), Some(password)) = (&written.username, &password) {
            // An http address has a host, so a user can be set.
            let _ = url.set_username(user);
            let _ = url.set_password(Some(password.expose()));
        }
        // The parser's error would show the whole address; the reader knows the address as it is written.
        Remote::parse(url.as_str(), weight).map_err(|_| {
            EngineError::usage(format!(
                "`{address}` is no remote end; write it as in \"http://grid.example:4444\""
            ))
        })
    };
    written.remote_ends().map(remote).collect()
}
