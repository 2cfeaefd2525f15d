//! The fleet's decisions: which job starts now, on which browser, and how it ends.
//!
//! A pure state machine. The runtime passes each event to [`Dispatch::handle`] and carries out the actions of
//! [`Dispatch::next_action`]; the simulator does the same on virtual time with the same code.
//!
//! ```text
//!  Submitted ─► queue ─► admitted ─► Start{slot} ─► Opened ─► Ended ─► Freed
//!                 ▲     (one synchronous decision)              │
//!                 └──── held back: retry, host's breaker ───────┤
//!                                                               └─► Settle{outcome}
//! ```
//!
//! The happy path is a row of events per slot: `Opened`, `Ended`, `Freed`. The failure paths:
//! * the attempt fails: `Ended` carries the failure, the breakers count it, and the retry policy decides;
//! * the browser dies: `BrowserEnded`; its attempts fail one by one, it is closed, `BrowserGone` follows; what is lost with
//!   others does not count, and a job that loses browser after browser then runs in one of its own;
//! * a browser cannot be started: `LaunchFailed`; the next start waits (back-off), and after too many in a row,
//!   with no browser left to run on, the waiting jobs fail with the last reason rather than wait for ever: soon, if no
//!   browser ever came up, and else when the outage has lasted for a while;
//! * a host or a proxy fails: its breaker opens and its jobs are held back, for a while; then they fail with that reason;
//! * a breaker of the whole fleet opens: jobs wait for it, and fail when nothing succeeds for minutes;
//! * the machine is under pressure: admission stops, browsers are asked to trim, and in an emergency one attempt at a
//!   time is evicted, which counts against its job only when it keeps happening;
//! * the fleet is stopped: waiting jobs are cancelled, running ones go on until they are cancelled too.
//!
//! Every "not now" is a [`Wait`] that can be printed.

mod decide;
mod ended;
mod event;
mod fleet_outage;
mod loss;
mod slots;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

pub use self::event::{Action, AttemptEnd, Event};
use self::fleet_outage::FleetOutage;
use self::slots::Slots;
use crate::id::{BrowserId, JobSeq, SlotId};
use crate::outcome::Outcome;
use crate::policy::admission::{Admission, AdmissionConfig, Announcement, Load, Wait};
use crate::policy::launch::LaunchBackoff;
use crate::policy::ledger::{Counts, Ledger};
use crate::policy::placement::{Placement, PlacementConfig};
use crate::policy::pressure::{Eviction, Level};
use crate::policy::queue::{JobHistory, Queue, Waiting};
use crate::policy::restart::{Restart, RestartIntensity, Restarts};
use crate::policy::retry::RetryPolicy;
use crate::policy::retry_budget::{RetryBudget, RetryBudgetConfig};
use crate::policy::warning::{WarningConfig, Warnings};
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
    /// How many retries the fleet as a whole may make.
    pub retry_budget: RetryBudgetConfig,
    /// How often browsers may die before the fleet rests.
    pub restarts: RestartIntensity,
    /// When the use of the limit is warned of.
    pub warnings: WarningConfig,
    /// Jobs that may wait; more are rejected.
    pub queue_capacity: usize,
    /// How long a job may wait for its first attempt; for ever unless said otherwise.
    pub queue_timeout: Option<Duration>,
    /// How long a job is held back in all because its host's or its proxy's breaker is open, before it fails with that reason.
    /// It is also the least time for which jobs wait for browsers that cannot be started any more.
    pub host_patience: Duration,
}

impl Default for DispatchConfig {
    fn default() -> Self {
        Self {
            admission: AdmissionConfig::default(),
            placement: PlacementConfig::default(),
            retry: RetryPolicy::default(),
            retry_budget: RetryBudgetConfig::default(),
            restarts: RestartIntensity::default(),
            warnings: WarningConfig::default(),
            queue_capacity: 1000,
            queue_timeout: None,
            // Long enough for a site to restart; short enough that a batch against a dead site ends.
            host_patience: Duration::from_secs(60),
        }
    }
}

