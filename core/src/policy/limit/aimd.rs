//! [`AimdLimit`]: the limit on active contexts follows the pressure, as TCP's window follows loss: up gently, down hard.
//!
//! | level | what happens |
//! |---|---|
//! | nominal, and at least 90 % of the limit in use | every 2 s: × 1.5 (at most + 50) below the threshold, above it + 5 % (at least 1, at most 10) |
//! | nominal, less in use | nothing: a quiet night must not inflate the limit |
//! | elevated | no growth; the threshold falls to the limit |
//! | critical, emergency | at once, then at most every 10 s: threshold ← 0.85 × limit, limit ← 0.85 × min(limit, active) |
//! | unknown (blind) | nothing |
//!
//! The threshold is what one plain "slow start until the first trouble" lacks. A neighbour's burst may catch the fleet
//! nearly idle and cut the limit to almost nothing; adding one every 2 s would then take minutes to come back. With the
//! threshold the limit returns quickly to where it was known to be good, and feels its way from there.

use std::time::Duration;

use crate::policy::pressure::Level;
use crate::time::Moment;

/// The incident's limit on active contexts.
pub const MAX_CONTEXTS: u32 = 100;

/// The numbers of the law.
#[derive(Debug, Clone, PartialEq)]
pub struct AimdConfig {
    /// What the limit starts from: enough to show how the machine takes it, few enough to be borne anywhere.
    pub start: u32,
    /// The ceiling (at least 1).
    pub max: u32,
    /// The least time from one step up to the next: long enough for the last one's memory to show.
    pub grow_every: Duration,
    /// The least time from one cut to the next: long enough for the last one to have worked.
    pub cut_every: Duration,
}

impl Default for AimdConfig {
    fn default() -> Self {
        Self {
            start: 16,
            max: MAX_CONTEXTS,
            grow_every: Duration::from_secs(2),
            cut_every: Duration::from_secs(10),
        }
    }
}

/// The most that one step adds: a limit far ahead of what is active would let admission go on for long after the level
/// has become elevated. It is the default of `limits.max_creating`, so no fleet is slower for it.
const STEP: f64 = 50.0;

/// The most that one step adds above the threshold: the memory of ten more contexts shows within the time of a step.
const GENTLE_STEP: f64 = 10.0;

/// What is left after a cut.
const CUT: f64 = 0.85;

/// The limit and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct AimdLimit {
    config: AimdConfig,
    limit: f64,
    threshold: f64,
    grown: Moment,
    cut: Option<Moment>,
}

impl AimdLimit {
    /// A limit at its start.
    #[must_use]
    pub(crate) fn new(config: AimdConfig) -> Self {
        let max = f64::from(config.max.max(1));
        let limit = f64::from(config.start).clamp(1.0, max);
        Self { config, limit, threshold: max, grown: Moment::ZERO, cut: None }
    }

    /// Changes the ceiling; below the limit it takes the limit along, above it there is room to grow.
    pub(crate) fn set_max(&mut self, max: u32) {
        let grown_to = f64::from(self.config.max.max(1));
        self.config.max = max;
        let max = f64::from(max.max(1));
        // A threshold at the old ceiling was none: nothing had been learnt.
        self.threshold = if self.threshold >= grown_to { max } else { self.threshold.min(max) };
        self.set(self.limit);
    }

    /// The limit now: at least 1, at most the ceiling.
    #[must_use]
    pub(crate) fn current(&self) -> u32 {
        self.limit as u32
    }

    /// Takes in the level (`None` while it cannot be known) and how many contexts are active. Call it when the level
    /// changes and every second or so; calling it more often changes nothing.
    pub(crate) fn on_level(&mut self, now: Moment, level: Option<Level>, active: u32) {
        match level {
            None => {}
            Some(Level::Nominal) => self.grow(now, active),
            Some(Level::Elevated) => self.threshold = self.threshold.min(self.limit),
            Some(Level::Critical | Level::Emergency) => self.shrink(now, active),
        }
    }

