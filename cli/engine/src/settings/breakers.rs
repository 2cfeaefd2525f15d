//! `breakers`: when something that keeps failing is left alone, and for how long.
//!
//! A threshold of 0 never opens its breaker.

use std::time::Duration;

use plimsoll_core::policy::backoff::Backoff;
use plimsoll_core::policy::breaker::{BreakerConfig, Rates, Rule};
use plimsoll_core::policy::leaky::LeakyConfig;
use plimsoll_core::policy::scopes::ScopesConfig;
use plimsoll_core::units::Ratio;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::problem::{Problem, no_shorter};
use super::unit::{share, span};

/// When something that keeps failing is left alone, and for how long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BreakerSettings {
    /// `windowed`: a breaker for each browser, driver, host and the machine, by what lately failed, and `breakers.leaky`
    /// as a last fuse. `leaky`: that counter, and the breakers of browsers.
    pub policy: BreakerPolicy,
    /// A browser: it opens to have the browser replaced. Its calls are pings, 5 s apart, and creations.
    pub browser: ScopeSettings,
    /// A remote end of the WebDriver driver: while it is open, sessions are asked for elsewhere.
    pub endpoint: ScopeSettings,
    /// A host that pages are loaded from.
    pub host: ScopeSettings,
    /// The machine and this program.
    pub global: ScopeSettings,
    /// The counter: one up for a failure, one down for a success.
    pub leaky: LeakySettings,
}

/// `breakers.policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum BreakerPolicy {
    /// By what failed within a window of time.
    Windowed,
    /// By one counter of failures less successes.
    Leaky,
}

/// One kind of breaker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScopeSettings {
    /// How far back calls are counted.
    #[serde(with = "span")]
    #[schemars(with = "span::Span", extend("x-least" = "1s", "x-most" = "1h"))]
    pub window: Duration,
    /// With fewer calls than this in the window, the two rates mean nothing.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub min_calls: u32,
    /// Share of calls that failed at which it opens; 0% never.
    #[serde(with = "share")]
    #[schemars(with = "share::Share")]
    pub failure_rate: Ratio,
    /// Share of calls that took too long at which it opens; 0% never.
    #[serde(with = "share")]
    #[schemars(with = "share::Share")]
    pub slow_rate: Ratio,
    /// Failures in the window at which it opens, however many calls succeeded; 0 never.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub failures: u32,
    /// Failures in a row at which it opens; 0 never.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub in_a_row: u32,
    /// How long it stays open the first time; twice as long each time it opens again before it was quiet.
    #[serde(with = "span")]
    #[schemars(with = "span::Span", extend("x-least" = "1ms"))]
    pub rest: Duration,
    /// No such rest is longer.
    #[serde(with = "span")]
    #[schemars(with = "span::Span", extend("x-least" = "1ms"))]
    pub longest_rest: Duration,
}

/// `breakers.leaky`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LeakySettings {
    /// The count at which it opens.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub trips_at: u32,
    /// The count after it has closed again.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub eased_to: u32,
    /// How much of the count drains in a second without any call.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub leak_per_second: f64,
    /// How long it stays open the first time; twice as long each time it opens again before it was quiet.
    #[serde(with = "span")]
    #[schemars(with = "span::Span", extend("x-least" = "1ms"))]
    pub rest: Duration,
    /// No such rest is longer.
    #[serde(with = "span")]
    #[schemars(with = "span::Span", extend("x-least" = "1ms"))]
    pub longest_rest: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        let scopes = ScopesConfig::default();
        Self {
            policy: BreakerPolicy::Windowed,
            browser: ScopeSettings::of(&scopes.browser),
            endpoint: ScopeSettings::of(&scopes.endpoint),
            host: ScopeSettings::of(&scopes.host),
            global: ScopeSettings::of(&scopes.global),
            leaky: LeakySettings::default(),
        }
    }
}

impl Default for ScopeSettings {
    fn default() -> Self {
        Self::of(&BreakerConfig::default())
    }
}