/// The complete state of a fleet's scheduler.
#[derive(Debug)]
pub struct Dispatch {
    config: DispatchConfig,
    admission: Admission,
    placement: Placement,
    launches: LaunchBackoff,
    /// Deaths of browsers that came up, of the fleet as a whole.
    restarts: Restarts,
    ledger: Ledger,
    retry_budget: RetryBudget,
    queue: Queue,
    slots: Slots,
    /// Browsers that ended, with the number of contexts that were in each; until all are gone.
    losses: BTreeMap<BrowserId, usize>,
    phase: Phase,
    eviction: Eviction,
    victim: Option<SlotId>,
    /// The attempt that the starvation rule admitted last, while the gates were shut.
    last_resort: Option<SlotId>,
    trimmed: Level,
    /// Until when a breaker of the whole fleet refuses, if one does.
    fleet_open_until: Option<Moment>,
    /// Such a breaker refuses, and nothing has succeeded since.
    fleet_outage: Option<FleetOutage>,
    warnings: Warnings,
    /// The most contexts that were active since the last warning of the limit.
    nearest: u32,
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

impl Dispatch {
    /// A fleet with nothing to do. `seed` decides the jitter, so that a run can be replayed.
    #[must_use]
    pub fn new(config: DispatchConfig, seed: u64) -> Self {
        Self {
            admission: Admission::new(config.admission.clone()),
            placement: Placement::new(config.placement.clone()),
            launches: LaunchBackoff::default(),
            restarts: Restarts::new(config.restarts.clone()),
            ledger: Ledger::default(),
            retry_budget: RetryBudget::new(config.retry_budget.clone()),
            queue: Queue::new(config.queue_capacity),
            slots: Slots::default(),
            losses: BTreeMap::new(),
            phase: Phase::Open,
            eviction: Eviction::default(),
            victim: None,
            last_resort: None,
            trimmed: Level::Nominal,
            fleet_open_until: None,
            fleet_outage: None,
            warnings: Warnings::new(config.warnings.interval),
            nearest: 0,
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
            Event::Submitted { job, host, proxy } => self.submit(now, job, host, proxy),
            Event::Opened(slot) => self.opened(now, slot),
            Event::Ended(slot, end) => self.ended(now, slot, end),
            Event::Freed(slot) => self.freed(now, slot),
            // The browser was given up already, or the event is a repetition.
            Event::Launched(id) if !self.placement.is_launching(id) => self.admission.launch_over(id),
            Event::LaunchFailed(id, _) if !self.placement.is_launching(id) => {
                self.admission.launch_over(id);
                self.placement.never_was(id);
            }
            Event::Launched(id) => {
                self.launches.succeeded();
                self.admission.launched(now, id, &mut self.rng);
                let replaced = self.placement.up(id, now);
                self.actions.extend(replaced.map(Action::Close));
            }
            Event::LaunchFailed(id, fault) => {
                self.admission.launch_failed(now, id, fault.class, &mut self.rng);
                self.placement.gone(id);
                self.launches.failed(now, fault, &mut self.rng);
            }
            Event::BrowserEnded(id) => self.browser_ended(now, id),
            Event::BrowserGone(id) => {
                self.admission.browser_gone(id);
                self.placement.gone(id);
                self.forget_loss(id);
            }
            Event::Read(reading) => {
                self.admission.read(now, &reading, self.slots.load());
                self.admission.poll_breakers(now);
                self.apply_pressure(now);
            }
            Event::Measured(total) => {
                let browsers = u32::try_from(self.placement.len()).unwrap_or(u32::MAX);
                self.admission.measured(now, total, browsers, self.slots.running());
            }
            Event::Configured(config) => self.reconfigure(*config),
            Event::Stop => self.phase = Phase::Stopping,
            Event::Finish => {
                self.phase = Phase::Stopping;
                self.actions.extend(self.placement.close_all().into_iter().map(Action::Close));
                let suppressed = self.warnings.take_suppressed();
                self.warn_of_limit(suppressed);
            }
            Event::Tick => self.admission.tick(now, self.slots.load()),
        }
        self.decide(now);
        let suppressed = self.warnings.on_timeout(now);
        self.warn_of_limit(suppressed);
        self.actions.extend(self.admission.take_announcements().into_iter().map(Action::Announce));
    }

