//! Browsers: they start, die, hang, and are closed.

use std::time::Duration;

use plimsoll_core::id::{BrowserId, SlotId};
use plimsoll_core::outcome::{FailureClass, Recurrence};
use plimsoll_core::time::Moment;

use super::{Due, Work, World};
use crate::fault::FaultKind;
use crate::outcome_plan::LaunchPlan;
use crate::processor::Turn;
use crate::world_event::{End, WorldEvent};
use plimsoll_sim::chance::Chance;

/// How long a start may take.
const LAUNCH_TIMEOUT: Duration = Duration::from_secs(30);
/// The time until a hang is detected: three pings, 5 s apart.
const HANG_SEEN_AFTER: Duration = Duration::from_secs(15);

/// A browser process.
#[derive(Debug)]
pub(super) struct Browser {
    pub(super) state: BrowserState,
    outcome: LaunchPlan,
    turn: Option<Turn>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BrowserState {
    Starting,
    /// Starting, and to be closed once it is up.
    Unwanted,
    Up,
    Hung,
    Dead,
    Closing,
}

impl BrowserState {
    /// Whether commands can be sent to it, even if they have no effect.
    pub(super) const fn takes_commands(self) -> bool {
        matches!(self, Self::Up | Self::Hung)
    }

    /// Whether it carries out commands.
    pub(super) const fn answers(self) -> bool {
        matches!(self, Self::Up)
    }

    /// Whether it has memory.
    pub(super) const fn is_alive(self) -> bool {
        !matches!(self, Self::Dead)
    }
}

impl World {
    pub(super) fn launch(&mut self, now: Moment, id: BrowserId) {
        let outcome = match LaunchPlan::drawn(&mut self.fault_rng(), id) {
            _ if self.state.outages > 0 => LaunchPlan::Fails,
            outcome => outcome,
        };
        let cpu = self.scenario.load.launch_cpu;
        let turn = (outcome != LaunchPlan::Hangs).then(|| self.processor.start(now, cpu, Work::Launch(id)));
        self.browsers.insert(id, Browser { state: BrowserState::Starting, outcome, turn });
        self.agenda.enter(now + LAUNCH_TIMEOUT, Due::LaunchTimeout(id));
    }

    pub(super) fn launch_done(&mut self, now: Moment, id: BrowserId) {
        let Some(browser) = self.browsers.get_mut(&id) else { return };
        browser.turn = None;
        match browser.outcome {
            LaunchPlan::Fails => self.launch_failed(id, Recurrence::Transient),
            LaunchPlan::Refused => self.launch_failed(id, Recurrence::Persistent),
            LaunchPlan::Up | LaunchPlan::Hangs => {
                let unwanted = browser.state == BrowserState::Unwanted;
                browser.state = BrowserState::Up;
                self.emit(WorldEvent::Launched(id));
                if unwanted {
                    self.close(now, id);
                }
            }
        }
    }

    pub(super) fn launch_timed_out(&mut self, now: Moment, id: BrowserId) {
        let Some(browser) = self.browsers.get(&id) else { return };
        if matches!(browser.state, BrowserState::Starting | BrowserState::Unwanted) {
            browser.turn.and_then(|turn| self.processor.stop(now, turn));
            self.launch_failed(id, Recurrence::Transient);
        }
    }

    fn launch_failed(&mut self, id: BrowserId, recurrence: Recurrence) {
        self.browsers.remove(&id);
        self.emit(WorldEvent::LaunchFailed(id, recurrence));
    }

    pub(super) fn close(&mut self, now: Moment, id: BrowserId) {
        let Some(browser) = self.browsers.get_mut(&id) else { return };
        match browser.state {
            BrowserState::Starting | BrowserState::Unwanted => browser.state = BrowserState::Unwanted,
            BrowserState::Closing => {}
            BrowserState::Up | BrowserState::Hung | BrowserState::Dead => {
                browser.state = BrowserState::Closing;
                self.fail_contexts(now, id);
                let takes = Chance::of(self.seed, &[0xc105e, id.0]).count(50, 2000);
                self.agenda.enter(now + Duration::from_millis(u64::from(takes)), Due::Gone(id));
            }
        }
    }

    pub(super) fn browser_gone(&mut self, id: BrowserId) {
        self.browsers.remove(&id);
        self.emit(WorldEvent::BrowserGone(id));
        for slot in self.on(id) {
            // The contexts that are left here could not be verified gone before.
            self.closed(slot);
        }
    }

    /// The browser has not answered for too long.
    pub(super) fn missed(&mut self, id: BrowserId) {
        if self.browsers.get(&id).is_some_and(|browser| browser.state == BrowserState::Hung) {
            self.emit(WorldEvent::BrowserEnded(id));
        }
    }

    /// A browser's process ends, and all its pages with it.
    pub(super) fn kill_browser(&mut self, now: Moment, id: BrowserId) {
        let Some(browser) = self.browsers.get_mut(&id) else { return };
        if !browser.state.takes_commands() {
            return;
        }
        browser.state = BrowserState::Dead;
        self.fail_contexts(now, id);
        let seen = Chance::of(self.seed, &[0xdead, id.0]).count(1, 100);
        self.agenda
            .enter(now + Duration::from_millis(u64::from(seen)), Due::Emit(WorldEvent::BrowserEnded(id)));
    }

    pub(super) fn kill_picked_browser(&mut self, now: Moment, pick: u64) {
        if let Some(id) = self.pick_up(pick) {
            self.injected.count(FaultKind::BrowserKilled);
            self.kill_browser(now, id);
        }
    }

    pub(super) fn hang_browser(&mut self, now: Moment, pick: u64) {
        let Some(id) = self.pick_up(pick) else { return };
        self.injected.count(FaultKind::BrowserHangs);
        if let Some(browser) = self.browsers.get_mut(&id) {
            browser.state = BrowserState::Hung;
        }
        for slot in self.on(id) {
            self.freeze_context(now, slot);
        }
        self.agenda.enter(now + HANG_SEEN_AFTER, Due::Missed(id));
    }

    /// The attempts of a browser fail, each on its own and within a few milliseconds.
    fn fail_contexts(&mut self, now: Moment, id: BrowserId) {
        for slot in self.on(id) {
            self.freeze_context(now, slot);
            let Some(context) = self.contexts.get_mut(&slot) else { continue };
            context.growth = context.growth.filter(|_| context.stays_with_browser);
            let end = End::transient(context.stage(), FailureClass::BrowserCrash);
            let seen = Chance::of(self.seed, &[0xfa11, slot.0]).count(1, 40);
            self.agenda.enter(now + Duration::from_millis(u64::from(seen)), Due::Dies(slot, end));
        }
    }

    fn on(&self, id: BrowserId) -> Vec<SlotId> {
        let all = (id, SlotId(0))..=(id, SlotId(u64::MAX));
        self.placed.range(all).map(|(_, slot)| *slot).collect()
    }

    fn pick_up(&self, pick: u64) -> Option<BrowserId> {
        let up: Vec<_> =
            self.browsers.iter().filter(|(_, b)| b.state == BrowserState::Up).map(|(id, _)| *id).collect();
        up.get(pick.checked_rem(up.len() as u64)? as usize).copied()
    }
}
