//! The fleet's decisions: which job starts now, on which browser, and what becomes of it.
//!
//! A pure machine. The runtime tells it what happened ([`Dispatch::handle`]) and carries out what it answers
//! ([`Dispatch::next_action`]); the simulator does the same on virtual time with the same code.
//!
//! ```text
//!  Submitted ─► queue ─► admitted ─► Start{slot} ─► Opened ─► Ended ─► Freed
//!                 ▲     (one synchronous decision)              │
//!                 └────────────── retry, after its wait ────────┤
//!                                                               └─► Settle{outcome}
//! ```
//!
//! The happy path is a row of events per slot: `Opened`, `Ended`, `Freed`. The failure paths:
//! * the attempt fails: `Ended` carries the failure, and the retry policy decides;
//! * the browser dies: `BrowserEnded`; its attempts fail one by one, it is closed, `BrowserGone` follows;
//! * a browser cannot be started: `LaunchFailed`; the next start waits (back-off), and after too many in a row,
//!   with no browser left to run on, the waiting jobs fail with the last reason rather than wait for ever;
//! * the fleet is stopped: waiting jobs are cancelled, running ones go on until they are cancelled too.
//!
//! Every "not now" is a [`Wait`] that can be printed.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::id::{BrowserId, JobSeq, SlotId};
use crate::outcome::{Failure, FailureClass, Fault, Outcome, Stage};
use crate::policy::admission::{Admission, AdmissionConfig, Load, Wait};
use crate::policy::launch::LaunchBackoff;
use crate::policy::ledger::{Counts, Ledger, Running};
use crate::policy::placement::{Placement, PlacementConfig};
use crate::policy::queue::{Queue, Waiting};
use crate::policy::retry::{RetryPolicy, Verdict};
use crate::time::Moment;

/// The rules of a fleet.
#[derive(Debug, Clone, PartialEq)]
pub struct DispatchConfig {
    /// What may start now.
    pub admission: AdmissionConfig,
    /// How browsers are filled and replaced.
    pub placement: PlacementConfig,
    /// Which failures are tried again.
    pub retry: RetryPolicy,
    /// Jobs that may wait; more are rejected.
    pub queue_capacity: usize,
    /// How long a job may wait for its first attempt; for ever unless said otherwise.
    pub queue_timeout: Option<Duration>,
}

