//! Every setting there is, with its default; and the layers they come from.
//!
//! `defaults < file < environment < --set < flags`. Unknown keys are errors, every mistake is reported at once with
//! the layer it stands in, and [`Layers::explain`] says which layer set a key.

mod layers;
mod source;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use plimsoll_core::outcome::FailureClass;
use plimsoll_core::policy::admission::{AdmissionConfig, LimitPolicy};
use plimsoll_core::policy::dispatch::DispatchConfig;
use plimsoll_core::policy::placement::PlacementConfig;
use plimsoll_core::policy::retry::RetryPolicy;
use plimsoll_core::runtime::fleet::FleetConfig;
use serde::{Deserialize, Serialize};

pub use layers::{Explanation, Layers, Mistake, SettingsError};
pub use source::Source;

/// All settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// What may run at once.
    pub limits: LimitSettings,
    /// What is tried again.
    pub retry: RetrySettings,
    /// How long things may take.
    pub timeouts: TimeoutSettings,
    /// Who makes browsers.
    pub driver: DriverSettings,
    /// Where browsers keep their profiles.
    pub profiles: ProfileSettings,
}

/// `limits`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// Contexts that may be active at once.
    pub max_contexts: u32,
    /// Contexts that may be in creation at once.
    pub max_creating: u32,
    /// Whether these numbers are the limits or their ceilings.
    pub policy: LimitPolicyName,
    /// Browsers that may be starting at once.
    pub max_launching: u32,
    /// Jobs that may wait in memory.
    pub queue_capacity: usize,
    /// How long a job is held back because its host fails, before it fails too.
    #[serde(with = "duration")]
    pub host_patience: Duration,
}

/// `limits.policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitPolicyName {
    /// The configured numbers are the limits.
    Fixed,
    /// The limits follow the machine, below the configured numbers.
    Adaptive,
}

/// `retry`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetrySettings {
    /// Attempts a job may have; 1 means no retry.
    pub attempts: u32,
    /// Failure classes that may be retried.
    pub classes: BTreeSet<FailureClass>,
    /// Bound of the first wait between two attempts; it doubles.
    #[serde(with = "duration")]
    pub base: Duration,
    /// Longest wait between two attempts.
    #[serde(with = "duration")]
    pub cap: Duration,
}

/// `timeouts`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeoutSettings {
    /// One attempt of a job that sets no timeout of its own.
    #[serde(with = "duration")]
    pub attempt: Duration,
    /// The start of a browser.
    #[serde(with = "duration")]
    pub launch: Duration,
    /// What running jobs get after the first Ctrl-C.
    #[serde(with = "duration")]
    pub grace: Duration,
}

/// `driver`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DriverSettings {
    /// Which driver: `cdp`.
    pub name: String,
    /// The CDP driver.
    pub cdp: CdpDriverSettings,
}

/// `driver.cdp`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CdpDriverSettings {
    /// The browser to start; found on this machine unless said otherwise.
    pub executable: Option<PathBuf>,
    /// The browser's sandbox. Turning it off is an explicit choice that is logged each time.
    pub sandbox: bool,
    /// Contexts a browser holds at once.
    pub contexts_per_browser: u32,
    /// A browser is replaced after so many contexts.
    pub recycle_after_contexts: u64,
    /// A browser is replaced at this age.
    #[serde(with = "duration")]
    pub recycle_after: Duration,
    /// More command-line arguments for the browser.
    pub args: Vec<String>,
}

/// `profiles`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProfileSettings {
    /// The directory under which profile directories are made; one in the system's temporary directory unless said
    /// otherwise.
    pub root: Option<PathBuf>,
}

impl Default for LimitSettings {
    fn default() -> Self {
        let dispatch = DispatchConfig::default();
        Self {
            max_contexts: dispatch.admission.max_contexts,
            max_creating: dispatch.admission.max_creating,
            policy: LimitPolicyName::Adaptive,
            max_launching: dispatch.placement.max_launching,
            queue_capacity: dispatch.queue_capacity,
            host_patience: dispatch.host_patience,
        }
    }
}

