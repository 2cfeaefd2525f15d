//! [`ScopesConfig`]: what opens each kind of breaker, and how long it rests.

use std::time::Duration;

use crate::policy::backoff::Backoff;
use crate::policy::breaker::{BreakerConfig, Rates, Rule};
use crate::policy::leaky::LeakyConfig;
use crate::units::Ratio;

/// One breaker's settings per kind of scope, and how many keys of a kind are remembered.
#[derive(Debug, Clone, PartialEq)]
pub struct ScopesConfig {
    /// A browser process. It opens to have the browser replaced; it never closes again in practice.
    pub browser: BreakerConfig,
    /// A remote end of a driver that has several. The fleet itself keeps no such breakers: the driver does.
    pub endpoint: BreakerConfig,
    /// A proxy.
    pub proxy: BreakerConfig,
    /// A site.
    pub host: BreakerConfig,
    /// The machine and this program.
    pub global: BreakerConfig,
    /// The incident's counter.
    pub fuse: BreakerConfig,
    /// Browsers and proxies remembered, each (at least 1).
    pub max_keys: usize,
    /// Sites remembered (at least 1). A breaker takes about half a KiB.
    pub max_hosts: usize,
}

/// | scope | opens at | rests |
/// |---|---|---|
/// | browser | 3 failures in a row or 5 in 60 s (creations and crashed pages) | 60 s |
/// | endpoint | 50 % failed or 80 % slow, of at least 10 in 30 s | 5 s … 60 s |
/// | proxy | 5 failures in a row, or 60 % of at least 10 in 60 s | 30 s … 300 s |
/// | host | 80 % of at least 10 in 60 s | 30 s … 600 s |
/// | global | 50 % of at least 20 in 30 s | 30 s … 300 s |
/// | fuse | `failed_count` 50 | 30 s … 300 s, 5 probes |
///
/// The global breaker counts attempts, `internal` failures and starts of browsers. Failed starts alone seldom open it: the
/// back-off between them (`launch`) allows about five in 30 s.
///
/// Rests double where some systems add the same again each time: it reaches the cap in five steps instead of ten, and
/// one law is enough.
impl Default for ScopesConfig {
    fn default() -> Self {
        let minute = Rates { window: Duration::from_secs(60), slow_rate: None, ..Rates::default() };
        let rests = |base, cap| Backoff::doubling(Duration::from_secs(base), Duration::from_secs(cap));
        let breaker =
            |rates, open| BreakerConfig { rule: Rule::Rates(rates), open, ..BreakerConfig::default() };
        let some = |percent| Some(Ratio::percent(percent));
        Self {
            browser: breaker(
                Rates { failure_rate: None, failures: Some(5), in_a_row: Some(3), ..minute.clone() },
                rests(60, 60),
            ),
            // Detects both an endpoint that refuses in a millisecond and one that lets requests wait for minutes.
            endpoint: BreakerConfig {
                rule: Rule::Rates(Rates { in_a_row: Some(5), ..Rates::default() }),
                ..BreakerConfig::default()
            },
            proxy: breaker(
                Rates { failure_rate: some(60), in_a_row: Some(5), ..minute.clone() },
                rests(30, 300),
            ),
            host: BreakerConfig {
                quiet: Duration::from_secs(600),
                ..breaker(Rates { failure_rate: some(80), ..minute }, rests(30, 600))
            },
            global: breaker(Rates { min_calls: 20, slow_rate: None, ..Rates::default() }, rests(30, 300)),
            fuse: BreakerConfig {
                rule: Rule::Leaky(LeakyConfig::default()),
                open: rests(30, 300),
                probes: 5,
                ..BreakerConfig::default()
            },
            max_keys: 1_000,
            max_hosts: 10_000,
        }
    }
}
