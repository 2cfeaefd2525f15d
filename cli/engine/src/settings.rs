//! Every setting, its default, and the layers that set it.
//!
//! ```text
//!   core's policies: retry memory warnings breakers pressure    (feature `settings`: serde and schemars)
//!   this crate:      limits timeouts log driver route profiles secrets
//!        └──────┴──────┴───── Settings ─────┴──► fleet(): the configuration of a fleet
//!   layers ─► Settings          defaults < file < environment < --set < flags
//!   reference                   every key with its meaning and range, drawn from the types; the JSON Schema
//!   change                      which changes take effect while a run goes on
//! ```
//!
//! Unknown keys are errors, every mistake is reported at once with its place, and [`Layers::explain`] names the layer that
//! set a key. Secrets are texts that no output shows ([`Secret`]).

mod bounded;
mod change;
mod contradictions;
mod driver;
mod file;
mod layer;
mod layers;
mod limits;
mod log;
mod mistake;
mod places;
mod pressure;
mod problem;
mod profiles;
mod redact;
pub mod reference;
mod route;
mod secret;
mod secrets;
mod source;
mod text;
mod timeouts;
mod typed;
mod verify;

use std::collections::BTreeSet;

use plimsoll_core::policy::{
    AdmissionConfig, BreakerSettings, DispatchConfig, FootprintConfig, GradientConfig, PlacementConfig,
    RestartIntensity, RetryBudgetConfig, RetryPolicy, WarningConfig,
};
use plimsoll_core::runtime::fleet::FleetConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::bounded::ReadError;
pub use self::change::{Changes, LIVE, changes, is_live};
pub use self::driver::{
    BUILT_IN, BrowserName, CdpDriverSettings, DriverSettings, EndpointSettings, Isolation, PluginSettings,
    PluginsSettings, SharedMachine, WebDriverSettings,
};
pub use self::layers::{Explanation, Layers, SettingsSources};
pub use self::limits::{LimitPolicyName, LimitSettings};
pub use self::log::{LogFormat, LogSettings};
pub use self::mistake::{Mistake, SettingsError};
pub use self::pressure::PressureSettings;
pub use self::problem::Problem;
pub use self::profiles::ProfileSettings;
pub use self::redact::{Address, FreeTable};
pub use self::route::{FallbackSettings, RouteSettings, RuleSettings};
pub use self::secret::{REDACTED, Secret, SecretError};
pub use self::secrets::SecretsSettings;
pub use self::source::Source;
pub use self::timeouts::TimeoutSettings;
use crate::decode::nearest;

/// The default settings as a file with a comment for each key.
pub const DEFAULTS: &str = include_str!("settings/defaults.toml");

/// Settings of Plimsoll.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Settings of Plimsoll")]
pub struct Settings {
    /// What may run at once.
    pub limits: LimitSettings,
    /// How much memory may be filled, and what a context is expected to take before contexts have been measured.
    pub memory: FootprintConfig,
    /// Which failed attempts are made again, and when.
    pub retry: RetryPolicy,
    /// How long things may take.
    pub timeouts: TimeoutSettings,
    /// When something that keeps failing is no longer used, and for how long.
    pub breakers: BreakerSettings,
    /// When the machine counts as short of memory, descriptors, processes or disk. docs/memory.md has the numbers.
    pub pressure: PressureSettings,
    /// When the use of the limit is reported, and how often.
    pub warnings: WarningConfig,
    /// What is logged to standard error, and how.
    pub log: LogSettings,
    /// Which driver runs jobs, and how each driver starts browsers.
    pub driver: DriverSettings,
    /// Which driver a job goes to, when there are several. A job's own `driver` precedes all of it.
    pub route: RouteSettings,
    /// Where browsers keep their files.
    pub profiles: ProfileSettings,
    /// Where the secrets are that jobs name.
    pub secrets: SecretsSettings,
}

