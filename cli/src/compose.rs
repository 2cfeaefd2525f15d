//! The composition root: the only file that names concrete drivers and the machine's handles together.

use std::path::PathBuf;
use std::sync::Arc;

use plimsoll_cdp::{CdpDriver, CdpDriverError, CdpSettings, Machine, Sandbox};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::identity::Identity;
use plimsoll_host::profile::{self, ProfileRoot};
use plimsoll_host::spawn::Spawner;

use crate::failure::{Failure, with_causes};
use crate::probe::HostProbe;
use crate::settings::Settings;

/// A driver with what it runs on.
#[derive(Debug)]
pub struct Equipment {
    /// The driver that the settings chose.
    pub driver: Arc<CdpDriver>,
    /// The sensors of the machine it runs on.
    pub probe: HostProbe,
    /// Where its browsers keep their profiles; the directory goes when this is dropped.
    pub profiles: Arc<ProfileRoot>,
}

/// Sets up the driver that the settings choose, and clears away what a dead run left behind.
///
/// # Errors
/// When the environment lacks something: a browser, its sandbox, a place for profiles.
pub async fn equip(settings: &Settings, supervisor: &Supervisor, clock: Clock) -> Result<Equipment, Failure> {
    let identity = Identity::for_browsers().map_err(|error| Failure::environment(with_causes(&error)))?;
    let base = settings.profiles.root.clone().unwrap_or_else(profile::default_base);
    let profiles =
        ProfileRoot::open(&base, &identity).map_err(|error| Failure::environment(with_causes(&error)))?;
    let profiles = Arc::new(profiles);
    sweep(&profiles, base, supervisor).await;
    let spawner = Spawner::start().map_err(|error| {
        Failure::environment(format!("the thread that starts browsers could not be started: {error}"))
    })?;
    let cdp = &settings.driver.cdp;
    let cdp_settings = CdpSettings {
        executable: cdp.executable.clone(),
        sandbox: if cdp.sandbox { Sandbox::On } else { Sandbox::Off },
        extra_args: cdp.args.clone(),
        ..CdpSettings::default()
    };
    let probe = HostProbe::new(spawner.clone(), profiles.path());
    let machine = Machine { spawner, identity, profiles: Arc::clone(&profiles) };
    let driver = CdpDriver::new(cdp_settings, machine, supervisor, clock)
        .map_err(|error: CdpDriverError| Failure::environment(with_causes(&error)))?;
    Ok(Equipment { driver: Arc::new(driver), probe, profiles })
}

/// Clears away what dead runs left. A sweep that fails is no reason not to run.
async fn sweep(profiles: &Arc<ProfileRoot>, base: PathBuf, supervisor: &Supervisor) {
    let sweeping = Arc::clone(profiles);
    match supervisor.spawn_blocking("sweep", move || sweeping.sweep()).await {
        Ok(Ok(swept)) if swept.dirs_removed > 0 || swept.processes_killed > 0 => {
            tracing::info!(
                dirs = swept.dirs_removed,
                processes = swept.processes_killed,
                "cleared away what a dead run left behind"
            );
        }
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            tracing::warn!(base = %base.display(), %error, "cannot clear away what dead runs left");
        }
        Err(error) => tracing::warn!(base = %base.display(), %error, "cannot clear away what dead runs left"),
    }
}
