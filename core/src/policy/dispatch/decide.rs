//! Decides which jobs start, which browsers are started and closed, and which attempts are evicted.

use std::time::Duration;

use crate::id::SlotId;
use crate::outcome::{FailureClass, Fault, Outcome, Stage};
use crate::policy::admission::{Announcement, Wait};
use crate::policy::blame::AttemptOutcome;
use crate::policy::breaker::{Refused, State};
use crate::policy::dispatch::fleet_outage::FleetOutage;
use crate::policy::dispatch::slots::Attempt;
use crate::policy::dispatch::{Action, Dispatch, Phase};
use crate::policy::pressure::{self, Idle, Launches, Trim};
use crate::policy::queue::{JobHistory, Lane, Waiting};
use crate::policy::restart::Restart;
use crate::policy::scopes::{Blocked, BreakerPermits, Scope};
use crate::time::Moment;

/// The breakers that guard the fleet as a whole.
pub(super) const FLEET_SCOPES: [Scope; 2] = [Scope::Global, Scope::Fuse];

/// How soon a job whose host is being probed asks again: breakers space their probes like this.
const PROBE_SPACING: Duration = Duration::from_secs(1);

/// How long a fleet that holds nothing keeps all its browsers where memory is short: the gate opens again after 2 s, if
/// it can.
const SPARE_AFTER: Duration = Duration::from_secs(5);

