//! [`DriverFactory`] makes the drivers that the settings name. It is the only place where concrete drivers meet the
//! machine's handles.
//!
//! ```text
//!   settings ─► routes ─► for each driver that a job may go to: the driver, its fleet's probe, its share of the ceilings
//! ```
//!
//! What crashed runs left is removed before the first driver is made.

mod cdp;
mod plugin;
mod share;
mod sim;
mod webdriver;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use plimsoll_core::port::{Driver, Probe};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::fleet::FleetConfig;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_core::time::Moment;
use plimsoll_host::identity::Identity;
use plimsoll_host::probe::HostProbe;
use plimsoll_host::profile::{self, ProfileRoot};
use plimsoll_host::spawn::Spawner;
use plimsoll_loader::PluginDriver;

pub use self::share::TooFew;
use crate::capacity::ContextCost;
use crate::error::{EngineError, with_causes};
use crate::routes::Routes;
use crate::settings::{BrowserName, Settings};

/// A driver with what its fleet needs.
pub struct ConfiguredDriver {
    /// The driver.
    pub driver: Arc<dyn Driver>,
    /// The path of the browser or library that the driver runs on, for reports.
    pub about: Option<String>,
    /// The sensors that its fleet reads.
    pub probe: Box<dyn Probe>,
    /// The resources that its contexts use on this machine.
    pub cost: ContextCost,
}

/// Makes drivers from settings.
pub struct DriverFactory {
    pub(super) settings: Settings,
    pub(super) identity: Identity,
    pub(super) spawner: Spawner,
    /// Where browsers keep their profiles; the directory is removed when the last handle is dropped.
    pub(super) profiles: Arc<ProfileRoot>,
    pub(super) supervisor: Supervisor,
    pub(super) clock: Clock,
}

impl DriverFactory {
    /// Opens the directory for profiles and removes what crashed runs left.
    ///
    /// # Errors
    /// When the environment lacks something: a place for profiles, an unprivileged user, a thread.
    pub async fn open(
        settings: &Settings,
        supervisor: &Supervisor,
        clock: Clock,
    ) -> Result<Self, EngineError> {
        let identity =
            Identity::for_browsers().map_err(|error| EngineError::environment(with_causes(&error)))?;
        let base = settings.profiles.root.clone().unwrap_or_else(profile::default_base);
        let profiles = ProfileRoot::open(&base, &identity)
            .map_err(|error| EngineError::environment(with_causes(&error)))?;
        let profiles = Arc::new(profiles);
        sweep(&profiles, base, supervisor).await;
        let spawner = Spawner::start().map_err(|error| {
            EngineError::environment(format!("the thread that starts browsers could not be started: {error}"))
        })?;
        let (settings, supervisor) = (settings.clone(), supervisor.clone());
        Ok(Self { settings, identity, spawner, profiles, supervisor, clock })
    }

    /// Where browsers keep their profiles.
    #[must_use]
    pub fn profiles(&self) -> &Path {
        self.profiles.path()
    }

    /// The current time of the run's clock.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// A driver that the program implements. Its fleet reads this machine's sensors; its contexts count as light.
    #[must_use]
    pub fn own(&self, driver: Arc<dyn Driver>) -> ConfiguredDriver {
        let probe = Box::new(HostProbe::new(self.spawner.clone(), self.profiles()));
        ConfiguredDriver { driver, about: None, probe, cost: ContextCost::Light }
    }

    /// Loads the driver of this name from its library.
    ///
    /// # Errors
    /// When there is no such library, or it is refused.
    pub async fn load(&self, name: &str) -> Result<PluginDriver, EngineError> {
        plugin::load(self, name).await
    }

    /// Makes the driver of this name.
    ///
    /// # Errors
    /// When there is no such driver, or the environment lacks what it needs.
    pub async fn configure(&self, name: &str) -> Result<ConfiguredDriver, EngineError> {
        match name {
            "cdp" => cdp::configure(self),
            "webdriver" => webdriver::configure(self),
            "sim" => Ok(sim::configure(self)),
            _ => plugin::configure(self, name).await,
        }
    }
}

/// The cost of a context of the driver `name` on this machine, as far as the settings show the cost. Whether a library
/// has browsers is known only after it is loaded.
#[must_use]
pub fn expected_cost(settings: &Settings, name: &str) -> ContextCost {
    let webdriver = &settings.driver.webdriver;
    match (name, webdriver.browser) {
        ("cdp", _) => ContextCost::SharedBrowser,
        ("webdriver", _) if webdriver.remote_ends().next().is_some() => ContextCost::Light,
        ("webdriver", BrowserName::Chromium) => ContextCost::OwnChromium,
        ("webdriver", BrowserName::Firefox) => ContextCost::OwnFirefox,
        _ => ContextCost::Light,
    }
}

/// The contexts that each driver may have active, with the cost of one context, in the order of `routes`; together
/// `limits.max_contexts` at most.
///
/// # Errors
/// When the ceiling is lower than the number of drivers.
pub fn shares(
    settings: &Settings,
    routes: &Routes,
    costs: &[ContextCost],
) -> Result<Vec<(ContextCost, u32)>, TooFew> {
    Ok(costs.iter().copied().zip(share::shares(settings, routes)?).collect())
}

/// The rules of each driver's fleet, in the order of `routes`; together they keep within the ceilings of `settings`.
///
/// # Errors
/// When the ceiling is lower than the number of drivers.
pub fn fleets(
    settings: &Settings,
    routes: &Routes,
    costs: &[ContextCost],
) -> Result<Vec<FleetConfig>, TooFew> {
    let fleets = routes.drivers().iter().zip(shares(settings, routes, costs)?);
    Ok(fleets.map(|(name, (cost, share))| share::fleet(settings, name, cost, share)).collect())
}

/// Removes what crashed runs left. A failed sweep does not prevent the run.
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
