//! Memory: the use of each part at a moment, the slowdown when memory is short, and which process the kernel kills.

use std::time::Duration;

use plimsoll_core::time::Moment;
use plimsoll_core::units::Bytes;

use crate::outcome_plan::OutcomePlan;

/// The memory of an empty context.
const BLANK: Bytes = Bytes::mib(17);
/// The share of memory in use beyond which stalls begin.
const STALLS_FROM: f64 = 0.93;

/// The memory of a context over time: it rises to its peak, and further if it leaks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Growth {
    since: Moment,
    /// The rise to the peak, beyond an empty context; the rise per second until then.
    rise: f64,
    rises: f64,
    leaks: f64,
}

impl Growth {
    pub(super) fn new(since: Moment, over: Duration, outcome: &OutcomePlan) -> Self {
        let rise = (outcome.peak - BLANK).0 as f64;
        Self { since, rise, rises: rise / over.as_secs_f64().max(0.001), leaks: outcome.leak.0 as f64 }
    }

    pub(super) fn at(&self, now: Moment) -> Bytes {
        let age = now.since(self.since).as_secs_f64();
        BLANK + Bytes(((self.rises * age).min(self.rise) + self.leaks * age) as u64)
    }
}

/// Another program, whose memory rises evenly.
#[derive(Debug, Clone, Copy)]
pub(super) struct Neighbour {
    pub(super) since: Moment,
    pub(super) takes: Bytes,
    pub(super) over: Duration,
}

impl Neighbour {
    pub(super) fn at(&self, now: Moment) -> Bytes {
        let age = now.since(self.since).as_secs_f64();
        let share = if self.over.is_zero() { 1.0 } else { (age / self.over.as_secs_f64()).min(1.0) };
        Bytes((self.takes.0 as f64 * share) as u64)
    }
}

/// The slowdown of the machine: the pressure stall information of the last 10 s.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Slowdown {
    stall: f64,
    full: f64,
    at: Moment,
    pub(super) oom_kills: u64,
}

impl Slowdown {
    /// Updates the stalls from the share of memory in use.
    pub(super) fn feel(&mut self, now: Moment, share: f64) {
        self.stall = ((share - STALLS_FROM) / (1.0 - STALLS_FROM)).clamp(0.0, 1.0);
        let fade = (-now.since(self.at).as_secs_f64() / 10.0).exp();
        self.full = self.stall + (self.full - self.stall) * fade;
        self.at = now;
    }

    /// The share of its speed that the machine keeps.
    pub(super) fn speed(&self) -> f64 {
        1.0 - 0.9 * self.stall
    }

    /// The share of time in which all tasks stalled, in hundredths of a percent.
    pub(super) fn full(&self) -> u32 {
        (self.full * 10_000.0) as u32
    }
}