/// The result of trying to start the job at the front.
enum AdmitResult {
    /// It started or left the front of the queue: the next may be tried.
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
            let outcome = Outcome::Failed(fault.clone().shortened().at(Stage::Launch));
            self.settle_all_waiting(&outcome);
        }
        self.fleet_open_until = None;
        if self.is_whole(now) {
            self.fleet_outage = None;
        }
        // A browser that is empty now is taken before others fill it.
        for lane in [Lane::Alone, Lane::Shared] {
            while self.queue.front(lane).is_some() && self.admission.admit(now, self.load()).is_ok() {
                if let AdmitResult::Shut = self.try_front(now, lane) {
                    break;
                }
            }
        }
        self.launch_missing_browsers(now);
    }

    /// Carries out what the level of pressure demands of the contexts and browsers that exist.
    pub(super) fn apply_pressure(&mut self, now: Moment) {
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
        let surplus = needed.and_then(|needed| self.placement.close_surplus(needed, self.demand_alone(now)));
        self.actions.extend(surplus.map(Action::Close));
        // The attempt that the starvation rule admitted is not evicted while it is alone: its memory is not what is short.
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

    /// Tries to start the job at the front of a lane on the browser with the most room, or on an empty one.
    fn try_front(&mut self, now: Moment, lane: Lane) -> AdmitResult {
        let Some(front) = self.queue.front(lane) else { return AdmitResult::Shut };
        let JobHistory { host, proxy, .. } = &front.history;
        let peers: Vec<_> =
            proxy.clone().map(Scope::Proxy).into_iter().chain(host.clone().map(Scope::Host)).collect();
        // Asked before there is a browser: a job that may not visit its host needs none.
        if let Some(blocked) = self.admission.scopes().blocked(now, &peers) {
            return self.hold_back(now, lane, &blocked);
        }
        let browser = match lane {
            Lane::Alone => self.placement.empty(),
            Lane::Shared => self.placement.roomiest(),
        };
        let Some(browser) = browser else { return AdmitResult::Shut };
        let scopes: Vec<_> = FLEET_SCOPES.into_iter().chain([Scope::Browser(browser)]).chain(peers).collect();
        match self.admission.pass(now, &scopes, &mut self.rng) {
            Ok(permits) => self.start(now, lane, permits),
            Err(blocked) => match blocked.scope {
                Scope::Host(_) | Scope::Proxy(_) => self.hold_back(now, lane, &blocked),
                Scope::Browser(id) => {
                    // It takes no new contexts; those that it holds may end by themselves.
                    let empty = self.placement.retire(id);
                    self.actions.extend(empty.map(Action::Close));
                    AdmitResult::Next
                }
                Scope::Global | Scope::Fuse => self.wait_for_fleet(now, lane, &blocked),
            },
        }
    }

    fn start(&mut self, now: Moment, lane: Lane, permits: BreakerPermits) -> AdmitResult {
        let browser = match lane {
            Lane::Alone => self.placement.occupy_alone(),
            Lane::Shared => self.placement.occupy(),
        };
        let (Some(browser), Some(waiting)) = (browser, self.queue.pop(lane)) else {
            self.admission.ended(now, permits, AttemptOutcome::Dropped, &mut self.rng);
            return AdmitResult::Shut;
        };
        let Waiting { job, entry, attempts, mut history } = waiting;
        // A job pays in once: after an eviction or a lost browser its first attempt comes again.
        if attempts == 0 && history.evictions == 0 && history.losses == 0 {
            self.retry_budget.deposit(now);
        }
        // From its first attempt on only the number of attempts bounds a job.
        history.held_since = None;
        history.deadline = None;
        let number = attempts + 1;
        let attempt = Attempt { job, entry: self.ledger.start(entry), number, permits, history };
        let slot = self.slots.admit(now, browser, attempt);
        if self.admission.is_against_odds(now) {
            self.last_resort = Some(slot);
        }
        let load = self.load();
        self.admission.reserved(slot, load);
        self.peaks.active = self.peaks.active.max(load.active);
        self.peaks.creating = self.peaks.creating.max(load.creating);
        self.actions.push_back(Action::Start { slot, job, browser, attempt: number });
        if self.config.warnings.is_nearing(load.active, self.admission.ceiling()) {
            self.nearest = self.nearest.max(load.active);
            let suppressed = self.warnings.record(now);
            self.warn_of_limit(suppressed);
        }
        AdmitResult::Next
    }

    /// Whether no breaker of the whole fleet is open or being probed.
    fn is_whole(&self, now: Moment) -> bool {
        let state = |scope| self.admission.scopes().state(now, scope);
        FLEET_SCOPES.iter().all(|scope| matches!(state(scope), None | Some(State::Closed { .. })))
    }

    /// Lets every job wait for a breaker of the whole fleet, or gives the job at the front up when that has lasted too long.
    fn wait_for_fleet(&mut self, now: Moment, lane: Lane, blocked: &Blocked) -> AdmitResult {
        let until = blocked.refused.until();
        self.fleet_open_until = Some(until);
        // While it is being probed it may turn out well.
        if !matches!(blocked.refused, Refused::Open { .. }) {
            return AdmitResult::Shut;
        }
        let outage = self.fleet_outage.get_or_insert_with(|| FleetOutage::begins(now));
        if outage.may_end(now, until) {
            return AdmitResult::Shut;
        }
        let Some(waiting) = self.queue.pop(lane) else { return AdmitResult::Shut };
        let fault = || Fault::transient(FailureClass::Overload, format!("the whole fleet fails: {blocked}"));
        self.give_up(waiting, fault);
        AdmitResult::Next
    }

    /// Holds the job at the front back until its host or proxy may be asked again, or gives it up when that has lasted too long.
    fn hold_back(&mut self, now: Moment, lane: Lane, blocked: &Blocked) -> AdmitResult {
        let Some(mut waiting) = self.queue.pop(lane) else { return AdmitResult::Shut };
        let since = *waiting.history.held_since.get_or_insert(now);
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
                return AdmitResult::Next;
            }
            Refused::Open { until, .. } => until.min(give_up),
            // It is being probed: the next job that asks may be the next probe.
            Refused::Probing { .. } => now + PROBE_SPACING,
        };
        let deadline = waiting.history.deadline.unwrap_or(Moment::NEVER);
        self.queue.delay(waiting, ask_again.min(deadline));
        AdmitResult::Next
    }

    /// Ends a job that waits, with the failure of its last attempt or, if it had none, with what it waits for.
    fn give_up(&mut self, mut waiting: Waiting, fault: impl FnOnce() -> Fault) {
        let last = waiting.history.last_failure.take();
        let failure = last.map_or_else(|| fault().at(Stage::Queue), |last| *last);
        self.settle_waiting(waiting, Outcome::Failed(failure));
    }

    /// Starts the browsers that are missing.
    fn launch_missing_browsers(&mut self, now: Moment) {
        let demand = self.demand();
        let is_missing = self.placement.empty().is_none();
        let alone = if is_missing { self.demand_alone(now) } else { 0 };
        while self.launches.may_launch(now)
            && self.restarts.may_restart(now) == Restart::Now
            && (self.placement.is_empty() || self.admission.has_room_for_browser())
            && let Some(id) = self.placement.launch(now, demand, alone)
        {
            self.admission.launching(id);
            self.actions.push_back(Action::Launch(id));
        }
    }

    /// Browsers that jobs that run alone need now: they take those that are empty, one after the other.
    fn demand_alone(&self, now: Moment) -> u32 {
        let may_start = self.queue.alone() > 0
            && self.admission.measures().launches == Launches::Any
            && self.admission.admit(now, self.load()).is_ok();
        u32::from(may_start)
    }

    /// Contexts that browsers should have room for.
    fn demand(&self) -> u32 {
        let waiting = u32::try_from(self.queue.ready()).unwrap_or(u32::MAX);
        let active = self.load().active;
        let wanted = active.saturating_add(waiting).min(self.admission.active_limit());
        let measures = self.admission.measures();
        // While the gates are shut only the starvation rule admits a context, and it needs one browser.
        let is_open = measures.admission == pressure::Admission::Open || self.admission.is_starved(self.last);
        let to_stand_on = u32::from(is_open);
        match measures.launches {
            // While a breaker of the fleet is open, it needs browsers only for the contexts it holds, and one for the probe.
            Launches::Any if self.fleet_open_until.is_some() => wanted.min(active.max(1)),
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
