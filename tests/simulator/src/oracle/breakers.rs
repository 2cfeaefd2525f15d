//! The model's breakers. The model counts the last fuse itself, as a plain counter; the state of hosts' breakers is
//! taken from their announcements and compared with the starts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use plimsoll_core::id::BrowserId;
use plimsoll_core::outcome::{FailureClass, Stage};
use plimsoll_core::policy::{Change, Rule, Scope, Scopes, ScopesConfig, State, TripReason};
use plimsoll_core::time::Moment;

use super::invariant::{Check, Invariant, hold, same};
use super::jobs::{Slot, SlotPhase};
use crate::world_event::{End, Host};

/// A host that has answered for this time is healthy, and no job may be given up because of it.
const WELL_AFTER: Duration = Duration::from_secs(10);
/// The time without a success after which a job may be given up for the whole fleet.
const FLEET_FAILS_AFTER: Duration = Duration::from_secs(300);
/// The time without a result after which a probe no longer delays the next.
const PROBE_SILENT: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Breakers {
    trips_at: u32,
    eased_to: u32,
    count: u32,
    fuse: Seen,
    /// A death in this event that an open or half-open fuse did not count.
    unheard: u32,
    global: Phase,
    hosts: BTreeMap<Host, Seen>,
    /// Hosts and browsers whose breaker was ever anything but closed.
    pub(super) troubled_hosts: BTreeSet<Host>,
    pub(super) troubled_browsers: BTreeSet<BrowserId>,
    /// Since when the fuse or the global breaker refuses and no attempt has ended well.
    fails_since: Option<Moment>,
    /// Since when each host has answered; nothing while it fails.
    well_since: BTreeMap<Host, Option<Moment>>,
}

/// A breaker as it was announced.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    phase: Phase,
    /// How often it changed.
    epoch: u64,
    /// Whether an attempt that began in this phase has ended well.
    answered: bool,
}

