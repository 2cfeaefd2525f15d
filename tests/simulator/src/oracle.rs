//! [`Oracle`]: a slow and simple model of the fleet's duties, which gets the same events and every action.
//!
//! It keeps its own state and shares no code with the policies. After each event every affected invariant is checked;
//! each has a name ([`Invariant`]).

mod breakers;
mod browsers;
mod invariant;
mod jobs;
mod memory;

use plimsoll_core::id::{JobSeq, SlotId};
use plimsoll_core::outcome::{Outcome, Stage};
use plimsoll_core::policy::{Action, Announcement, Counts, Dispatch, DispatchConfig, LimitPolicy};
use plimsoll_core::time::Moment;
use plimsoll_core::units::Bytes;

use self::breakers::Breakers;
use self::browsers::Browsers;
use self::invariant::{Broken, Check, hold, same};
pub use self::invariant::{Invariant, Violation};
use self::jobs::{Jobs, Slot, SlotPhase, Slots};
use self::memory::Memory;
use crate::world_event::{End, WorldEvent};

/// The model of one run.
#[derive(Debug)]
pub struct Oracle {
    rules: DispatchConfig,
    jobs: Jobs,
    slots: Slots,
    browsers: Browsers,
    breakers: Breakers,
    memory: Memory,
    stopped: bool,
    /// Until then the fleet got no events, so it could not act in time.
    excused_until: Moment,
    checks: u64,
}

/// Values to check again at the end of the event.
#[derive(Debug, Default)]
struct Loose {
    ended: Option<JobSeq>,
    opened: Option<SlotId>,
    measured: Option<Bytes>,
    started: Vec<SlotId>,
    ended_slot: Option<Slot>,
    /// The moment since which nothing had run before this event.
    idle_since: Option<Moment>,
}

impl Oracle {
    /// The model of a fleet with these rules.
    #[must_use]
    pub fn new(rules: &DispatchConfig) -> Self {
        Self {
            jobs: Jobs::new(rules.clone()),
            slots: Slots::default(),
            browsers: Browsers::new(rules.clone()),
            breakers: Breakers::new(&rules.admission.scopes),
            memory: Memory::new(rules.admission.footprint.clone()),
            stopped: false,
            excused_until: Moment::ZERO,
            checks: 0,
            rules: rules.clone(),
        }
    }

    /// Records that the fleet got no events until `until`.
    pub const fn excuse(&mut self, until: Moment) {
        self.excused_until = until;
    }

    /// Checks one event and the fleet's actions in response.
    ///
    /// # Errors
    /// The first invariant that does not hold.
    pub fn observe(
        &mut self,
        now: Moment,
        event: WorldEvent,
        answer: &[Action],
        fleet: &Dispatch,
    ) -> Result<(), Violation> {
        let observed = self.follow(now, event, answer, fleet);
        observed.map_err(|Broken(invariant, detail)| Violation { invariant, at: now, detail })
    }

    /// Jobs that have not ended.
    #[must_use]
    pub fn open_jobs(&self) -> usize {
        self.jobs.open()
    }

    /// Whether no slot is held.
    #[must_use]
    pub fn holds_nothing(&self) -> bool {
        self.slots.held.is_empty()
    }

    /// Whether no browser is left.
    #[must_use]
    pub fn has_no_browser(&self) -> bool {
        self.browsers.is_empty()
    }

