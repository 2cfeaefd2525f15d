//! [`Warnings`]: says a thing once in 30 s, and how often it kept silent.
//!
//! A storm of ten thousand failures becomes one line every 30 s that carries the number of the others; the counters stay
//! exact. When a storm ends before its interval does, [`Warnings::on_timeout`] tells the rest of the number.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::time::Moment;
use crate::units::Ratio;

/// When to warn, and how often at most.
#[derive(Debug, Clone, PartialEq)]
pub struct WarningConfig {
    /// From this share of a limit on, its use is worth a warning.
    pub nearing: Ratio,
    /// The least time between two announcements of one kind.
    pub interval: Duration,
}

/// The incident's monitor: from 80 %, at most one in 30 s.
impl Default for WarningConfig {
    fn default() -> Self {
        Self { nearing: Ratio::percent(80), interval: Duration::from_secs(30) }
    }
}

/// How many kinds are told apart; further ones are counted together and never announced.
const MAX_KINDS: usize = 1024;

impl WarningConfig {
    /// Whether `used` has come near `limit`. Nothing nears a limit of zero: it has been met.
    #[must_use]
    pub fn is_nearing(&self, used: u32, limit: u32) -> bool {
        limit > 0 && f64::from(used) >= self.nearing.value() * f64::from(limit)
    }
}

/// Announce now; `suppressed` events of the kind were not announced since the last time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Announcement {
    /// Events since the previous announcement that were only counted.
    pub suppressed: u64,
}

/// Rate limits announcements per kind `K`.
#[derive(Debug, Clone)]
pub struct Warnings<K> {
    interval: Duration,
    kinds: BTreeMap<K, Kind>,
    beyond: u64,
}

#[derive(Debug, Clone, Copy)]
struct Kind {
    announced: Moment,
    suppressed: u64,
    total: u64,
}

impl<K: Ord + Clone> Default for Warnings<K> {
    fn default() -> Self {
        Self::new(WarningConfig::default().interval)
    }
}

impl<K: Ord + Clone> Warnings<K> {
    /// At most one announcement of a kind per `interval`.
    #[must_use]
    pub const fn new(interval: Duration) -> Self {
        Self { interval, kinds: BTreeMap::new(), beyond: 0 }
    }

    /// Counts one event; says whether to announce it.
    pub fn record(&mut self, now: Moment, kind: &K) -> Option<Announcement> {
        let Some(seen) = self.kinds.get_mut(kind) else {
            if self.kinds.len() >= MAX_KINDS {
                self.beyond = self.beyond.saturating_add(1);
                return None;
            }
            self.kinds.insert(kind.clone(), Kind { announced: now, suppressed: 0, total: 1 });
            return Some(Announcement { suppressed: 0 });
        };
        seen.total = seen.total.saturating_add(1);
        if now.since(seen.announced) < self.interval {
            seen.suppressed = seen.suppressed.saturating_add(1);
            return None;
        }
        Some(seen.announce(now))
    }

    /// The kinds whose suppressed events nobody has been told of, their interval being over.
    pub fn on_timeout(&mut self, now: Moment) -> Vec<(K, Announcement)> {
        let interval = self.interval;
        let due = self.kinds.iter_mut().filter(|(_, kind)| kind.is_due(now, interval));
        due.map(|(name, kind)| (name.clone(), kind.announce(now))).collect()
    }

    /// When [`Warnings::on_timeout`] has something to say, if ever.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Moment> {
        let waiting = self.kinds.values().filter(|kind| kind.suppressed > 0);
        waiting.map(|kind| kind.announced + self.interval).min()
    }

    /// How many events of this kind there have been, announced or not.
    #[must_use]
    pub fn total(&self, kind: &K) -> u64 {
        self.kinds.get(kind).map_or(0, |kind| kind.total)
    }

    /// How many events were of kinds beyond those that are told apart.
    #[must_use]
    pub const fn beyond(&self) -> u64 {
        self.beyond
    }
}

impl Kind {
    fn is_due(&self, now: Moment, interval: Duration) -> bool {
        self.suppressed > 0 && now.since(self.announced) >= interval
    }

    const fn announce(&mut self, now: Moment) -> Announcement {
        self.announced = now;
        Announcement { suppressed: std::mem::replace(&mut self.suppressed, 0) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secs(seconds: u64) -> Moment {
        Moment::after(Duration::from_secs(seconds))
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
    fn a_storm_is_one_line_with_an_exact_number() {
        let mut warnings = Warnings::default();
        assert_eq!(warnings.record(secs(0), &"crash"), Some(Announcement { suppressed: 0 }));
        for _ in 0..9_999 {
            assert_eq!(warnings.record(secs(29), &"crash"), None);
        }
        assert_eq!(warnings.record(secs(29), &"other"), Some(Announcement { suppressed: 0 }));
        assert_eq!(warnings.poll_timeout(), Some(secs(30)));
        assert_eq!(warnings.on_timeout(secs(29)), []);
        assert_eq!(warnings.on_timeout(secs(30)), [("crash", Announcement { suppressed: 9_999 })]);
        assert_eq!(warnings.on_timeout(secs(30)), []);
        assert_eq!(warnings.total(&"crash"), 10_000);
    }

    #[test]
    fn kinds_are_bounded() {
        let mut warnings = Warnings::default();
        let announced = (0..5_000).filter(|kind| warnings.record(secs(0), kind).is_some()).count();
        assert_eq!(announced, MAX_KINDS);
        assert_eq!(warnings.beyond(), (5_000 - MAX_KINDS) as u64);
    }

    proptest! {
        #[test]
        fn every_event_is_told_exactly_once_and_never_too_often(
            events in prop::collection::vec((0u64..20, 0u8..3, any::<bool>()), 1..300),
        ) {
            let mut warnings = Warnings::default();
            let mut now = 0;
            let mut told: BTreeMap<u8, (u64, Vec<u64>)> = BTreeMap::new();
            for (step, kind, is_event) in events {
                now += step;
                let said: Vec<_> = if is_event {
                    warnings.record(secs(now), &kind).map(|a| (kind, a.suppressed + 1)).into_iter().collect()
                } else {
                    warnings.on_timeout(secs(now)).into_iter().map(|(kind, a)| (kind, a.suppressed)).collect()
                };
                for (kind, count) in said {
                    let (sum, times) = told.entry(kind).or_default();
                    *sum += count;
                    prop_assert!(times.last().is_none_or(|last| now - last >= 30));
                    times.push(now);
                }
            }
            for (kind, announcement) in warnings.on_timeout(Moment::NEVER) {
                told.entry(kind).or_default().0 += announcement.suppressed;
            }
            for (kind, (sum, _)) in told {
                prop_assert_eq!(sum, warnings.total(&kind));
            }
        }
    }
}