impl Default for DispatchConfig {
    fn default() -> Self {
        Self {
            admission: AdmissionConfig::default(),
            placement: PlacementConfig::default(),
            retry: RetryPolicy::default(),
            queue_capacity: 1000,
            queue_timeout: None,
        }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A job was submitted.
    Submitted(JobSeq),
    /// The context of a slot is there.
    Opened(SlotId),
    /// The attempt of a slot ended; its context is being closed or gone.
    Ended(SlotId, AttemptEnd),
    /// The context of a slot is verified gone.
    Freed(SlotId),
    /// A browser is ready.
    Launched(BrowserId),
    /// A browser could not be started; nothing of it is left.
    LaunchFailed(BrowserId, Fault),
    /// A browser died, hangs or is no longer to be trusted.
    BrowserEnded(BrowserId),
    /// A browser is verified gone.
    BrowserGone(BrowserId),
    /// No more attempts begin; waiting jobs are cancelled.
    Stop,
    /// Nothing more will be submitted and nothing runs: every browser is closed.
    Finish,
    /// Time passed (see [`Dispatch::next_change`]).
    Tick,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptEnd {
    /// Every step was carried out.
    Succeeded,
    /// A step, or the creation of the context, failed.
    Failed(Failure),
    /// It was cancelled from outside.
    Cancelled,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Action {
    /// Start an attempt: open a context on the browser and run the job's steps.
    Start {
        /// The slot it holds until [`Event::Freed`].
        slot: SlotId,
        /// Whose attempt.
        job: JobSeq,
        /// Where.
        browser: BrowserId,
        /// The attempt's number, from 1.
        attempt: u32,
    },
    /// Start a browser.
    Launch(BrowserId),
    /// Close a browser and verify that it is gone.
    Close(BrowserId),
    /// The job has ended: record it.
    Settle {
        /// Which job.
        job: JobSeq,
        /// How it ended.
        outcome: Outcome,
        /// How many attempts were made.
        attempts: u32,
    },
}

/// The fleet's state of mind.
#[derive(Debug)]
pub struct Dispatch {
    config: DispatchConfig,
    admission: Admission,
    placement: Placement,
    launches: LaunchBackoff,
    ledger: Ledger,
    queue: Queue,
    slots: BTreeMap<SlotId, Slot>,
    creating: u32,
    next_slot: u64,
    phase: Phase,
    actions: VecDeque<Action>,
    peaks: Peaks,
    rng: fastrand::Rng,
    /// When the last event was handled: what was due then has been done.
    last: Moment,
}

/// The highest load there was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Peaks {
    /// Contexts held at once.
    pub active: u32,
    /// Contexts being created at once.
    pub creating: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    Stopping,
}

/// One admitted context.
#[derive(Debug)]
struct Slot {
    browser: BrowserId,
    since: Moment,
    phase: SlotPhase,
}

#[derive(Debug)]
enum SlotPhase {
    Creating(Attempt),
    Running(Attempt),
    Closing,
}

#[derive(Debug)]
struct Attempt {
    job: JobSeq,
    entry: Running,
    number: u32,
}

impl Dispatch {
    /// A fleet with nothing to do. `seed` decides the jitter, so that a run can be replayed.
    #[must_use]
    pub fn new(config: DispatchConfig, seed: u64) -> Self {
        Self {
            admission: Admission::new(config.admission.clone()),
            placement: Placement::new(config.placement.clone()),
            launches: LaunchBackoff::default(),
            ledger: Ledger::default(),
            queue: Queue::new(config.queue_capacity),
            slots: BTreeMap::new(),
            creating: 0,
            next_slot: 0,
            phase: Phase::Open,
            actions: VecDeque::new(),
            peaks: Peaks::default(),
            rng: fastrand::Rng::with_seed(seed),
            last: Moment::ZERO,
            config,
        }
    }

    /// Takes note of what happened and decides what follows.
    pub fn handle(&mut self, now: Moment, event: Event) {
        self.last = now;
        match event {
            Event::Submitted(job) => self.submit(now, job),
            Event::Opened(slot) => self.opened(now, slot),
            Event::Ended(slot, end) => self.ended(now, slot, end),
            Event::Freed(slot) => self.freed(slot),
            Event::Launched(id) => {
                self.launches.succeeded();
                let replaced = self.placement.up(id, now);
                self.actions.extend(replaced.map(Action::Close));
            }
            Event::LaunchFailed(id, fault) => {
                self.placement.gone(id);
                self.launches.failed(now, fault, &mut self.rng);
            }
            Event::BrowserEnded(id) => self.actions.extend(self.placement.close(id).map(Action::Close)),
            Event::BrowserGone(id) => self.placement.gone(id),
            Event::Stop => self.phase = Phase::Stopping,
            Event::Finish => {
                self.phase = Phase::Stopping;
                self.actions.extend(self.placement.close_all().into_iter().map(Action::Close));
            }
            Event::Tick => {}
        }
        self.decide(now);
    }

    /// The next thing to do; ask until there is none.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`Event::Tick`] would change something; always later than the last event.
    #[must_use]
    pub fn next_change(&self) -> Option<Moment> {
        let launch = self.launches.retry_at().filter(|_| self.queue.ready() > 0);
        self.queue.next_change().into_iter().chain(launch).filter(|at| *at > self.last).min()
    }

    /// How many more jobs may be submitted without being rejected.
    #[must_use]
    pub fn room(&self) -> usize {
        self.queue.room()
    }

    /// Where the jobs are.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.ledger.counts()
    }

    /// The load of this instant.
    #[must_use]
    pub fn load(&self) -> Load {
        Load { active: u32::try_from(self.slots.len()).unwrap_or(u32::MAX), creating: self.creating }
    }

    /// The highest load so far.
    #[must_use]
    pub const fn peaks(&self) -> Peaks {
        self.peaks
    }

    /// The browsers.
    #[must_use]
    pub const fn placement(&self) -> &Placement {
        &self.placement
    }

    /// Why the job at the front of the queue does not start now; `None` when no job waits.
    #[must_use]
    pub fn waiting_for(&self, now: Moment) -> Option<Wait> {
        if self.queue.is_empty() {
            return None;
        }
        if self.queue.ready() == 0 {
            return self.queue.next_change().map(Wait::Backoff);
        }
        Some(
            self.admission
                .admit(now, self.load())
                .err()
                .unwrap_or(Wait::Browser { launching: self.placement.launching() }),
        )
    }

    /// Whether no job waits or runs and no context is held.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.slots.is_empty()
    }

    fn submit(&mut self, now: Moment, job: JobSeq) {
        let entry = self.ledger.submit();
        let deadline = self.config.queue_timeout.map(|patience| now + patience);
        if let Err(refused) = self.queue.push(Waiting { job, entry, attempts: 0, deadline }) {
            self.settle_waiting(refused, Outcome::Rejected);
        }
    }