impl Default for RetrySettings {
    fn default() -> Self {
        let RetryPolicy { attempts, classes, base, cap } = RetryPolicy::default();
        Self { attempts, classes, base, cap }
    }
}

impl Default for TimeoutSettings {
    fn default() -> Self {
        // 30 s for a page and for a browser, as Puppeteer and Playwright have it; 10 s of grace, as docker stop.
        let half_a_minute = Duration::from_secs(30);
        Self { attempt: half_a_minute, launch: half_a_minute, grace: Duration::from_secs(10) }
    }
}

impl Default for DriverSettings {
    fn default() -> Self {
        Self { name: "cdp".to_owned(), cdp: CdpDriverSettings::default() }
    }
}

impl Default for CdpDriverSettings {
    fn default() -> Self {
        let placement = PlacementConfig::default();
        Self {
            executable: None,
            sandbox: true,
            contexts_per_browser: placement.contexts_per_browser,
            recycle_after_contexts: placement.recycle_after_contexts,
            recycle_after: placement.recycle_after,
            args: Vec::new(),
        }
    }
}

impl Settings {
    /// What is wrong with values that are each of the right type: a key and a sentence.
    #[must_use]
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let positive = [
            ("limits.max_contexts", u64::from(self.limits.max_contexts)),
            ("limits.max_creating", u64::from(self.limits.max_creating)),
            ("limits.max_launching", u64::from(self.limits.max_launching)),
            ("limits.queue_capacity", self.limits.queue_capacity as u64),
            ("retry.attempts", u64::from(self.retry.attempts)),
            ("driver.cdp.contexts_per_browser", u64::from(self.driver.cdp.contexts_per_browser)),
            ("driver.cdp.recycle_after_contexts", self.driver.cdp.recycle_after_contexts),
        ];
        let mut problems: Vec<_> = positive
            .into_iter()
            .filter(|(_, value)| *value == 0)
            .map(|(key, _)| (key, "is 0; it must be at least 1".to_owned()))
            .collect();
        for (key, value) in
            [("timeouts.attempt", self.timeouts.attempt), ("timeouts.launch", self.timeouts.launch)]
        {
            if value.is_zero() {
                problems.push((key, "is zero; nothing could ever be in time".to_owned()));
            }
        }
        if self.driver.name != "cdp" {
            problems.push(("driver.name", format!("is `{}`; there is only `cdp`", self.driver.name)));
        }
        problems
    }

    /// The fleet's share of the settings.
    #[must_use]
    pub fn fleet(&self, seed: u64) -> FleetConfig {
        let Self { limits, retry, timeouts, driver, .. } = self;
        FleetConfig {
            dispatch: DispatchConfig {
                admission: AdmissionConfig {
                    max_creating: limits.max_creating,
                    max_contexts: limits.max_contexts,
                    policy: match limits.policy {
                        LimitPolicyName::Fixed => LimitPolicy::Fixed,
                        LimitPolicyName::Adaptive => LimitPolicy::Adaptive { cores: cores() },
                    },
                    ..AdmissionConfig::default()
                },
                placement: PlacementConfig {
                    contexts_per_browser: driver.cdp.contexts_per_browser,
                    max_launching: limits.max_launching,
                    recycle_after_contexts: driver.cdp.recycle_after_contexts,
                    recycle_after: driver.cdp.recycle_after,
                },
                retry: RetryPolicy {
                    attempts: retry.attempts,
                    classes: retry.classes.clone(),
                    base: retry.base,
                    cap: retry.cap,
                },
                queue_capacity: limits.queue_capacity,
                host_patience: limits.host_patience,
                ..DispatchConfig::default()
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

/// Durations as people write them, in both directions.
mod duration {
    use std::time::Duration;

    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_duration(*duration))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        plimsoll_core::duration::deserialize(deserializer)
    }
}
