//! Every setting there is, with its default; and the layers they come from.
//!
//! ```text
//!   limits memory retry timeouts breakers pressure ...   a module each: types, defaults, what contradicts what
//!        └──────┴──────┴───── Settings ─────┴──► fleet(): what core runs by
//!   layers ─► Settings          defaults < file < environment < --set < flags
//!   reference                   every key with its meaning and range, drawn from the types; the JSON Schema
//!   change                      what a new set of settings can change while a run goes on
//! ```
//!
//! Unknown keys are errors, every mistake is reported at once with its place, and [`Layers::explain`] says which layer set
//! a key. Secrets are texts that no output shows ([`Secret`]).

mod bounded;
mod breakers;
mod change;
mod class;
mod driver;
mod file;
mod layers;
mod limits;
mod log;
mod memory;
mod mistake;
mod pressure;
mod problem;
mod profiles;
mod redact;
pub mod reference;
mod restarts;
mod retry;
mod route;
mod secret;
mod source;
mod text;
mod timeouts;
mod unit;
mod verify;
mod warnings;

use std::collections::BTreeSet;

use plimsoll_core::policy::admission::AdmissionConfig;
use plimsoll_core::policy::dispatch::DispatchConfig;
use plimsoll_core::policy::placement::PlacementConfig;
use plimsoll_core::runtime::fleet::FleetConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::bounded::ReadError;
pub use self::breakers::{BreakerPolicy, BreakerSettings, LeakySettings, ScopeSettings};
pub use self::change::{Changes, LIVE, changes, is_live};
pub use self::driver::{
    BUILT_IN, BrowserName, CdpDriverSettings, DriverSettings, EndpointSettings, Isolation, PluginSettings,
    PluginsSettings, WebDriverSettings,
};
pub use self::layers::{Explanation, Layers, SettingsSources};
pub use self::limits::{AdaptiveSettings, LimitPolicyName, LimitSettings};
pub use self::log::{LogFormat, LogSettings};
pub use self::memory::MemorySettings;
pub use self::mistake::{Mistake, SettingsError};
pub use self::pressure::{Line, LineSettings, PressureSettings};
pub use self::problem::Problem;
pub use self::profiles::ProfileSettings;
pub use self::redact::{Address, FreeTable};
pub use self::restarts::RestartSettings;
pub use self::retry::{BudgetSettings, RetrySettings};
pub use self::route::{FallbackSettings, RouteSettings, RuleSettings};
pub use self::secret::{REDACTED, Secret, SecretError};
pub use self::source::Source;
pub use self::timeouts::TimeoutSettings;
pub use self::warnings::WarningSettings;
use crate::decode::nearest;

/// The defaults, as a settings file with a comment for each key.
pub const DEFAULTS: &str = include_str!("settings/defaults.toml");

/// Settings of Plimsoll.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Settings of Plimsoll")]
pub struct Settings {
    /// What may run at once.
    pub limits: LimitSettings,
    /// How much memory may be filled, and what is expected of contexts before they are measured.
    pub memory: MemorySettings,
    /// What is tried again.
    pub retry: RetrySettings,
    /// How long things may take.
    pub timeouts: TimeoutSettings,
    /// When something that keeps failing is left alone, and for how long.
    pub breakers: BreakerSettings,
    /// The lines at which the machine counts as short of something: each has one for the levels elevated (grow no further),
    /// critical (admit nothing) and emergency (give memory back).
    pub pressure: PressureSettings,
    /// How often browsers may die before the fleet rests.
    pub restarts: RestartSettings,
    /// When to warn that the limit is near, and how often.
    pub warnings: WarningSettings,
    /// What is logged to standard error, and how.
    pub log: LogSettings,
    /// Who makes browsers.
    pub driver: DriverSettings,
    /// Which driver a job goes to, when there are several. A job's own `driver` counts before all of it.
    pub route: RouteSettings,
    /// Where browsers keep their files.
    pub profiles: ProfileSettings,
}

impl Settings {
    /// What is wrong with values that are each good by themselves.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let Self { memory, retry, breakers, pressure, restarts, log, driver, route, .. } = self;
        let mut problems = memory.problems();
        problems.extend(retry.problems());
        problems.extend(breakers.problems());
        problems.extend(pressure.problems());
        problems.extend(restarts.problems());
        problems.extend(log.problems());
        problems.extend(driver.problems());
        problems.extend(route.problems(self.default_driver(), self.limits.max_contexts));
        problems.extend(self.unknown_drivers());
        problems
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

    /// The fleet's share of the settings.
    #[must_use]
    pub fn fleet(&self, seed: u64) -> FleetConfig {
        let Self { limits, memory, retry, timeouts, breakers, pressure, restarts, warnings, driver, .. } =
            self;
        FleetConfig {
            dispatch: DispatchConfig {
                admission: AdmissionConfig {
                    max_creating: limits.max_creating,
                    max_contexts: limits.max_contexts,
                    policy: limits.policy(cores()),
                    creation: limits.adaptive.creation(),
                    active: limits.adaptive.active(),
                    footprint: memory.footprint(),
                    pressure: pressure.config(),
                    scopes: breakers.scopes(),
                },
                placement: PlacementConfig {
                    contexts_per_browser: driver.contexts_per_browser(&driver.name),
                    max_launching: limits.max_launching,
                    recycle_after_contexts: driver.cdp.recycle_after_contexts,
                    recycle_after: driver.cdp.recycle_after,
                },
                retry: retry.policy(),
                retry_budget: retry.budget(),
                restarts: restarts.intensity(),
                warnings: warnings.config(),
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
    use plimsoll_core::policy::admission::LimitPolicy;

    use super::*;

    #[test]
    fn the_default_settings_are_the_fleets_own_defaults() {
        let mut dispatch = Settings::default().fleet(0).dispatch;
        dispatch.admission.policy = AdmissionConfig::default().policy;
        assert_eq!(dispatch, DispatchConfig::default());
        assert!(matches!(AdmissionConfig::default().policy, LimitPolicy::Adaptive { .. }));
    }
}