    /// The next thing to do; ask until there is none.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`Event::Tick`] would change something; always later than the last event.
    #[must_use]
    pub fn next_change(&self) -> Option<Moment> {
        let restart =
            if let Restart::At(at) = self.restarts.may_restart(self.last) { Some(at) } else { None };
        let gates = [self.launches.retry_at(), restart, self.fleet_open_until].into_iter().flatten();
        let gates = gates.chain(self.admission.next_changes()).filter(|_| self.queue.ready() > 0);
        let own = self.queue.next_change().into_iter().chain(self.warnings.poll_timeout());
        own.chain(gates).filter(|at| *at > self.last).min()
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
        self.slots.load()
    }

    /// The highest load so far.
    #[must_use]
    pub const fn peaks(&self) -> Peaks {
        self.peaks
    }

    /// The gates.
    #[must_use]
    pub const fn admission(&self) -> &Admission {
        &self.admission
    }

    /// The browsers.
    #[must_use]
    pub const fn placement(&self) -> &Placement {
        &self.placement
    }

    /// Why the job at the front of the queue does not start now, with the numbers of the gate that is shut; `None` when no
    /// job waits.
    #[must_use]
    pub fn waiting_for(&self, now: Moment) -> Option<Wait> {
        if self.queue.is_empty() {
            return None;
        }
        if self.queue.ready() == 0 {
            return self.queue.next_change().map(Wait::HeldBack);
        }
        let gate = self.admission.admit(now, self.load()).err();
        let fuse = || self.admission.scopes().blocked(now, &decide::FLEET_SCOPES).map(Wait::Breaker);
        let launching = self.placement.launching();
        let browser = || if launching == 0 { self.admission.refuses_browser() } else { None };
        gate.or_else(fuse).or_else(browser).or(Some(Wait::Browser { launching }))
    }

    /// Whether no job waits or runs and no context is held.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.slots.is_empty()
    }

    /// Takes over the rules that may change while a fleet runs; retries, warnings, browsers' lives and the ledger keep
    /// theirs. No job in flight or in the queue is dropped for it.
    fn reconfigure(&mut self, config: DispatchConfig) {
        self.admission.reconfigure(config.admission);
        self.queue.set_capacity(config.queue_capacity);
        self.placement.set_max_launching(config.placement.max_launching);
        self.config.host_patience = config.host_patience;
    }

    fn submit(&mut self, now: Moment, job: JobSeq, host: Option<Arc<str>>, proxy: Option<Arc<str>>) {
        let entry = self.ledger.submit();
        let deadline = self.config.queue_timeout.map(|patience| now + patience);
        let history = JobHistory { deadline, host, proxy, ..JobHistory::default() };
        if let Err(refused) = self.queue.push(Waiting { job, entry, attempts: 0, history }) {
            self.settle_waiting(refused, Outcome::Rejected);
        }
    }

    fn browser_ended(&mut self, now: Moment, id: BrowserId) {
        let lived = self.placement.up_for(id, now);
        let Some(id) = self.placement.close(id) else { return };
        self.note_loss(id);
        self.admission.crashed(now);
        self.admission.note_failure(now, &mut self.rng);
        self.restarts.on_death(now, lived, &mut self.rng);
        self.actions.push_back(Action::Close(id));
    }

    /// Announces that the limit was neared, if there is such an event, and how many more events were only counted.
    fn warn_of_limit(&mut self, suppressed: Option<u64>) {
        let Some(suppressed) = suppressed else { return };
        let active = std::mem::replace(&mut self.nearest, 0);
        let nearing = Announcement::Nearing { active, limit: self.admission.ceiling(), suppressed };
        self.actions.push_back(Action::Announce(nearing));
    }

    fn settle_waiting(&mut self, waiting: Waiting, outcome: Outcome) {
        self.ledger.finish_queued(waiting.entry, &outcome);
        self.actions.push_back(Action::Settle { job: waiting.job, outcome, attempts: waiting.attempts });
    }
}

#[cfg(test)]
mod tests;