impl Settings {
    /// Values that are each good by themselves and contradict each other.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let Self { memory, retry, log, driver, route, .. } = self;
        let mut problems = Vec::from_iter(contradictions::of_memory(memory));
        problems.extend(contradictions::of_retry(retry));
        problems.extend(log.problems());
        problems.extend(driver.problems());
        problems.extend(route.problems(self.default_driver(), self.limits.max_contexts));
        problems.extend(self.unknown_drivers());
        problems
    }

    /// These settings, if they pass every check that a file's settings pass.
    ///
    /// # Errors
    /// With every mistake, in the words that a file's mistakes have.
    pub fn checked(self) -> Result<Self, SettingsError> {
        let mistakes = typed::mistakes(&self);
        if mistakes.is_empty() { Ok(self) } else { Err(SettingsError(mistakes)) }
    }

    /// A file that is to hold a secret and does not.
    fn unreadable_secret(&self) -> Option<Problem> {
        let webdriver = &self.driver.webdriver;
        let path = webdriver.password_file.as_ref().filter(|_| webdriver.password.is_none())?;
        let why = webdriver.password().err()?;
        Some(Problem::of(["driver.webdriver.password_file"], format!("the file {} {why}", path.display())))
    }

    /// Every driver that the settings name and that is neither built in nor a library.
    fn unknown_drivers(&self) -> Vec<Problem> {
        let libraries = self.driver.libraries();
        let known: BTreeSet<&str> =
            BUILT_IN.into_iter().chain(libraries.iter().map(String::as_str)).collect();
        let known = Vec::from_iter(known);
        let named = std::iter::once(("driver.name".to_owned(), self.driver.name.as_str()));
        let unknown = named.chain(self.route.names()).filter(|(_, name)| !known.contains(name));
        let problem = |(key, name): (String, &str)| {
            let hint = nearest(name, known.iter().copied()).map(|name| format!("; did you mean `{name}`?"));
            let hint = hint.unwrap_or_default();
            let message = format!("there is no driver `{name}`{hint} (known: {})", known.join(", "));
            Problem::of([key], message)
        };
        unknown.map(problem).collect()
    }

    /// The driver of jobs that no rule matches.
    #[must_use]
    pub fn default_driver(&self) -> &str {
        self.route.default.as_ref().unwrap_or(&self.driver.name)
    }

    /// The configuration of a fleet.
    #[must_use]
    pub fn fleet(&self, seed: u64) -> FleetConfig {
        let Self { limits, memory, retry, timeouts, breakers, pressure, warnings, driver, .. } = self;
        let default = AdmissionConfig::default();
        FleetConfig {
            dispatch: DispatchConfig {
                admission: AdmissionConfig {
                    max_creating: limits.max_creating,
                    max_contexts: limits.max_contexts,
                    policy: limits.policy(cores()),
                    creation: GradientConfig { tolerance: limits.creation_tolerance, ..default.creation },
                    active: default.active,
                    footprint: memory.clone(),
                    pressure: pressure.profile.config(),
                    scopes: breakers.scopes(),
                },
                placement: PlacementConfig {
                    contexts_per_browser: driver.contexts_per_browser(&driver.name),
                    max_launching: limits.max_launching,
                    recycle_after_contexts: driver.cdp.recycle_after_contexts,
                    recycle_after: driver.cdp.recycle_after,
                },
                retry: retry.clone(),
                retry_budget: RetryBudgetConfig::default(),
                restarts: RestartIntensity::default(),
                warnings: warnings.clone(),
                queue_capacity: limits.queue_capacity,
                queue_timeout: limits.queue_timeout,
                host_patience: limits.host_patience,
            },
            attempt_timeout: timeouts.attempt,
            launch_timeout: timeouts.launch,
            seed,
        }
    }
}

/// The processors this program may use.
fn cores() -> u32 {
    std::thread::available_parallelism().map_or(2, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use plimsoll_core::policy::LimitPolicy;

    use super::*;

    #[test]
    fn the_default_settings_are_the_fleets_own_defaults() {
        let mut dispatch = Settings::default().fleet(0).dispatch;
        dispatch.admission.policy = AdmissionConfig::default().policy;
        assert_eq!(dispatch, DispatchConfig::default());
        assert!(matches!(AdmissionConfig::default().policy, LimitPolicy::Adaptive { .. }));
    }
}
