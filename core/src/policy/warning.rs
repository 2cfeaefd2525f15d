//! [`Warnings`]: announces a repeated event at most once in 30 s, with the number of the others.
//!
//! A storm of ten thousand events becomes one line every 30 s that carries the number of the events that were only counted.
//! When a storm ends, [`Warnings::on_timeout`] gives the rest of the number as soon as the interval is over.

use std::time::Duration;

use crate::time::Moment;
use crate::units::Ratio;

/// When to warn, and how often at most.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "settings",
    derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema),
    serde(deny_unknown_fields, default)
)]
pub struct WarningConfig {
    /// The share of the limit on active contexts from which on its use is reported.
    #[cfg_attr(feature = "settings", serde(with = "crate::quantity::share"), schemars(with = "crate::quantity::share::Share", extend("x-least" = "1%")))]
    pub nearing: Ratio,
    /// The least time between two warnings. The next warning carries the number of those left out.
    #[cfg_attr(
        feature = "settings",
        serde(with = "crate::quantity::span"),
        schemars(with = "crate::quantity::span::Span")
    )]
    pub interval: Duration,
}

/// The incident's monitor: from 80 %, at most one in 30 s.
impl Default for WarningConfig {
    fn default() -> Self {
        Self { nearing: Ratio::percent(80), interval: Duration::from_secs(30) }
    }
}

impl WarningConfig {
    /// Whether `used` has come near `limit`. A limit of zero cannot be neared: it has been met.
    #[must_use]
    pub(crate) fn is_nearing(&self, used: u32, limit: u32) -> bool {
        limit > 0 && f64::from(used) >= self.nearing.value() * f64::from(limit)
    }
}

/// Limits how often one thing is announced.
#[derive(Debug, Clone)]
pub(crate) struct Warnings {
    interval: Duration,
    announced_at: Option<Moment>,
    suppressed: u64,
}

impl Warnings {
    /// At most one announcement per `interval`.
    #[must_use]
    pub(crate) const fn new(interval: Duration) -> Self {
        Self { interval, announced_at: None, suppressed: 0 }
    }

    /// Counts one event. If it is to be announced, returns how many events before it were only counted.
    pub(crate) fn record(&mut self, now: Moment) -> Option<u64> {
        if self.announced_at.is_some_and(|at| now.since(at) < self.interval) {
            self.suppressed = self.suppressed.saturating_add(1);
            return None;
        }
        self.announced_at = Some(now);
        Some(std::mem::take(&mut self.suppressed))
    }

    /// The number of events that were only counted, once their interval is over (see [`Warnings::poll_timeout`]).
    pub(crate) fn on_timeout(&mut self, now: Moment) -> Option<u64> {
        if self.poll_timeout()? > now {
            return None;
        }
        self.announced_at = Some(now);
        self.take_suppressed()
    }

    /// The number of events that were only counted, if there are any: for the end of a run, which does not wait.
    pub(crate) const fn take_suppressed(&mut self) -> Option<u64> {
        match std::mem::replace(&mut self.suppressed, 0) {
            0 => None,
            suppressed => Some(suppressed),
        }
    }

    /// When [`Warnings::on_timeout`] returns a number, if ever.
    #[must_use]
    pub(crate) fn poll_timeout(&self) -> Option<Moment> {
        let announced_at = self.announced_at.filter(|_| self.suppressed > 0)?;
        Some(announced_at + self.interval)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secs(seconds: u64) -> Moment {
        Moment::after(Duration::from_secs(seconds))
    }

    fn warnings() -> Warnings {
        Warnings::new(WarningConfig::default().interval)
    }

    #[test]
    fn the_warning_begins_at_four_fifths() {
        let config = WarningConfig::default();
        assert!(!config.is_nearing(79, 100));
        assert!(config.is_nearing(80, 100));
        assert!(config.is_nearing(130, 100));
        assert!(!config.is_nearing(5, 0));
    }

    #[test]
    fn a_storm_is_two_lines_with_an_exact_number() {
        let mut warnings = warnings();
        assert_eq!(warnings.record(secs(0)), Some(0));
        assert_eq!(warnings.poll_timeout(), None);
        for _ in 0..9_999 {
            assert_eq!(warnings.record(secs(29)), None);
        }
        assert_eq!(warnings.poll_timeout(), Some(secs(30)));
        assert_eq!(warnings.on_timeout(secs(29)), None);
        assert_eq!(warnings.on_timeout(secs(30)), Some(9_999));
        assert_eq!(warnings.on_timeout(secs(30)), None);
    }

    proptest! {
        #[test]
        fn every_event_is_in_exactly_one_announcement_and_none_comes_too_often(
            events in prop::collection::vec((0u64..20, any::<bool>()), 1..300),
        ) {
            let mut warnings = warnings();
            let (mut now, mut events_so_far, mut announced) = (0, 0, 0);
            let mut last: Option<u64> = None;
            for (step, is_event) in events {
                now += step;
                events_so_far += u64::from(is_event);
                let said = if is_event {
                    warnings.record(secs(now)).map(|suppressed| suppressed + 1)
                } else {
                    warnings.on_timeout(secs(now))
                };
                if let Some(count) = said {
                    announced += count;
                    prop_assert!(last.is_none_or(|last| now - last >= 30));
                    last = Some(now);
                }
            }
            prop_assert_eq!(announced + warnings.take_suppressed().unwrap_or(0), events_so_far);
        }
    }
}
