//! The admitted contexts: the job of each, its browser and its phase.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::id::{BrowserId, JobSeq, SlotId};
use crate::policy::admission::Load;
use crate::policy::ledger::Running;
use crate::policy::queue::JobHistory;
use crate::policy::scopes::BreakerPermits;
use crate::time::Moment;

/// All slots of a fleet.
#[derive(Debug, Default)]
pub(super) struct Slots {
    held: BTreeMap<SlotId, Slot>,
    creating: u32,
    next: u64,
}

/// One admitted context.
#[derive(Debug)]
struct Slot {
    browser: BrowserId,
    since: Moment,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Creating(Attempt),
    /// The context is open.
    Running(Attempt),
    /// The attempt ended; the context is being closed.
    Closing,
}

/// An attempt under way.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) job: JobSeq,
    pub(super) entry: Running,
    pub(super) number: u32,
    pub(super) permits: BreakerPermits,
    pub(super) history: JobHistory,
}

/// Where an attempt was when it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Its context was being created.
    Creating,
    /// Its context was open.
    Running,
}

impl Slots {
    /// Takes a slot for an attempt.
    pub(super) fn admit(&mut self, now: Moment, browser: BrowserId, attempt: Attempt) -> SlotId {
        let id = SlotId(self.next);
        self.next += 1;
        self.creating += 1;
        self.held.insert(id, Slot { browser, since: now, phase: Phase::Creating(attempt) });
        id
    }

    /// The slot's context is open. Returns how long creation took, unless the context was open or gone already.
    pub(super) fn opened(&mut self, now: Moment, id: SlotId) -> Option<Duration> {
        let slot = self.held.get_mut(&id)?;
        match std::mem::replace(&mut slot.phase, Phase::Closing) {
            Phase::Creating(attempt) => {
                let took = now.since(slot.since);
                slot.phase = Phase::Running(attempt);
                self.creating -= 1;
                Some(took)
            }
            phase => {
                slot.phase = phase;
                None
            }
        }
    }

    /// The slot's attempt ended. Returns it, unless it had ended before.
    pub(super) fn ended(&mut self, id: SlotId) -> Option<(Attempt, Progress)> {
        let slot = self.held.get_mut(&id)?;
        match std::mem::replace(&mut slot.phase, Phase::Closing) {
            Phase::Creating(attempt) => {
                self.creating -= 1;
                Some((attempt, Progress::Creating))
            }
            Phase::Running(attempt) => Some((attempt, Progress::Running)),
            Phase::Closing => None,
        }
    }

    /// The browser of a slot.
    pub(super) fn browser(&self, id: SlotId) -> Option<BrowserId> {
        self.held.get(&id).map(|slot| slot.browser)
    }

    /// The number of contexts on a browser that are not gone.
    pub(super) fn held_on(&self, browser: BrowserId) -> usize {
        self.held.values().filter(|slot| slot.browser == browser).count()
    }

    /// Whether a slot is held on this browser.
    pub(super) fn holds(&self, browser: BrowserId) -> bool {
        self.held.values().any(|slot| slot.browser == browser)
    }

    /// The slot's context is gone: the slot is free.
    pub(super) fn freed(&mut self, id: SlotId) -> Option<BrowserId> {
        self.held.remove(&id).map(|slot| slot.browser)
    }

    /// The youngest attempt that runs: the one whose loss costs least.
    pub(super) fn youngest_running(&self) -> Option<SlotId> {
        let running = self.held.iter().rev().find(|(_, slot)| matches!(slot.phase, Phase::Running(_)));
        running.map(|(id, _)| *id)
    }

    /// Slots whose context exists.
    pub(super) fn running(&self) -> impl Iterator<Item = SlotId> {
        self.held.iter().filter(|(_, slot)| matches!(slot.phase, Phase::Running(_))).map(|(id, _)| *id)
    }

    pub(super) fn load(&self) -> Load {
        Load { active: u32::try_from(self.held.len()).unwrap_or(u32::MAX), creating: self.creating }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }
}
