//! Attempts: a context is created, its page loads and is held, it ends, it is closed.
//!
//! An attempt may end while its context is being created. The browser continues the creation, and the result is
//! removed; if there is none within the time limit, the browser is given up.

use std::time::Duration;

use plimsoll_core::id::{BrowserId, JobSeq, SlotId};
use plimsoll_core::outcome::{FailureClass, Recurrence, Stage};
use plimsoll_core::time::Moment;

use super::browsers::BrowserState;
use super::memory::Growth;
use super::{Due, Work, World};
use crate::fault::FaultKind;
use crate::outcome_plan::{Closing, OutcomePlan, Way, host_of};
use crate::processor::Turn;
use crate::world_event::{End, Host, WorldEvent};

/// The time until a renderer's crash is detected.
const CRASH_SEEN_AFTER: Duration = Duration::from_millis(20);

/// The time limit for a partly made context to be created and removed, as in the runtime's attempts.
const ABANDON_BUDGET: Duration = Duration::from_secs(15);

/// A context and its attempt.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) browser: BrowserId,
    pub(super) host: Host,
    pub(super) outcome: OutcomePlan,
    pub(super) phase: Phase,
    /// The growth of its memory since its creation.
    pub(super) growth: Option<Growth>,
    /// Its slot is freed only when its browser is gone.
    pub(super) stays_with_browser: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Waits for the processor; `None` waits for ever.
    Creating(Option<Turn>),
    Loading(Option<Turn>),
    Held,
    /// The attempt has ended; the creation goes on, unless it hangs.
    Abandoned(Option<Turn>),
    Closing,
}

impl Context {
    pub(super) const fn stage(&self) -> Stage {
        match self.phase {
            Phase::Creating(_) => Stage::Create,
            _ => Stage::Step(0),
        }
    }
}

impl World {
    pub(super) fn start(&mut self, now: Moment, slot: SlotId, job: JobSeq, browser: BrowserId, attempt: u32) {
        let is_up = self.browsers.get(&browser).is_some_and(|b| b.state.takes_commands());
        if !is_up {
            // The browser ended at this moment.
            self.emit(WorldEvent::Ended(slot, End::transient(Stage::Create, FailureClass::BrowserCrash)));
            self.emit(WorldEvent::Freed(slot));
            return;
        }
        let (load, weight) = (self.scenario.load, self.state.weight);
        let outcome = OutcomePlan::drawn(&mut self.fault_rng(), job, attempt, &load, weight);
        let is_hung = self.browsers.get(&browser).is_some_and(|b| b.state == BrowserState::Hung);
        let hangs = is_hung || outcome.creation == Way::Hangs;
        let turn = (!hangs).then(|| self.processor.start(now, outcome.create_cpu, Work::Create(slot)));
        let context = Context {
            browser,
            host: host_of(self.seed, job, &load),
            outcome,
            phase: Phase::Creating(turn),
            growth: None,
            stays_with_browser: false,
        };
        self.contexts.insert(slot, context);
        self.placed.insert((browser, slot));
        self.agenda.enter(now + load.attempt_timeout, Due::Deadline(slot));
    }

    pub(super) fn created(&mut self, now: Moment, slot: SlotId) {
        let Some(context) = self.contexts.get_mut(&slot) else { return };
        if !self.browsers[&context.browser].state.answers() {
            return;
        }
        match (context.phase, context.outcome.creation) {
            (Phase::Abandoned(Some(_)), _) => return self.remove_half_made(now, slot),
            (Phase::Creating(Some(_)), Way::Fails(class) | Way::Refused(class)) => {
                self.end(now, slot, End::transient(Stage::Create, class));
                return self.remove_half_made(now, slot);
            }
            (Phase::Creating(Some(_)), Way::Well | Way::Hangs) => {}
            _ => return,
        }
        context.growth = Some(Growth::new(now, self.scenario.load.growth, &context.outcome));
        let turn = self.processor.start(now, context.outcome.page_cpu, Work::Page(slot));
        context.phase = Phase::Loading(Some(turn));
        let outcome = context.outcome;
        if !outcome.opened_late {
            self.emit(WorldEvent::Opened(slot));
        }
    }

    pub(super) fn page_done(&mut self, now: Moment, slot: SlotId) {
        let Some(context) = self.contexts.get_mut(&slot) else { return };
        context.phase = Phase::Loading(None);
        let is_down = self.state.hosts_down.contains_key(&context.host);
        let way = if is_down { Way::Fails(FailureClass::Navigation) } else { context.outcome.page };
        let end = match way {
            Way::Well => {
                context.phase = Phase::Held;
                return self.agenda.enter(now + context.outcome.hold, Due::Held(slot));
            }
            Way::Hangs => return,
            Way::Fails(class) => End::transient(Stage::Step(0), class),
            Way::Refused(class) => End::Failed(Stage::Step(0), class, Recurrence::Persistent),
        };
        if way == Way::Fails(FailureClass::PageCrash) {
            self.crash(now, slot);
        } else {
            self.end(now, slot, end);
        }
    }

    pub(super) fn held(&mut self, now: Moment, slot: SlotId) {
        let Some(context) = self.contexts.get(&slot) else { return };
        if self.browsers[&context.browser].state.answers() {
            self.end(now, slot, End::Succeeded);
        }
    }

