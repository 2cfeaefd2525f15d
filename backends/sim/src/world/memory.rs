//! Memory: who takes how much at a moment, how the machine suffers when it runs short, and whom the kernel kills.

use std::time::Duration;

use plimsoll_core::time::Moment;
use plimsoll_core::units::Bytes;

use crate::fate::Fate;

/// What an empty context takes.
const BLANK: Bytes = Bytes::mib(17);
/// The share of memory beyond which everything begins to stall.
const STALLS_FROM: f64 = 0.93;

/// What one context takes, as time goes on: it rises to its peak, and beyond it if it leaks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Growth {
    since: Moment,
    over: Duration,
    peak: Bytes,
    leak: Bytes,
}

impl Growth {
    pub(super) const fn new(since: Moment, over: Duration, fate: &Fate) -> Self {
        Self { since, over, peak: fate.peak, leak: fate.leak }
    }

    pub(super) fn at(&self, now: Moment) -> Bytes {
        let age = now.since(self.since).as_secs_f64();
        let share = (age / self.over.as_secs_f64().max(0.001)).min(1.0);
        let risen = (self.peak - BLANK).0 as f64 * share;
        BLANK + Bytes((risen + self.leak.0 as f64 * age) as u64)
    }
}

/// How much the machine suffers: the pressure stall information of the last 10 s.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Suffering {
    full: f64,
    at: Moment,
    pub(super) oom_kills: u64,
}

impl Suffering {
    /// Takes in the share of memory in use; returns the share of its speed that the machine keeps.
    pub(super) fn feel(&mut self, now: Moment, share: f64) -> f64 {
        let stall = ((share - STALLS_FROM) / (1.0 - STALLS_FROM)).clamp(0.0, 1.0);
        let fade = (-now.since(self.at).as_secs_f64() / 10.0).exp();
        self.full = stall + (self.full - stall) * fade;
        self.at = now;
        1.0 - 0.9 * stall
    }

    /// Hundredths of a percent of the time in which all stood still.
    pub(super) fn full(&self) -> u32 {
        (self.full * 10_000.0) as u32
    }
}