    fn grow(&mut self, now: Moment, active: u32) {
        let is_used = f64::from(active) >= 0.9 * self.limit.floor();
        if !is_used || now.since(self.grown) < self.config.grow_every {
            return;
        }
        self.grown = now;
        let fast = (self.limit * 1.5).min(self.limit + STEP).min(self.threshold);
        let gentle = self.limit + (self.limit * 0.05).clamp(1.0, GENTLE_STEP);
        self.set(if self.limit < self.threshold { fast.max(gentle) } else { gentle });
    }

    fn shrink(&mut self, now: Moment, active: u32) {
        if self.cut.is_some_and(|cut| now.since(cut) < self.config.cut_every) {
            return;
        }
        self.cut = Some(now);
        self.threshold = (CUT * self.limit).max(1.0);
        self.set(CUT * self.limit.min(f64::from(active)));
    }

    fn set(&mut self, limit: f64) {
        self.limit = limit.clamp(1.0, f64::from(self.config.max.max(1)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secs(seconds: u64) -> Moment {
        Moment::after(Duration::from_secs(seconds))
    }

    fn nominal(limit: &mut AimdLimit, now: u64, active: u32) -> u32 {
        limit.on_level(secs(now), Some(Level::Nominal), active);
        limit.current()
    }

    #[test]
    fn with_room_it_reaches_the_ceiling_within_ten_seconds() {
        let mut limit = AimdLimit::new(AimdConfig::default());
        let climb: Vec<_> = (1..=5)
            .map(|n| {
                let used = limit.current();
                nominal(&mut limit, 2 * n, used)
            })
            .collect();
        assert_eq!(climb, [24, 36, 54, 81, 100]);
    }

    #[test]
    fn an_unused_limit_does_not_grow_and_asking_often_does_not_hurry_it() {
        let mut limit = AimdLimit::new(AimdConfig::default());
        assert_eq!(nominal(&mut limit, 100, 14), 16, "14 of 16 is less than nine tenths");
        for _ in 0..1_000 {
            assert_eq!(nominal(&mut limit, 101, 15), 24);
        }
    }

    #[test]
    fn a_cut_counts_what_is_active_and_waits_for_its_effect() {
        let mut limit = AimdLimit::new(AimdConfig { start: 80, ..AimdConfig::default() });
        for _ in 0..100 {
            limit.on_level(secs(5), Some(Level::Critical), 60);
        }
        assert_eq!(limit.current(), 51);
        limit.on_level(secs(14), Some(Level::Emergency), 50);
        assert_eq!(limit.current(), 51);
        limit.on_level(secs(15), Some(Level::Emergency), 40);
        assert_eq!(limit.current(), 34);
    }

    #[test]
    fn after_a_neighbours_burst_it_is_soon_back_where_it_was() {
        let mut limit = AimdLimit::new(AimdConfig { start: 80, ..AimdConfig::default() });
        limit.on_level(secs(0), Some(Level::Critical), 0);
        assert_eq!(limit.current(), 1);
        let mut now = 0;
        while limit.current() < 61 {
            now += 2;
            let used = limit.current();
            nominal(&mut limit, now, used);
        }
        assert!(now <= 24, "{now} s");
        assert!(nominal(&mut limit, now + 2, 100) <= 72, "beyond the threshold it feels its way");
    }

    #[test]
    fn blindness_neither_grows_nor_cuts() {
        let mut limit = AimdLimit::new(AimdConfig::default());
        limit.on_level(secs(100), None, 100);
        assert_eq!(limit.current(), 16);
    }

    proptest! {
        #[test]
        fn it_stays_in_bounds_and_grows_only_when_used(
            start: u32, max: u32,
            trace in prop::collection::vec((0u64..5_000, prop::option::of(0usize..4), 0u32..200), 1..300),
        ) {
            let mut limit = AimdLimit::new(AimdConfig { start, max, ..AimdConfig::default() });
            let mut now = Moment::ZERO;
            for (wait, level, active) in trace {
                now += Duration::from_millis(wait);
                let before = limit.current();
                let level = level.map(|index| Level::ALL[index]);
                limit.on_level(now, level, active);
                let after = limit.current();
                prop_assert!((1..=max.max(1)).contains(&after));
                if after > before {
                    prop_assert_eq!(level, Some(Level::Nominal));
                    prop_assert!(f64::from(active) >= f64::from(before) * 0.9);
                }
                if after < before {
                    prop_assert!(level >= Some(Level::Critical));
                }
            }
        }
    }
}