    fn opened(&mut self, now: Moment, id: SlotId) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        match std::mem::replace(&mut slot.phase, SlotPhase::Closing) {
            SlotPhase::Creating(attempt) => {
                slot.phase = SlotPhase::Running(attempt);
                self.creating -= 1;
                self.admission.opened(now.since(slot.since));
            }
            phase => slot.phase = phase,
        }
    }

    fn ended(&mut self, now: Moment, id: SlotId, end: AttemptEnd) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        let attempt = match std::mem::replace(&mut slot.phase, SlotPhase::Closing) {
            SlotPhase::Creating(attempt) => {
                self.creating -= 1;
                attempt
            }
            SlotPhase::Running(attempt) => attempt,
            SlotPhase::Closing => return,
        };
        let Attempt { job, entry, number } = attempt;
        let outcome = match end {
            AttemptEnd::Succeeded => Outcome::Succeeded,
            AttemptEnd::Cancelled => Outcome::Cancelled,
            AttemptEnd::Failed(failure) => match self.config.retry.after(number, &failure, &mut self.rng) {
                Verdict::Again(wait) if self.phase == Phase::Open => {
                    let entry = self.ledger.requeue(entry);
                    return self
                        .queue
                        .delay(Waiting { job, entry, attempts: number, deadline: None }, now + wait);
                }
                Verdict::Again(_) | Verdict::Final => Outcome::Failed(failure),
            },
        };
        self.ledger.finish(entry, &outcome);
        self.actions.push_back(Action::Settle { job, outcome, attempts: number });
    }

    fn freed(&mut self, id: SlotId) {
        let Some(slot) = self.slots.remove(&id) else { return };
        let vanished = match slot.phase {
            SlotPhase::Creating(attempt) => {
                self.creating -= 1;
                Some(attempt)
            }
            SlotPhase::Running(attempt) => Some(attempt),
            SlotPhase::Closing => None,
        };
        if let Some(Attempt { job, entry, number }) = vanished {
            // The permit came back without a word: its task was torn down. The job must not vanish with it.
            let fault =
                Fault::persistent(FailureClass::Internal, "the attempt's task ended without a result");
            let outcome = Outcome::Failed(fault.at(Stage::Close));
            self.ledger.finish(entry, &outcome);
            self.actions.push_back(Action::Settle { job, outcome, attempts: number });
        }
        self.actions.extend(self.placement.vacate(slot.browser).map(Action::Close));
    }

    fn decide(&mut self, now: Moment) {
        self.queue.advance(now);
        if self.phase == Phase::Stopping {
            let waiting: Vec<_> = self.queue.drain().collect();
            waiting.into_iter().for_each(|waiting| self.settle_waiting(waiting, Outcome::Cancelled));
            return;
        }
        while let Some(expired) = self.queue.pop_expired(now) {
            self.settle_waiting(expired, Outcome::Expired);
        }
        if self.placement.is_empty()
            && let Some(fault) = self.launches.hopeless(now)
        {
            let outcome = Outcome::Failed(fault.clone().at(Stage::Launch));
            let waiting: Vec<_> = self.queue.drain().collect();
            waiting.into_iter().for_each(|waiting| self.settle_waiting(waiting, outcome.clone()));
        }
        while self.queue.ready() > 0
            && self.admission.admit(now, self.load()).is_ok()
            && let Some(browser) = self.placement.occupy()
            && let Some(waiting) = self.queue.pop()
        {
            self.start(now, waiting, browser);
        }
        let demand = self.demand();
        while self.launches.may_launch(now)
            && let Some(id) = self.placement.launch(now, demand)
        {
            self.actions.push_back(Action::Launch(id));
        }
    }

    /// Contexts that browsers should have room for: what is held and what waits, as far as the limit goes.
    fn demand(&self) -> u32 {
        let waiting = u32::try_from(self.queue.ready()).unwrap_or(u32::MAX);
        self.load().active.saturating_add(waiting).min(self.admission.limit())
    }

    fn start(&mut self, now: Moment, waiting: Waiting, browser: BrowserId) {
        let Waiting { job, entry, attempts, .. } = waiting;
        let slot = SlotId(self.next_slot);
        self.next_slot += 1;
        let number = attempts + 1;
        let attempt = Attempt { job, entry: self.ledger.start(entry), number };
        self.slots.insert(slot, Slot { browser, since: now, phase: SlotPhase::Creating(attempt) });
        self.creating += 1;
        let load = self.load();
        self.peaks.active = self.peaks.active.max(load.active);
        self.peaks.creating = self.peaks.creating.max(load.creating);
        self.actions.push_back(Action::Start { slot, job, browser, attempt: number });
    }

    fn settle_waiting(&mut self, waiting: Waiting, outcome: Outcome) {
        self.ledger.finish_queued(waiting.entry, &outcome);
        self.actions.push_back(Action::Settle { job: waiting.job, outcome, attempts: waiting.attempts });
    }
}