impl Default for LeakySettings {
    fn default() -> Self {
        let LeakyConfig { trips_at, eased_to, leak_per_s } = LeakyConfig::default();
        let Backoff { base, cap, .. } = ScopesConfig::default().fuse.open;
        Self { trips_at, eased_to, leak_per_second: leak_per_s, rest: base, longest_rest: cap }
    }
}

impl ScopeSettings {
    fn of(config: &BreakerConfig) -> Self {
        let rates = match &config.rule {
            Rule::Rates(rates) => rates.clone(),
            Rule::Leaky(_) => Rates::default(),
        };
        Self {
            window: rates.window,
            min_calls: rates.min_calls,
            failure_rate: rates.failure_rate.unwrap_or_default(),
            slow_rate: rates.slow_rate.unwrap_or_default(),
            failures: rates.failures.unwrap_or_default(),
            in_a_row: rates.in_a_row.unwrap_or_default(),
            rest: config.open.base,
            longest_rest: config.open.cap,
        }
    }

    fn config(&self, default: &BreakerConfig) -> BreakerConfig {
        let share = |rate: Ratio| (rate > Ratio::ZERO).then_some(rate);
        let count = |number: u32| (number > 0).then_some(number);
        let rates = Rates {
            window: self.window,
            min_calls: self.min_calls,
            failure_rate: share(self.failure_rate),
            slow_rate: share(self.slow_rate),
            failures: count(self.failures),
            in_a_row: count(self.in_a_row),
        };
        BreakerConfig {
            rule: Rule::Rates(rates),
            open: Backoff::doubling(self.rest, self.longest_rest),
            ..default.clone()
        }
    }

    /// The same, but it never opens.
    fn idle(&self) -> Self {
        Self { failure_rate: Ratio::ZERO, slow_rate: Ratio::ZERO, failures: 0, in_a_row: 0, ..self.clone() }
    }
}

impl BreakerSettings {
    /// The rules of every breaker.
    #[must_use]
    pub fn scopes(&self) -> ScopesConfig {
        let defaults = ScopesConfig::default();
        let LeakySettings { trips_at, eased_to, leak_per_second, rest, longest_rest } = self.leaky;
        let scope = |settings: &ScopeSettings, default: &BreakerConfig| match self.policy {
            BreakerPolicy::Windowed => settings.config(default),
            BreakerPolicy::Leaky => settings.idle().config(default),
        };
        ScopesConfig {
            browser: self.browser.config(&defaults.browser),
            endpoint: scope(&self.endpoint, &defaults.endpoint),
            proxy: match self.policy {
                BreakerPolicy::Windowed => defaults.proxy,
                BreakerPolicy::Leaky => ScopeSettings::of(&defaults.proxy).idle().config(&defaults.proxy),
            },
            host: scope(&self.host, &defaults.host),
            global: scope(&self.global, &defaults.global),
            fuse: BreakerConfig {
                rule: Rule::Leaky(LeakyConfig { trips_at, eased_to, leak_per_s: leak_per_second }),
                open: Backoff::doubling(rest, longest_rest),
                ..defaults.fuse
            },
            ..defaults
        }
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let Self { browser, endpoint, host, global, leaky, policy: _ } = self;
        let rests = [
            ("browser", browser.rest, browser.longest_rest),
            ("endpoint", endpoint.rest, endpoint.longest_rest),
            ("host", host.rest, host.longest_rest),
            ("global", global.rest, global.longest_rest),
            ("leaky", leaky.rest, leaky.longest_rest),
        ];
        let key = |scope, name| format!("breakers.{scope}.{name}");
        let mut problems: Vec<_> = rests
            .into_iter()
            .filter_map(|(scope, rest, longest)| {
                no_shorter(&key(scope, "longest_rest"), longest, &key(scope, "rest"), rest)
            })
            .collect();
        if leaky.eased_to >= leaky.trips_at {
            problems.push(Problem::of(
                ["breakers.leaky.eased_to", "breakers.leaky.trips_at"],
                format!("{} must be below {}, or it opens again at once", leaky.eased_to, leaky.trips_at),
            ));
        }
        problems
    }
}
