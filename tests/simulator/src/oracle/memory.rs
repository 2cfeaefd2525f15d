//! The model's memory: reservations, recounted each time, and what memory readings forbid.

use std::collections::BTreeMap;
use std::time::Duration;

use plimsoll_core::id::{BrowserId, SlotId};
use plimsoll_core::policy::{Footprint, FootprintConfig, STARVED_AFTER, STARVED_AFTER_EMERGENCY};
use plimsoll_core::time::Moment;
use plimsoll_core::units::{Bytes, Ratio};

use super::invariant::{Check, Invariant, hold, same};
use crate::world_event::Glance;

/// How long a level is kept after its cause has ended.
const HOLD: Duration = Duration::from_secs(10);
/// A victim that is not gone after this time no longer delays the next eviction.
const GIVE_UP: Duration = Duration::from_secs(30);
/// With less memory in use, there is memory to spare.
const SPARE_BELOW: Ratio = Ratio::percent(80);
/// More than any percentage that is read.
const NEVER: u32 = 1_000;

#[derive(Debug)]
pub(super) struct Memory {
    rules: FootprintConfig,
    contexts: BTreeMap<SlotId, Booking>,
    launching: BTreeMap<BrowserId, Bytes>,
    /// The last valid reading, and its moment.
    seen: Option<(Moment, Glance)>,
    kills: Option<u64>,
    killed_at: Option<Moment>,
    /// The memory in use and the stalls, each at critical and in an emergency.
    critical: [Alarm; 2],
    emergency: [Alarm; 2],
    victim: Option<(SlotId, Moment)>,
    relieved_at: Option<Moment>,
}

/// An alarm: it begins at a threshold, and ends when the value was below a lower threshold for [`HOLD`].
#[derive(Debug)]
struct Alarm {
    begins: Ratio,
    ends: Ratio,
    last: Option<Moment>,
}

impl Alarm {
    const fn between(begins: u32, ends: u32) -> Self {
        Self { begins: Ratio::percent(begins), ends: Ratio::percent(ends), last: None }
    }

    fn look(&mut self, now: Moment, value: Ratio) {
        if value >= self.begins || (self.lasts(now) && value >= self.ends) {
            self.last = Some(now);
        }
    }

    fn lasts(&self, now: Moment) -> bool {
        self.last.is_some_and(|at| now.since(at) < HOLD)
    }
}

#[derive(Debug, Clone, Copy)]
struct Booking {
    bytes: Bytes,
    opened: Option<Moment>,
}

impl Memory {
    pub(super) const fn new(rules: FootprintConfig) -> Self {
        Self {
            rules,
            contexts: BTreeMap::new(),
            launching: BTreeMap::new(),
            seen: None,
            kills: None,
            killed_at: None,
            critical: [Alarm::between(90, 85), Alarm::between(10, 2)],
            emergency: [Alarm::between(95, 93), Alarm::between(20, 10)],
            victim: None,
            relieved_at: None,
        }
    }

    pub(super) fn started(&mut self, slot: SlotId, fleet: &Footprint) {
        self.contexts.insert(slot, Booking { bytes: fleet.estimate().mean, opened: None });
    }

    pub(super) fn opened(&mut self, now: Moment, slot: SlotId, fleet: &Footprint) {
        if let Some(booking) = self.contexts.get_mut(&slot) {
            let bytes = fleet.estimate().mean - self.rules.blank;
            *booking = Booking { bytes, opened: Some(now) };
        }
    }

    /// Each running context reserves the rest of the estimate, or the memory that it would take within 10 s of even
    /// growth.
    pub(super) fn measured(
        &mut self,
        now: Moment,
        running: impl Iterator<Item = SlotId>,
        each: Bytes,
        fleet: &Footprint,
    ) {
        let rest = fleet.estimate().mean - each;
        for slot in running {
            if let Some(booking) = self.contexts.get_mut(&slot)
                && let Some(opened) = booking.opened
            {
                let age = now.since(opened).as_secs_f64();
                booking.bytes = rest.min(Bytes((each.0 as f64 * 10.0 / age) as u64));
            }
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
        let Some(share) = glance.share() else { return };
        self.seen = Some((now, glance));
        if self.kills.replace(glance.oom_kills).is_some_and(|before| glance.oom_kills > before) {
            self.killed_at = Some(now);
        }
        // With memory to spare, a stall counts one level less.
        let lines = if share < SPARE_BELOW { [(20, 10), (NEVER, NEVER)] } else { [(10, 2), (20, 10)] };
        for ([use_of, stalls], (begins, ends)) in
            [&mut self.critical, &mut self.emergency].into_iter().zip(lines)
        {
            use_of.look(now, share);
            *stalls = Alarm { last: stalls.last, ..Alarm::between(begins, ends) };
            stalls.look(now, glance.stalled());
        }
    }

    /// Whether an attempt may start now, when nothing has run since then.
    pub(super) fn admits(&self, now: Moment, idle_since: Option<Moment>) -> Check {
        let idle = idle_since.map_or(Duration::ZERO, |since| now.since(since));
        let lasts = |alarms: &[Alarm]| alarms.iter().any(|alarm| alarm.lasts(now));
        let emergency = self.killed_lately(now) || lasts(&self.emergency);
        let patience = match () {
            () if emergency => STARVED_AFTER_EMERGENCY,
            () if lasts(&self.critical) => STARVED_AFTER,
            () => Duration::ZERO,
        };
        hold(Invariant::PressureHeeded, idle >= patience, || {
            format!(
                "idle for {idle:?}; killed at {:?}, {:?}, {:?}",
                self.killed_at, self.critical, self.emergency
            )
        })
    }

    pub(super) fn evicts(&mut self, now: Moment, slot: SlotId, runs: bool) -> Check {
        let waits = self.victim.is_some_and(|(_, since)| now.since(since) < GIVE_UP);
        // A missing reading counts as the last value until that is stale.
        let fresh = self.seen.filter(|(at, _)| now.since(*at) <= HOLD);
        let (share, stalled) = fresh
            .map_or_else(Default::default, |(_, seen)| (seen.share().unwrap_or_default(), seen.stalled()));
        let rest = Duration::from_secs(if share > Ratio::percent(97) { 1 } else { 5 });
        let hasty = self.relieved_at.is_some_and(|at| now.since(at) < rest);
        let stalls = stalled >= Ratio::percent(10) && share >= SPARE_BELOW;
        let danger = share >= Ratio::percent(93) || stalls || self.killed_lately(now);
        hold(Invariant::EvictsSparingly, runs && danger && !waits && !hasty, || {
            format!(
                "{slot} (runs: {runs}) at {share}, stalled {stalled}; before it {:?}, {:?}",
                self.victim, self.relieved_at
            )
        })?;
        self.victim = Some((slot, now));
        Ok(())
    }

    fn killed_lately(&self, now: Moment) -> bool {
        self.killed_at.is_some_and(|at| now.since(at) < HOLD)
    }

    pub(super) fn check(&self, fleet: &Footprint) -> Check {
        let contexts: Bytes = self.contexts.values().map(|booking| booking.bytes).sum();
        let browsers: Bytes = self.launching.values().copied().sum();
        same(Invariant::MemoryBooked, fleet.booked(), contexts + browsers)
    }
}
