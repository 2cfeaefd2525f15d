//! What follows from the state: who starts, which browsers come and go, who gives way.

use std::time::Duration;

use crate::id::SlotId;
use crate::outcome::{FailureClass, Fault, Outcome, Stage};
use crate::policy::admission::{Announcement, Wait};
use crate::policy::breaker::{Refused, State};
use crate::policy::dispatch::slots::Attempt;
use crate::policy::dispatch::standstill::{Hope, Standstill};
use crate::policy::dispatch::{Action, Dispatch, Phase};
use crate::policy::pressure::{self, Idle, Launches, Trim};
use crate::policy::queue::{Patience, Waiting};
use crate::policy::restart::Restart;
use crate::policy::scopes::{Blocked, Passage, Scope};
use crate::time::Moment;

/// The breakers that guard the fleet as a whole.
pub(super) const FLEET_SCOPES: [Scope; 2] = [Scope::Global, Scope::Fuse];

/// How soon a job whose host is being probed asks again: breakers space their probes like this.
const PROBE_SPACING: Duration = Duration::from_secs(1);

/// How long a fleet that holds nothing keeps all its browsers where memory is short: the gate opens again after 2 s, if
/// it can.
const SPARE_AFTER: Duration = Duration::from_secs(5);

/// What came of trying to start the job at the front.
enum Tried {
    /// It started, or is out of the way: the next may be tried.
    Next,
    /// Nothing can start now.
    Shut,
}

impl Dispatch {
    pub(super) fn decide(&mut self, now: Moment) {
        self.queue.advance(now);
        if self.phase == Phase::Stopping {
            return self.settle_all_waiting(&Outcome::Cancelled);
        }
        while let Some(expired) = self.queue.pop_expired(now) {
            self.settle_waiting(expired, Outcome::Expired);
        }
        if self.placement.is_empty()
            && let Some(fault) = self.launches.hopeless(now, self.config.host_patience)
        {
            let outcome = Outcome::Failed(fault.clone().at(Stage::Launch));
            self.settle_all_waiting(&outcome);
        }
        self.fused_until = None;
        if self.is_whole(now) {
            self.standstill = None;
        }
        while self.queue.ready() > 0 && self.admission.admit(now, self.load()).is_ok() {
            if let Tried::Shut = self.try_front(now) {
                break;
            }
        }
        self.staff(now);
    }

    /// Does what the machine's state demands of contexts and browsers that are already there.
    pub(super) fn relieve(&mut self, now: Moment) {
        let (level, measures) = (self.admission.level(), self.admission.measures());
        if level != self.trimmed {
            self.trimmed = level;
            if measures.trim != Trim::Nothing {
                self.actions.push_back(Action::Trim(measures.trim));
            }
        }
        let is_short = matches!(self.admission.admit(now, self.load()), Err(Wait::Memory(_)));
        let needed = match measures.idle {
            // Browsers must not keep the memory from the contexts they were started for. But the gate shuts often, for
            // a moment; only a fleet that holds nothing for longer than that is helped by closing one.
            Idle::Keep if is_short && self.admission.idle_for(now) >= SPARE_AFTER => Some(1),
            Idle::Keep => None,
            // A job that is held back will want the browser again.
            Idle::CloseSpare => Some(self.demand().max(u32::from(!self.queue.is_empty()))),
            Idle::Recycle => Some(self.demand()),
        };
        let surplus = needed.and_then(|needed| self.placement.close_surplus(needed));
        self.actions.extend(surplus.map(Action::Close));
        // A fleet that starved made its one try against all odds. While that is alone, its memory is not what is short.
        let is_spared = |slot: &SlotId| self.last_resort == Some(*slot) && self.load().active == 1;
        if let Some(pace) = self.admission.eviction_pace()
            && self.eviction.is_due(now, pace)
            && let Some(victim) = self.slots.youngest_running().filter(|slot| !is_spared(slot))
        {
            self.eviction.on_chosen(now);
            self.victim = Some(victim);
            self.actions.push_back(Action::Evict(victim));
            self.actions.push_back(Action::Announce(Announcement::Evicted(victim)));
        }
    }

