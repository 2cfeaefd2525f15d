//! The model's memory: bookings counted anew each time, and what the last look at the machine forbids.

use std::collections::BTreeMap;
use std::time::Duration;

use plimsoll_core::id::{BrowserId, SlotId};
use plimsoll_core::policy::admission::{STARVED_AFTER, STARVED_AFTER_EMERGENCY};
use plimsoll_core::policy::footprint::{Class, Footprint, FootprintConfig};
use plimsoll_core::time::Moment;
use plimsoll_core::units::{Bytes, Ratio};

use super::invariant::{Check, Invariant, hold, same};
use crate::news::Glance;

/// How long a level is kept after its cause is gone.
const HOLD: Duration = Duration::from_secs(10);
/// A victim that is not gone after this long no longer holds up the next.
const GIVE_UP: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Memory {
    rules: FootprintConfig,
    contexts: BTreeMap<SlotId, Booking>,
    launching: BTreeMap<BrowserId, Bytes>,
    glance: Option<Glance>,
    /// The last look at which something was seen, and when.
    seen: Option<(Moment, Glance)>,
    kills: Option<u64>,
    killed_at: Option<Moment>,
    victim: Option<(SlotId, Moment)>,
    relieved_at: Option<Moment>,
}

#[derive(Debug, Clone, Copy)]
struct Booking {
    bytes: Bytes,
    measured: bool,
}

impl Memory {
    pub(super) const fn new(rules: FootprintConfig) -> Self {
        Self {
            rules,
            contexts: BTreeMap::new(),
            launching: BTreeMap::new(),
            glance: None,
            seen: None,
            kills: None,
            killed_at: None,
            victim: None,
            relieved_at: None,
        }
    }

    pub(super) fn started(&mut self, slot: SlotId, fleet: &Footprint) {
        self.contexts.insert(slot, Booking { bytes: estimate(fleet), measured: false });
    }

    pub(super) fn opened(&mut self, slot: SlotId, fleet: &Footprint) {
        if let Some(booking) = self.contexts.get_mut(&slot).filter(|booking| !booking.measured) {
            booking.bytes = estimate(fleet) - self.rules.blank;
        }
    }

    pub(super) fn measured(&mut self, running: impl Iterator<Item = SlotId>, each: Bytes, fleet: &Footprint) {
        for slot in running {
            self.contexts.insert(slot, Booking { bytes: estimate(fleet) - each, measured: true });
        }
    }

    pub(super) fn freed(&mut self, now: Moment, slot: SlotId) {
        self.contexts.remove(&slot);
        if self.victim.is_some_and(|(victim, _)| victim == slot) {
            self.victim = None;
            self.relieved_at = Some(now);
        }
    }

    pub(super) fn launching(&mut self, id: BrowserId) {
        self.launching.insert(id, self.rules.browser);
    }

    pub(super) fn launch_over(&mut self, id: BrowserId) {
        self.launching.remove(&id);
    }

    pub(super) fn read(&mut self, now: Moment, glance: Glance) {
        self.glance = Some(glance);
        self.seen = glance.used.map(|_| (now, glance)).or(self.seen);
        if glance.used.is_some()
            && self.kills.replace(glance.oom_kills).is_some_and(|before| glance.oom_kills > before)
        {
            self.killed_at = Some(now);
        }
    }

    /// Whether an attempt may start now, when nothing has run since then.
    pub(super) fn admits(&self, now: Moment, idle_since: Option<Moment>) -> Check {
        let idle = idle_since.map_or(Duration::ZERO, |since| now.since(since));
        if idle >= STARVED_AFTER_EMERGENCY {
            return Ok(());
        }
        let starved = idle >= STARVED_AFTER;
        let killed = self.killed_at.is_some_and(|at| now.since(at) < HOLD);
        hold(Invariant::PressureHeeded, !killed, || format!("the kernel killed at {:?}", self.killed_at))?;
        let share = self.glance.and_then(Glance::share).unwrap_or_default();
        let calm = share < Ratio::percent(90) || (starved && share < Ratio::percent(95));
        hold(Invariant::PressureHeeded, calm, || format!("{share} of the memory is in use"))
    }

    pub(super) fn evicts(&mut self, now: Moment, slot: SlotId, runs: bool) -> Check {
        let waits = self.victim.is_some_and(|(_, since)| now.since(since) < GIVE_UP);
        let hasty = self.relieved_at.is_some_and(|at| now.since(at) < Duration::from_secs(1));
        // A needle stands still until its last value is stale.
        let fresh = self.seen.filter(|(at, _)| now.since(*at) <= HOLD);
        let (share, full) =
            fresh.map_or((Ratio::ZERO, 0), |(_, seen)| (seen.share().unwrap_or_default(), seen.full));
        let killed = self.killed_at.is_some_and(|at| now.since(at) < HOLD);
        let danger = share >= Ratio::percent(93) || full >= 1_000 || killed;
        hold(Invariant::EvictsSparingly, runs && danger && !waits && !hasty, || {
            format!(
                "{slot} (runs: {runs}) at {share}, stalled {full}; before it {:?}, {:?}",
                self.victim, self.relieved_at
            )
        })?;
        self.victim = Some((slot, now));
        Ok(())
    }

    pub(super) fn check(&self, fleet: &Footprint) -> Check {
        let contexts: Bytes = self.contexts.values().map(|booking| booking.bytes).sum();
        let browsers: Bytes = self.launching.values().copied().sum();
        same(Invariant::MemoryBooked, fleet.booked(), contexts + browsers)
    }
}

fn estimate(fleet: &Footprint) -> Bytes {
    fleet.estimate(&Class("context".into())).mean
}