    /// Where the jobs are.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.jobs.counts()
    }

    /// How often an invariant was checked.
    #[must_use]
    pub const fn checks(&self) -> u64 {
        self.checks
    }

    fn follow(&mut self, now: Moment, event: WorldEvent, answer: &[Action], fleet: &Dispatch) -> Check {
        let idle_since = self.slots.idle_since();
        let mut loose = Loose { idle_since, ..Loose::default() };
        self.take(now, event, &mut loose);
        // Changes are announced after the actions that follow from them.
        for action in answer {
            match action {
                Action::Announce(Announcement::Breaker(scope, _)) => self.breakers.suspect(scope),
                Action::Announce(Announcement::Pressure(_)) => self.browsers.level_changed(now),
                _ => {}
            }
        }
        for action in answer {
            self.judge(now, action, &mut loose)?;
        }
        if let Some(job) = loose.ended {
            self.jobs.conclude(now, job)?;
        }
        self.finish(now, &loose, fleet)?;
        self.check(now, &loose, fleet)
    }

    fn take(&mut self, now: Moment, event: WorldEvent, loose: &mut Loose) {
        match event {
            WorldEvent::Submitted(job, host) => self.jobs.submitted(now, job, host),
            WorldEvent::Opened(slot) => {
                let opens = self.slots.held.get(&slot).is_some_and(|held| held.phase == SlotPhase::Creating);
                if opens && self.slots.advance(slot, SlotPhase::Running).is_some() {
                    loose.opened = Some(slot);
                }
            }
            WorldEvent::Ended(slot, end) => self.attempt_ended(now, slot, Some(end), loose),
            WorldEvent::Freed(slot) => {
                self.attempt_ended(now, slot, None, loose);
                if let Some(held) = self.slots.give_back(now, slot) {
                    self.browsers.vacate(held.browser);
                    self.memory.freed(now, slot);
                }
            }
            WorldEvent::Launched(id) => {
                self.browsers.launched(now, id);
                self.memory.launch_over(id);
            }
            WorldEvent::LaunchFailed(id, _) => {
                self.browsers.launch_failed(now, id);
                self.memory.launch_over(id);
            }
            WorldEvent::BrowserEnded(id) => {
                if self.browsers.ended(now, id) {
                    self.breakers.browser_ended();
                }
            }
            WorldEvent::BrowserGone(id) => self.browsers.gone(id),
            WorldEvent::Read(glance) => self.memory.read(now, glance),
            WorldEvent::Measured(all) => loose.measured = Some(all),
            WorldEvent::Stop => self.stop(),
            WorldEvent::Finish => {
                self.stop();
                self.browsers.finish();
            }
            WorldEvent::Tick => {}
        }
    }

    fn attempt_ended(&mut self, now: Moment, id: SlotId, end: Option<End>, loose: &mut Loose) {
        if let Some(slot) = self.slots.advance(id, SlotPhase::Closing) {
            // An attempt with a page had a context, even if the event of the context has not arrived yet.
            let shows = matches!(end, Some(End::Succeeded | End::Failed(Stage::Step(_), ..)));
            if slot.phase == SlotPhase::Creating && shows {
                loose.opened = Some(id);
            }
            self.breakers.ended(now, &slot, end);
            self.jobs.ended(slot.job, end);
            loose.ended = Some(slot.job);
            loose.ended_slot = Some(slot);
        }
    }

    const fn stop(&mut self) {
        self.stopped = true;
        self.jobs.stopped();
    }

    fn judge(&mut self, now: Moment, action: &Action, loose: &mut Loose) -> Check {
        self.checks += 1;
        match action {
            Action::Start { slot, job, browser, attempt } => {
                self.jobs.conclude(now, *job)?;
                self.jobs.started(now, *job, *attempt, &self.breakers.troubled_hosts)?;
                self.browsers.occupy(*browser, self.jobs.losses(*job))?;
                let host = self.jobs.host(*job).unwrap_or(crate::world_event::Host(0));
                let phase = SlotPhase::Creating;
                self.slots.take(
                    *slot,
                    Slot { since: now, job: *job, host, browser: *browser, phase, epochs: (0, 0) },
                );
                loose.started.push(*slot);
                if self.rules.admission.policy != LimitPolicy::Fixed {
                    let idle_since = loose.idle_since.filter(|_| loose.started.len() == 1);
                    self.memory.admits(now, idle_since)?;
                }
                Ok(())
            }
            Action::Launch(id) => {
                hold(Invariant::NothingAfterStop, !self.stopped, || format!("{id} is launched"))?;
                self.memory.launching(*id);
                self.browsers.launch(now, *id)
            }
            Action::Close(id) => self.browsers.close(now, *id, self.jobs.waiting()),
            Action::Settle { job, outcome, attempts } => {
                if let Outcome::Failed(failure) = outcome
                    && failure.stage != Stage::Launch
                    && now > self.excused_until
                    && self.jobs.waits(*job)
                    && let Some(host) = self.jobs.host(*job)
                {
                    self.breakers.given_up(now, host)?;
                }
                let punctual = now > self.excused_until;
                self.jobs.settled(now, *job, outcome, *attempts, punctual)
            }
            Action::Evict(slot) => {
                let runs = self.slots.held.get(slot).is_some_and(|held| held.phase == SlotPhase::Running);
                self.memory.evicts(now, *slot, runs)
            }
            Action::Announce(Announcement::Breaker(scope, change)) => {
                self.breakers.announced(now, scope, change, loose.ended_slot.as_ref())
            }
            Action::Trim(_) | Action::Announce(_) => Ok(()),
        }
    }

    fn finish(&mut self, now: Moment, loose: &Loose, fleet: &Dispatch) -> Check {
        let footprint = fleet.admission().footprint();
        for id in &loose.started {
            if let Some(slot) = self.slots.held.get_mut(id) {
                slot.epochs = self.breakers.epochs(slot.host);
            }
            self.memory.started(*id, footprint);
        }
        for slot in loose.started.iter().filter_map(|id| self.slots.held.get(id)) {
            self.breakers.started(now, slot.host, self.slots.held.values())?;
        }
        if let Some(slot) = loose.opened {
            self.memory.opened(now, slot, footprint);
        }
        if let Some(all) = loose.measured {
            let each = Bytes(all.0 / u64::from(self.measured_among(loose)));
            let running = self.slots.held.iter().filter(|(_, slot)| slot.phase == SlotPhase::Running);
            self.memory.measured(now, running.map(|(id, _)| *id), each, footprint);
        }
        Ok(())
    }

    /// Contexts that were held when the browsers were measured, before anything started because of it.
    fn measured_among(&self, loose: &Loose) -> u32 {
        (self.slots.active() - loose.started.len() as u32).max(1)
    }

    fn check(&mut self, now: Moment, loose: &Loose, fleet: &Dispatch) -> Check {
        use Invariant as I;
        self.checks += 13;
        self.jobs.check(now, fleet.counts())?;
        if self.is_recount_due() {
            self.browsers.check(fleet.placement())?;
            self.memory.check(fleet.admission().footprint())?;
        }
        self.breakers.check(now, fleet.admission().scopes())?;
        let (active, creating) = (self.slots.active(), self.slots.creating);
        same(I::LoadAgrees, (fleet.load().active, fleet.load().creating), (active, creating))?;
        same(I::PeaksAgree, (fleet.peaks().active, fleet.peaks().creating), self.slots.peaks())?;
        let gates = fleet.admission();
        let limits = (gates.active_limit(), gates.creation_limit());
        let ceilings = (self.rules.admission.max_contexts.max(1), self.rules.admission.max_creating.max(1));
        let in_range = (1..=ceilings.0).contains(&limits.0) && (1..=ceilings.1).contains(&limits.1);
        hold(I::LimitsInRange, in_range, || format!("{limits:?}, at most {ceilings:?}"))?;
        if !loose.started.is_empty() {
            hold(I::ContextsBounded, active <= limits.0, || {
                format!("{active} are held; the limit is {}", limits.0)
            })?;
            hold(I::CreationsBounded, creating <= limits.1, || {
                format!("{creating} are in creation; the limit is {}", limits.1)
            })?;
        }
        if let Some(at) = fleet.next_change() {
            hold(I::WakesLater, at > now, || format!("the next wake-up is {at}"))?;
        }
        self.check_idle_room(now)
    }

    /// A recount visits all objects; with a hundred objects or more it is done only now and then.
    fn is_recount_due(&self) -> bool {
        self.checks.is_multiple_of(1 + u64::from(self.slots.active()) / 100 * 5)
    }

    fn check_idle_room(&self, now: Moment) -> Check {
        let rules = &self.rules.admission;
        let open = rules.policy == LimitPolicy::Fixed && !self.stopped && self.breakers.let_through();
        let limits = self.slots.active() < rules.max_contexts && self.slots.creating < rules.max_creating;
        if !open || !limits || !self.is_recount_due() {
            return Ok(());
        }
        let Some(job) = self.jobs.ready(&self.breakers.troubled_hosts) else { return Ok(()) };
        let room = self.browsers.room(now, &self.breakers.troubled_browsers);
        hold(Invariant::NoIdleRoom, room.is_none(), || format!("{job} waits, and {room:?} has room"))
    }
}