    /// Tries to start the job at the front on the browser with the most room.
    fn try_front(&mut self, now: Moment) -> Tried {
        let Some(front) = self.queue.front() else { return Tried::Shut };
        let Patience { host, proxy, .. } = &front.patience;
        let peers: Vec<_> =
            proxy.clone().map(Scope::Proxy).into_iter().chain(host.clone().map(Scope::Host)).collect();
        // Asked before there is a browser: a job that may not visit its host needs none.
        if let Some(blocked) = self.admission.scopes().blocked(now, &peers) {
            return self.hold_back(now, &blocked);
        }
        let Some(browser) = self.placement.roomiest() else { return Tried::Shut };
        let scopes: Vec<_> = FLEET_SCOPES.into_iter().chain([Scope::Browser(browser)]).chain(peers).collect();
        match self.admission.pass(now, &scopes, &mut self.rng) {
            Ok(passage) => self.start(now, passage),
            Err(blocked) => match blocked.scope {
                Scope::Host(_) | Scope::Proxy(_) => self.hold_back(now, &blocked),
                Scope::Browser(id) => {
                    // It takes nothing new; what it holds may end in peace.
                    let empty = self.placement.retire(id);
                    self.actions.extend(empty.map(Action::Close));
                    Tried::Next
                }
                Scope::Global | Scope::Fuse | Scope::Endpoint(_) => self.wait_for_fleet(now, &blocked),
            },
        }
    }

    fn start(&mut self, now: Moment, passage: Passage) -> Tried {
        let (Some(browser), Some(waiting)) = (self.placement.occupy(), self.queue.pop()) else {
            self.admission.ended(now, passage, crate::policy::blame::News::Dropped, &mut self.rng);
            return Tried::Shut;
        };
        let Waiting { job, entry, attempts, mut patience } = waiting;
        // A job pays in once: after an eviction its first attempt comes again.
        if attempts == 0 && patience.evictions == 0 {
            self.retry_budget.deposit(now);
        }
        // It has begun: from here on nothing but its attempts bounds it.
        patience.held_since = None;
        patience.deadline = None;
        let number = attempts + 1;
        let attempt = Attempt { job, entry: self.ledger.start(entry), number, passage, patience };
        let slot = self.slots.admit(now, browser, attempt);
        if self.admission.is_against_odds(now) {
            self.last_resort = Some(slot);
        }
        let load = self.load();
        self.admission.reserved(slot, load);
        self.peaks.active = self.peaks.active.max(load.active);
        self.peaks.creating = self.peaks.creating.max(load.creating);
        self.actions.push_back(Action::Start { slot, job, browser, attempt: number });
        let limit = self.admission.ceiling();
        if self.config.warnings.is_nearing(load.active, limit)
            && let Some(announcement) = self.warnings.record(now, &())
        {
            let nearing =
                Announcement::Nearing { active: load.active, limit, suppressed: announcement.suppressed };
            self.actions.push_back(Action::Announce(nearing));
        }
        Tried::Next
    }

    /// Whether no breaker of the whole fleet is open or being probed.
    fn is_whole(&self, now: Moment) -> bool {
        let state = |scope| self.admission.scopes().state(now, scope);
        FLEET_SCOPES.iter().all(|scope| matches!(state(scope), None | Some(State::Closed { .. })))
    }