    pub(super) fn deadline(&mut self, now: Moment, slot: SlotId) {
        if let Some(context) = self.contexts.get(&slot) {
            self.end(now, slot, End::transient(context.stage(), FailureClass::Timeout));
        }
    }

    /// A renderer crashes; its memory is free at once, and the fleet gets the event a little later.
    pub(super) fn crash(&mut self, now: Moment, slot: SlotId) {
        let Some(context) = self.contexts.get_mut(&slot) else { return };
        context.growth = None;
        let end = End::transient(context.stage(), FailureClass::PageCrash);
        self.agenda.enter(now + CRASH_SEEN_AFTER, Due::Dies(slot, end));
    }

    /// An attempt ends, and its context begins to close. Only the first end counts.
    pub(super) fn end(&mut self, now: Moment, slot: SlotId, end: End) {
        let Some(context) = self.contexts.get_mut(&slot) else { return };
        let (outcome, browser) = (context.outcome, context.browser);
        let takes_commands = self.browsers.get(&browser).is_some_and(|b| b.state.takes_commands());
        let was_created = match context.phase {
            Phase::Abandoned(_) | Phase::Closing => return,
            Phase::Creating(turn) if takes_commands => {
                context.phase = Phase::Abandoned(turn);
                self.agenda.enter(now + ABANDON_BUDGET, Due::Unverified(slot));
                return self.tell_end(&outcome, slot, end);
            }
            Phase::Creating(turn) | Phase::Loading(turn) => {
                turn.and_then(|turn| self.processor.stop(now, turn));
                context.growth.is_some()
            }
            Phase::Held => true,
        };
        context.phase = Phase::Closing;
        self.tell_end(&outcome, slot, end);
        if outcome.opened_late && was_created {
            self.emit(WorldEvent::Opened(slot));
        }
        if takes_commands && was_created {
            self.remove(now, slot);
        } else {
            self.agenda.enter(now, Due::Closed(slot));
        }
    }

    fn tell_end(&mut self, outcome: &OutcomePlan, slot: SlotId, end: End) {
        if outcome.closing != Closing::Silent {
            self.emit(WorldEvent::Ended(slot, end));
        }
    }

    fn remove_half_made(&mut self, now: Moment, slot: SlotId) {
        if let Some(context) = self.contexts.get_mut(&slot)
            && let Phase::Abandoned(_) = context.phase
        {
            context.phase = Phase::Closing;
            self.remove(now, slot);
        }
    }

    /// Removes a context, also a partly made one, after its own delay or with its browser.
    fn remove(&mut self, now: Moment, slot: SlotId) {
        let Some(context) = self.contexts.get(&slot) else { return };
        match context.outcome.closing {
            Closing::Unverified => self.leave_to_browser(slot),
            Closing::Well | Closing::Silent => {
                let closing = context.outcome.close.div_f64(self.slowdown.speed());
                self.agenda.enter(now + closing, Due::Closed(slot));
            }
        }
    }

    /// A partly made context was not created within the time limit.
    pub(super) fn unverified(&mut self, slot: SlotId) {
        if let Some(context) = self.contexts.get_mut(&slot)
            && let Phase::Abandoned(_) = context.phase
        {
            context.phase = Phase::Closing;
            self.leave_to_browser(slot);
        }
    }

    /// A context that cannot be verified gone ends with its browser, which is given up.
    fn leave_to_browser(&mut self, slot: SlotId) {
        let Some(context) = self.contexts.get_mut(&slot) else { return };
        context.stays_with_browser = true;
        let browser = context.browser;
        if self.browsers.get(&browser).is_some_and(|b| b.state.takes_commands()) {
            self.emit(WorldEvent::BrowserEnded(browser));
        }
    }

    /// A context is verified gone.
    pub(super) fn closed(&mut self, slot: SlotId) {
        if let Some(context) = self.contexts.remove(&slot) {
            self.placed.remove(&(context.browser, slot));
            self.emit(WorldEvent::Freed(slot));
        }
    }

    /// The browser of a context works on it no longer.
    pub(super) fn freeze_context(&mut self, now: Moment, slot: SlotId) {
        if let Some(context) = self.contexts.get_mut(&slot)
            && let Phase::Creating(turn) | Phase::Loading(turn) | Phase::Abandoned(turn) = &mut context.phase
        {
            turn.take().and_then(|turn| self.processor.stop(now, turn));
        }
    }

    /// Cancels everything that runs.
    pub(super) fn cancel_all(&mut self, now: Moment) {
        let slots: Vec<_> = self.contexts.keys().copied().collect();
        slots.into_iter().for_each(|slot| self.end(now, slot, End::Cancelled));
    }

    /// Kills the renderer of one of the contexts that exist.
    pub(super) fn kill_renderer(&mut self, now: Moment, pick: u64) {
        let slots: Vec<_> =
            self.contexts.iter().filter(|(_, c)| c.growth.is_some()).map(|(slot, _)| *slot).collect();
        if let Some(index) = pick.checked_rem(slots.len() as u64) {
            self.injected.count(FaultKind::RendererKilled);
            self.crash(now, slots[index as usize]);
        }
    }
}
