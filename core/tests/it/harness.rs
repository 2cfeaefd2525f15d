//! The [`Dispatch`] of one fleet without a runtime. The test acts as its clock, its browsers and its attempts.
//!
//! Every action is recorded by its kind. A launch is answered at once, with a failure during an
//! [`outage`](Fleet::outage); the closing of a browser is also answered at once. The test answers attempts one by one
//! ([`Fleet::end_one`]), all together ([`Fleet::run`]), or by letting them run while time passes ([`Fleet::pass`]).

use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;
use std::time::Duration;

use plimsoll_core::id::{BrowserId, JobSeq, SlotId};
use plimsoll_core::outcome::{FailureClass, Fault, Outcome};
use plimsoll_core::policy::{
    Action, Announcement, AttemptEnd, Dispatch, DispatchConfig, Event, MemoryUse, Reading, Sensed,
};
use plimsoll_core::time::Moment;

/// More turns than the fleet of any test needs.
const TURNS: usize = 100_000;

/// A fleet and all its decisions.
pub(crate) struct Fleet {
    pub(crate) dispatch: Dispatch,
    pub(crate) now: Moment,
    /// The time in which every launch fails.
    pub(crate) outage: Range<Moment>,
    /// Slots whose attempt has not ended.
    pub(crate) slots: BTreeSet<SlotId>,
    /// The slots that run until the test or an eviction ends them.
    pub(crate) running: Vec<SlotId>,
    pub(crate) evictions: u32,
    pub(crate) closed: Vec<BrowserId>,
    pub(crate) settled: Vec<Settled>,
    pub(crate) announcements: Vec<(Moment, Announcement)>,
    launching: VecDeque<BrowserId>,
    up: Vec<BrowserId>,
    started: VecDeque<Attempt>,
    evicted: VecDeque<SlotId>,
}

/// An attempt that was started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt {
    pub(crate) number: u32,
    pub(crate) job: JobSeq,
    pub(crate) browser: BrowserId,
    pub(crate) slot: SlotId,
}

/// A job that ended.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) job: JobSeq,
    pub(crate) at: Moment,
    pub(crate) outcome: Outcome,
    pub(crate) attempts: u32,
}

impl Fleet {
    pub(crate) fn new(config: DispatchConfig) -> Self {
        Self {
            dispatch: Dispatch::new(config, 1),
            now: Moment::ZERO,
            outage: Moment::ZERO..Moment::ZERO,
            slots: BTreeSet::new(),
            running: Vec::new(),
            evictions: 0,
            closed: Vec::new(),
            settled: Vec::new(),
            announcements: Vec::new(),
            launching: VecDeque::new(),
            up: Vec::new(),
            started: VecDeque::new(),
            evicted: VecDeque::new(),
        }
    }

    pub(crate) fn submit(&mut self, jobs: u64) {
        for _ in 0..jobs {
            let job = JobSeq(self.dispatch.counts().submitted);
            self.tell(Event::Submitted { job, host: None, proxy: None });
        }
    }

    /// Sends the event to the fleet, records its actions, and answers launches.
    pub(crate) fn tell(&mut self, event: Event) {
        self.dispatch.handle(self.now, event);
        while let Some(action) = self.dispatch.next_action() {
            match action {
                Action::Start { slot, job, browser, attempt: number } => {
                    self.slots.insert(slot);
                    self.started.push_back(Attempt { number, job, browser, slot });
                }
                Action::Launch(browser) => self.launching.push_back(browser),
                Action::Close(browser) => {
                    self.closed.push(browser);
                    self.dispatch.handle(self.now, Event::BrowserGone(browser));
                }
                Action::Settle { job, outcome, attempts } => {
                    self.settled.push(Settled { job, at: self.now, outcome, attempts });
                }
                Action::Evict(slot) => self.evicted.push_back(slot),
                Action::Announce(announcement) => self.announcements.push((self.now, announcement)),
                Action::Trim(_) => {}
            }
        }
        if let Some(browser) = self.launching.pop_front() {
            if self.outage.contains(&self.now) {
                let fault = Fault::transient(FailureClass::BrowserCrash, "nobody answers");
                self.tell(Event::LaunchFailed(browser, fault));
            } else {
                self.up.push(browser);
                self.tell(Event::Launched(browser));
            }
        }
    }

    /// Opens the context of every slot.
    pub(crate) fn open_all(&mut self) {
        self.slots.clone().into_iter().for_each(|slot| self.tell(Event::Opened(slot)));
    }

    /// Ends the attempt of the oldest slot.
    pub(crate) fn end_one(&mut self, end: AttemptEnd) {
        let slot = *self.slots.first().expect("an attempt runs");
        self.end(slot, end);
    }

    pub(crate) fn end(&mut self, slot: SlotId, end: AttemptEnd) {
        self.slots.remove(&slot);
        self.running.retain(|running| *running != slot);
        self.tell(Event::Ended(slot, end));
        self.tell(Event::Freed(slot));
    }

    /// Every browser exits.
    pub(crate) fn die(&mut self) {
        for browser in std::mem::take(&mut self.up) {
            self.tell(Event::BrowserEnded(browser));
        }
    }

    pub(crate) fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.tell(Event::Tick);
    }

    /// Reads the machine one second later.
    pub(crate) fn read(&mut self, memory: MemoryUse, oom_kills: Option<u64>) {
        self.now += Duration::from_secs(1);
        let at = self.now;
        let memory = Some(Sensed { value: memory, source: "test", at });
        let oom_kills = oom_kills.map(|value| Sensed { value, source: "test", at });
        self.tell(Event::Read(Box::new(Reading { memory, oom_kills, ..Reading::default() })));
    }

    /// Opens the contexts of the started attempts and runs them for a second; evicted attempts then end.
    pub(crate) fn pass(&mut self, memory: MemoryUse) {
        while let Some(Attempt { slot, .. }) = self.started.pop_front() {
            self.running.push(slot);
            self.tell(Event::Opened(slot));
        }
        self.read(memory, None);
        while let Some(slot) = self.evicted.pop_front() {
            self.evictions += 1;
            self.end(slot, AttemptEnd::Evicted);
        }
    }

    /// The attempts that were started and not answered.
    pub(crate) fn take_started(&mut self) -> Vec<Attempt> {
        self.started.drain(..).collect()
    }

    /// Ends each attempt with the result of `end`, until the fleet can only wait.
    pub(crate) fn answer(&mut self, mut end: impl FnMut(Attempt) -> AttemptEnd) {
        for _ in 0..TURNS {
            let Some(attempt) = self.started.pop_front() else { return };
            self.tell(Event::Opened(attempt.slot));
            self.end(attempt.slot, end(attempt));
        }
        panic!("the fleet never comes to rest");
    }

    /// Runs until no job waits. The fleet is woken only at the moments that it requests: a fleet that requests none
    /// while jobs wait would hang.
    pub(crate) fn run(&mut self, mut end: impl FnMut(Attempt) -> AttemptEnd) {
        self.answer(&mut end);
        while !self.dispatch.is_idle() {
            self.now = self.dispatch.next_change().expect("jobs wait, and no moment is asked for");
            self.tell(Event::Tick);
            self.answer(&mut end);
        }
    }
}