    /// Lets everybody wait for a breaker of the whole fleet, or gives the job at the front up when that has lasted too long.
    fn wait_for_fleet(&mut self, now: Moment, blocked: &Blocked) -> Tried {
        let until = blocked.refused.until();
        self.fused_until = Some(until);
        // While it is being probed it may turn out well.
        if !matches!(blocked.refused, Refused::Open { .. }) {
            return Tried::Shut;
        }
        let standstill = self.standstill.get_or_insert_with(|| Standstill::begins(now));
        if standstill.rests(now, until) == Hope::Left {
            return Tried::Shut;
        }
        let Some(waiting) = self.queue.pop() else { return Tried::Shut };
        let fault = || Fault::transient(FailureClass::Overload, format!("the whole fleet fails: {blocked}"));
        self.give_up(waiting, fault);
        Tried::Next
    }

    /// Holds the job at the front back until its host or proxy may be asked again, or gives it up when that has lasted too long.
    fn hold_back(&mut self, now: Moment, blocked: &Blocked) -> Tried {
        let Some(mut waiting) = self.queue.pop() else { return Tried::Shut };
        let since = *waiting.patience.held_since.get_or_insert(now);
        let give_up = since + self.config.host_patience;
        let ask_again = match blocked.refused {
            Refused::Open { .. } if now >= give_up => {
                let fault = || match &blocked.scope {
                    Scope::Proxy(_) => {
                        Fault::transient(FailureClass::Proxy, format!("its proxy fails: {blocked}"))
                    }
                    _ => Fault::transient(FailureClass::Navigation, format!("its host fails: {blocked}")),
                };
                self.give_up(waiting, fault);
                return Tried::Next;
            }
            Refused::Open { until, .. } => until.min(give_up),
            // It is being probed: whoever comes next may be the next probe.
            Refused::Probing { .. } => now + PROBE_SPACING,
        };
        let deadline = waiting.patience.deadline.unwrap_or(Moment::NEVER);
        self.queue.delay(waiting, ask_again.min(deadline));
        Tried::Next
    }

    /// Ends a job that waits, with the failure of its last attempt or, if it had none, with what it waits for.
    fn give_up(&mut self, mut waiting: Waiting, fault: impl FnOnce() -> Fault) {
        let last = waiting.patience.last_failure.take();
        let failure = last.map_or_else(|| fault().at(Stage::Queue), |last| *last);
        self.settle_waiting(waiting, Outcome::Failed(failure));
    }

    /// Starts the browsers that are missing.
    fn staff(&mut self, now: Moment) {
        let demand = self.demand();
        while self.launches.may_launch(now)
            && self.restarts.may_restart(now) == Restart::Now
            && (self.placement.is_empty() || self.admission.has_room_for_browser())
            && let Some(id) = self.placement.launch(now, demand)
        {
            self.admission.launching(id);
            self.actions.push_back(Action::Launch(id));
        }
    }

    /// Contexts that browsers should have room for.
    fn demand(&self) -> u32 {
        let waiting = u32::try_from(self.queue.ready()).unwrap_or(u32::MAX);
        let active = self.load().active;
        let wanted = active.saturating_add(waiting).min(self.admission.active_limit());
        let measures = self.admission.measures();
        // Where nothing is admitted, a browser is of use only to the one try of a fleet that starves.
        let is_open = measures.admission == pressure::Admission::Open || self.admission.is_starved(self.last);
        let to_stand_on = u32::from(is_open);
        match measures.launches {
            // A fleet whose fuse is blown needs no more browsers than it has work for, and one to try with.
            Launches::Any if self.fused_until.is_some() => wanted.min(active.max(1)),
            Launches::Any => wanted,
            // Enough for what is held, and one to stand on: a fleet must be able to recover from crashes.
            Launches::Replacements => wanted.min(active.max(to_stand_on)),
            Launches::None if self.admission.is_starved(self.last) => wanted.min(1),
            Launches::None => 0,
        }
    }

    fn settle_all_waiting(&mut self, outcome: &Outcome) {
        let waiting: Vec<_> = self.queue.drain().collect();
        waiting.into_iter().for_each(|waiting| self.settle_waiting(waiting, outcome.clone()));
    }
}