impl Seen {
    /// Applies a change; `ended` is the epoch of the attempt whose end caused it, if any.
    fn turn(&mut self, to: Phase, change: &Change, ended: Option<u64>, who: &dyn fmt::Debug) -> Check {
        let own = match change {
            Change::Opened { why: TripReason::ProbeFailed, .. } => {
                ended.is_none_or(|epoch| epoch == self.epoch)
            }
            Change::Closed => self.answered,
            Change::Opened { .. } | Change::HalfOpened => true,
        };
        hold(Invariant::ProbesJudge, own, || format!("{who:?} goes from {:?} to {to:?}", self.phase))?;
        *self = Self { phase: to, epoch: self.epoch + 1, answered: false };
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Phase {
    #[default]
    Closed,
    Open(Moment),
    HalfOpen,
}

/// How an end counts for the whole fleet: up, down, or not.
fn fuse_verdict(end: Option<End>) -> i32 {
    use FailureClass as C;
    match end {
        None => 1,
        Some(End::Succeeded) => -1,
        Some(End::Failed(Stage::Create, C::Timeout | C::BrowserCrash, _)) => 1,
        Some(End::Failed(_, C::PageCrash | C::Internal, _)) => 1,
        Some(End::Failed(..) | End::Evicted | End::Cancelled) => 0,
    }
}

impl Breakers {
    pub(super) fn new(rules: &ScopesConfig) -> Self {
        let (trips_at, eased_to) = match &rules.fuse.rule {
            Rule::Leaky(leaky) => (leaky.trips_at.max(1), leaky.eased_to),
            Rule::Rates(_) => (u32::MAX, u32::MAX),
        };
        Self {
            trips_at,
            eased_to: eased_to.min(trips_at - 1),
            count: 0,
            fuse: Seen::default(),
            unheard: 0,
            global: Phase::Closed,
            hosts: BTreeMap::new(),
            troubled_hosts: BTreeSet::new(),
            troubled_browsers: BTreeSet::new(),
            fails_since: None,
            well_since: BTreeMap::new(),
        }
    }

    /// An attempt ended; `None` when its task vanished.
    pub(super) fn ended(&mut self, now: Moment, slot: &Slot, end: Option<End>) {
        let well = end == Some(End::Succeeded);
        if well {
            self.fails_since = self.fails_since.map(|_| now);
        }
        if slot.epochs.0 == self.fuse.epoch {
            self.count_fuse(fuse_verdict(end));
            self.fuse.answered |= well;
        }
        // What began before the breaker last changed does not count for the host as it is now.
        if slot.epochs.1 != self.epochs(slot.host).1 {
            return;
        }
        if let Some(seen) = self.hosts.get_mut(&slot.host) {
            seen.answered |= well;
        }
        use FailureClass as C;
        match end {
            Some(End::Succeeded) => {
                self.well_since.entry(slot.host).or_default().get_or_insert(now);
            }
            Some(End::Failed(Stage::Step(0), C::Navigation | C::Timeout | C::PageCrash, _)) => {
                self.well_since.insert(slot.host, None);
            }
            _ => {}
        }
    }

    pub(super) const fn browser_ended(&mut self) {
        self.unheard = if matches!(self.fuse.phase, Phase::Closed) { 0 } else { 1 };
        self.count_fuse(1);
    }

    const fn count_fuse(&mut self, verdict: i32) {
        if matches!(self.fuse.phase, Phase::Closed) {
            self.count = self.count.saturating_add_signed(verdict);
        }
    }

    /// The epochs of breakers that a slot records at its start.
    pub(super) fn epochs(&self, host: Host) -> (u64, u64) {
        (self.fuse.epoch, self.hosts.get(&host).map_or(0, |seen| seen.epoch))
    }

    pub(super) fn announced(
        &mut self,
        now: Moment,
        scope: &Scope,
        change: &Change,
        ended: Option<&Slot>,
    ) -> Check {
        let phase = match change {
            Change::Opened { until, .. } => Phase::Open(*until),
            Change::HalfOpened => Phase::HalfOpen,
            Change::Closed => Phase::Closed,
        };
        match scope {
            Scope::Fuse => {
                if let (Phase::Closed, Change::Opened { .. }) = (self.fuse.phase, change) {
                    let (count, trips_at) = (self.count, self.trips_at);
                    hold(Invariant::FuseAgrees, count >= trips_at, || {
                        format!("it blows at {count} of {trips_at}")
                    })?;
                }
                if phase == Phase::Closed {
                    // If time alone has closed it, it closed before it handled this event.
                    self.count = self.count.min(self.eased_to) + std::mem::take(&mut self.unheard);
                }
                // A browser that dies is a failed probe, too.
                self.fuse.turn(phase, change, ended.map(|slot| slot.epochs.0), scope)?;
            }
            Scope::Host(name) => {
                let Some(host) = host_named(name) else { return Ok(()) };
                let seen = self.hosts.entry(host).or_default();
                seen.turn(phase, change, ended.map(|slot| slot.epochs.1), scope)?;
            }
            Scope::Global => self.global = phase,
            Scope::Browser(_) | Scope::Proxy(_) => {}
        }
        self.fails_since = if self.let_through() { None } else { self.fails_since.or(Some(now)) };
        Ok(())
    }

    /// Records that this breaker is not always closed, so that jobs may wait for it.
    pub(super) fn suspect(&mut self, scope: &Scope) {
        match scope {
            Scope::Host(name) => {
                let Some(host) = host_named(name) else { return };
                self.troubled_hosts.insert(host);
            }
            Scope::Browser(id) => {
                self.troubled_browsers.insert(*id);
            }
            Scope::Proxy(_) | Scope::Global | Scope::Fuse => {}
        }
    }

    /// An attempt started in this event, and its epochs are up to date.
    pub(super) fn started<'a>(
        &self,
        now: Moment,
        host: Host,
        slots: impl Iterator<Item = &'a Slot>,
    ) -> Check {
        let Some(Seen { phase, epoch, .. }) = self.hosts.get(&host) else { return Ok(()) };
        match phase {
            Phase::Closed => Ok(()),
            Phase::Open(until) => {
                hold(Invariant::HostsSpared, now >= *until, || format!("{host:?} rests until {until}"))
            }
            Phase::HalfOpen => {
                let probe = |slot: &&Slot| {
                    let waits = slot.phase != SlotPhase::Closing && now.since(slot.since) < PROBE_SILENT;
                    slot.host == host && slot.epochs.1 == *epoch && waits
                };
                let probes = slots.filter(probe).count();
                hold(Invariant::HostsSpared, probes <= 1, || {
                    format!("{host:?} is probed by {probes} at once")
                })
            }
        }
    }

    pub(super) fn given_up(&self, now: Moment, host: Host) -> Check {
        let well = self.well_since.get(&host).copied().flatten();
        let long = well.is_some_and(|since| now.since(since) >= WELL_AFTER);
        let fleet_fails = self.fails_since.is_some_and(|since| now.since(since) >= FLEET_FAILS_AFTER);
        hold(Invariant::HostsBlamedJustly, !long || fleet_fails, || {
            format!("{host:?} has answered since {well:?}, the fleet fails since {:?}", self.fails_since)
        })
    }

    /// Whether the fleet's breakers allow a start.
    pub(super) fn let_through(&self) -> bool {
        self.fuse.phase == Phase::Closed && self.global == Phase::Closed
    }

    pub(super) fn check(&mut self, now: Moment, fleet: &Scopes) -> Check {
        self.unheard = 0;
        if self.fuse.phase != Phase::Closed {
            return Ok(());
        }
        match fleet.state(now, &Scope::Fuse) {
            None => same(Invariant::FuseAgrees, 0, self.count),
            Some(State::Closed { counts }) => same(Invariant::FuseAgrees, counts.failures, self.count),
            Some(other) => hold(Invariant::FuseAgrees, false, || {
                format!("it is {other:?}, and {} of {}", self.count, self.trips_at)
            }),
        }
    }
}

fn host_named(name: &str) -> Option<Host> {
    name.strip_prefix("host-")?.strip_suffix(":80")?.parse().ok().map(Host)
}
