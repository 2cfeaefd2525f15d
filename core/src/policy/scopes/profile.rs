//! [`BreakerSettings`]: which breakers a fleet has and how soon they open, in three numbers instead of some forty.

use serde::{Deserialize, Serialize};

use crate::policy::breaker::{BreakerConfig, Rates, Rule};
use crate::policy::leaky::LeakyConfig;
use crate::policy::scopes::config::ScopesConfig;
use crate::units::Ratio;

/// When something that keeps failing is no longer used, and for how long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "settings", derive(schemars::JsonSchema))]
pub struct BreakerSettings {
    /// `windowed`: a breaker for each browser, proxy and host and for the machine, which opens by the failures within a
    /// window of time; the counter of `breakers.trips_at` comes last. `leaky`: that counter and the breakers of browsers
    /// alone.
    pub policy: BreakerPolicy,
    /// How soon the windowed breakers open. `strict`: at half the failures. `tolerant`: at twice the failures.
    pub profile: BreakerProfile,
    /// The counter opens the breaker of the whole fleet at this value. A failure adds one, a success takes one away.
    #[cfg_attr(feature = "settings", schemars(range(min = 1, max = 1_000_000)))]
    pub trips_at: u32,
}

/// `breakers.policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "settings", derive(schemars::JsonSchema), schemars(inline))]
pub enum BreakerPolicy {
    /// By the failures within a window of time.
    #[default]
    Windowed,
    /// By one counter of failures less successes.
    Leaky,
}

/// `breakers.profile`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "settings", derive(schemars::JsonSchema), schemars(inline))]
pub enum BreakerProfile {
    /// The rules of [`ScopesConfig::default`].
    #[default]
    Default,
    /// At half the failures.
    Strict,
    /// At twice the failures; a share that would pass 95 % stays there.
    Tolerant,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        let LeakyConfig { trips_at, .. } = LeakyConfig::default();
        Self { policy: BreakerPolicy::default(), profile: BreakerProfile::default(), trips_at }
    }
}

impl BreakerSettings {
    /// The rules of every breaker.
    #[must_use]
    pub fn scopes(&self) -> ScopesConfig {
        let defaults = ScopesConfig::default();
        let counter =
            LeakyConfig { trips_at: self.trips_at, eased_to: self.trips_at / 2, ..LeakyConfig::default() };
        let windowed = |config: BreakerConfig| match self.policy {
            BreakerPolicy::Windowed => self.profile.apply(config),
            BreakerPolicy::Leaky => never_opens(config),
        };
        ScopesConfig {
            browser: self.profile.apply(defaults.browser),
            endpoint: windowed(defaults.endpoint),
            proxy: windowed(defaults.proxy),
            host: windowed(defaults.host),
            global: windowed(defaults.global),
            fuse: BreakerConfig { rule: Rule::Leaky(counter), ..defaults.fuse },
            ..defaults
        }
    }
}

impl BreakerProfile {
    fn apply(self, config: BreakerConfig) -> BreakerConfig {
        let Rule::Rates(rates) = config.rule else { return config };
        let share = |limit: Ratio| {
            Ratio::new(match self {
                Self::Default => limit.value(),
                Self::Strict => limit.value() / 2.0,
                Self::Tolerant => (limit.value() * 2.0).min(0.95),
            })
        };
        let count = |failures: u32| match self {
            Self::Default => failures,
            Self::Strict => failures.div_ceil(2),
            Self::Tolerant => failures.saturating_mul(2),
        };
        let rates = Rates {
            failure_rate: rates.failure_rate.map(share),
            slow_rate: rates.slow_rate.map(share),
            failures: rates.failures.map(count),
            in_a_row: rates.in_a_row.map(count),
            ..rates
        };
        BreakerConfig { rule: Rule::Rates(rates), ..config }
    }
}

/// The same breaker, which no failure opens.
fn never_opens(config: BreakerConfig) -> BreakerConfig {
    let none =
        Rates { failure_rate: None, slow_rate: None, failures: None, in_a_row: None, ..Rates::default() };
    BreakerConfig { rule: Rule::Rates(none), ..config }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_settings_are_the_default_rules() {
        assert_eq!(BreakerSettings::default().scopes(), ScopesConfig::default());
    }

    #[test]
    fn a_profile_moves_the_lines_and_the_leaky_policy_takes_them_away() {
        let host = |settings: BreakerSettings| match settings.scopes().host.rule {
            Rule::Rates(rates) => rates.failure_rate.map(Ratio::value),
            Rule::Leaky(_) => None,
        };
        let profile = |profile| BreakerSettings { profile, ..BreakerSettings::default() };
        assert_eq!(host(profile(BreakerProfile::Default)), Some(0.8));
        assert_eq!(host(profile(BreakerProfile::Strict)), Some(0.4));
        assert_eq!(host(profile(BreakerProfile::Tolerant)), Some(0.95));
        assert_eq!(
            host(BreakerSettings { policy: BreakerPolicy::Leaky, ..BreakerSettings::default() }),
            None
        );
    }
}
