//! [`World`]: a machine, its browsers and their pages, as the runtime and driver would report them.
//!
//! It carries out the fleet's actions and answers with [`WorldEvent`]s: late, twice or wrong if the plan has such a
//! fault. It does not depend on the policies.
//!
//! ```text
//!   Start ─► creating (processor) ─► Opened ─► page (processor) ─► held ─► Ended ─► closing ─► Freed
//!               └─► Ended ─► goes on until it is there ─► removed ─► Freed
//!   Launch ─► starting (processor) ─► Launched ─► … ─► Close, death or hang ─► BrowserGone
//! ```

mod attempts;
mod browsers;
mod incidents;
mod memory;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use plimsoll_core::id::{BrowserId, JobSeq, SlotId};
use plimsoll_core::policy::Action;
use plimsoll_core::time::Moment;
use plimsoll_core::units::Bytes;

use self::attempts::Context;
use self::browsers::Browser;
use self::memory::{Neighbour, Slowdown};
use crate::agenda::Agenda;
use crate::fault::{Faults, Injected};
use crate::outcome_plan::FaultRng;
use crate::plan::{Decision, Entry, Plan};
use crate::processor::Processor;
use crate::scenario::Scenario;
use crate::world_event::{End, Host, WorldEvent};

/// The interval of memory samples, and of the fleet's readings.
const SAMPLE_EVERY: Duration = Duration::from_millis(250);
const READ_EVERY: u64 = 4;
const MEASURE_EVERY: u64 = 20;
/// Events that can be repeated.
const REMEMBERED: usize = 64;

/// The simulated machine and all that runs on it.
#[derive(Debug)]
pub struct World {
    seed: u64,
    scenario: Scenario,
    faults: Faults,
    injected: Injected,
    entries: Vec<Entry>,
    agenda: Agenda<Due>,
    processor: Processor<Work>,
    contexts: BTreeMap<SlotId, Context>,
    /// The contexts of each browser.
    placed: BTreeSet<(BrowserId, SlotId)>,
    browsers: BTreeMap<BrowserId, Browser>,
    slowdown: Slowdown,
    samples: u64,
    memory: Memory,
    state: Surroundings,
    planned: u64,
    submitted: u64,
    event: VecDeque<WorldEvent>,
    delivered: VecDeque<WorldEvent>,
}

/// Memory in numbers, for reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memory {
    /// The memory in use at the last sample.
    pub used: Bytes,
    /// The greatest memory in use.
    pub peak: Bytes,
    /// Kills by the kernel.
    pub oom_kills: u64,
}

/// The current external effects on the machine. Overlapping incidents of one kind count as one: the last to begin
/// applies, and its end ends the effect.
#[derive(Debug, Clone)]
struct Surroundings {
    neighbour: Option<Neighbour>,
    cores: f64,
    hosts_down: BTreeMap<Host, u32>,
    blind: u32,
    outages: u32,
    frozen_until: Moment,
    weight: f64,
}

/// Things that are due at a moment.
#[derive(Debug, Clone, Copy)]
enum Due {
    Entry(u32),
    Calm,
    Sample,
    Over(Decision),
    Emit(WorldEvent),
    Deadline(SlotId),
    Created(SlotId),
    Held(SlotId),
    Dies(SlotId, End),
    Closed(SlotId),
    Unverified(SlotId),
    LaunchTimeout(BrowserId),
    Missed(BrowserId),
    Gone(BrowserId),
}

/// Tasks of the processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Create(SlotId),
    Page(SlotId),
    Launch(BrowserId),
}

impl World {
    /// The world of a plan, before anything has happened.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let mut agenda = Agenda::default();
        agenda.enter(Moment::after(plan.scenario.calm_at), Due::Calm);
        for (index, entry) in (0..).zip(&plan.entries) {
            agenda.enter(entry.at, Due::Entry(index));
        }
        agenda.enter(Moment::ZERO, Due::Sample);
        let cores = plan.scenario.machine.cores;
        Self {
            seed: plan.seed,
            faults: plan.scenario.faults,
            scenario: plan.scenario.clone(),
            injected: Injected::default(),
            entries: plan.entries.clone(),
            agenda,
            processor: Processor::new(cores),
            contexts: BTreeMap::new(),
            placed: BTreeSet::new(),
            browsers: BTreeMap::new(),
            slowdown: Slowdown::default(),
            samples: 0,
            memory: Memory::default(),
            state: Surroundings {
                neighbour: None,
                cores,
                hosts_down: BTreeMap::new(),
                blind: 0,
                outages: 0,
                frozen_until: Moment::ZERO,
                weight: 1.0,
            },
            planned: plan.jobs(),
            submitted: 0,
            event: VecDeque::new(),
            delivered: VecDeque::new(),
        }
    }

    /// When the next thing happens, without further actions.
    #[must_use]
    pub fn next_due(&self) -> Option<Moment> {
        self.agenda.next_due().into_iter().chain(self.processor.next_done()).min()
    }

    /// Carries out everything that is due at `now`.
    pub fn step(&mut self, now: Moment) {
        while let Some(work) = self.processor.take_done(now) {
            self.worked(now, work);
        }
        while let Some(due) = self.agenda.take_due(now) {
            self.happen(now, due);
        }
    }

    /// The next event, unless the fleet is frozen.
    pub fn take_event(&mut self, now: Moment) -> Option<WorldEvent> {
        if self.is_frozen(now) {
            return None;
        }
        let event = self.event.pop_front()?;
        if event.can_repeat() {
            self.delivered.truncate(REMEMBERED - 1);
            self.delivered.push_front(event);
        }
        Some(event)
    }

    /// Whether the fleet is frozen: it gets no events, and no time passes for it.
    #[must_use]
    pub fn is_frozen(&self, now: Moment) -> bool {
        now < self.state.frozen_until
    }

    /// Carries out an action of the fleet.
    pub fn apply(&mut self, now: Moment, action: &Action) {
        match action {
            Action::Start { slot, job, browser, attempt } => self.start(now, *slot, *job, *browser, *attempt),
            Action::Evict(slot) => self.end(now, *slot, End::Evicted),
            Action::Launch(browser) => self.launch(now, *browser),
            Action::Close(browser) => self.close(now, *browser),
            Action::Trim(_) | Action::Settle { .. } | Action::Announce(_) => {}
        }
    }

    /// Whether no external entry is left and nothing runs.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.submitted >= self.planned && self.contexts.is_empty() && self.event.is_empty()
    }

    /// Whether no browser is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.contexts.is_empty() && self.browsers.is_empty() && self.event.is_empty()
    }

    /// Enters jobs beyond the plan, all due at one moment.
    pub fn submit_later(&mut self, at: Moment, jobs: u32) {
        let index = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        self.planned += u64::from(jobs);
        self.entries.push(Entry { at, what: Decision::Submit { jobs } });
        self.agenda.enter(at, Due::Entry(index));
    }

    /// Jobs submitted so far.
    #[must_use]
    pub const fn submitted(&self) -> u64 {
        self.submitted
    }

    /// Faults so far.
    #[must_use]
    pub const fn injected(&self) -> &Injected {
        &self.injected
    }

    /// The state of the memory.
    #[must_use]
    pub const fn memory(&self) -> Memory {
        self.memory
    }

    fn happen(&mut self, now: Moment, due: Due) {
        match due {
            Due::Entry(index) => self.decide(now, self.entries[index as usize].what),
            Due::Calm => self.calm(now),
            Due::Sample => self.sample(now),
            Due::Over(decision) => self.over(decision),
            Due::Emit(event) => self.emit(event),
            Due::Deadline(slot) => self.deadline(now, slot),
            Due::Created(slot) => self.created(now, slot),
            Due::Held(slot) => self.held(now, slot),
            Due::Dies(slot, end) => self.end(now, slot, end),
            Due::Closed(slot) => self.closed(slot),
            Due::Unverified(slot) => self.unverified(slot),
            Due::LaunchTimeout(browser) => self.launch_timed_out(now, browser),
            Due::Missed(browser) => self.missed(browser),
            Due::Gone(browser) => self.browser_gone(browser),
        }
    }

    fn worked(&mut self, now: Moment, work: Work) {
        match work {
            Work::Create(slot) => {
                let wait =
                    self.contexts.get(&slot).map_or(Duration::ZERO, |context| context.outcome.create_wait);
                self.agenda.enter(now + wait, Due::Created(slot));
            }
            Work::Page(slot) => self.page_done(now, slot),
            Work::Launch(browser) => self.launch_done(now, browser),
        }
    }

    fn emit(&mut self, event: WorldEvent) {
        self.event.push_back(event);
    }

    const fn fault_rng(&mut self) -> FaultRng<'_> {
        FaultRng { seed: self.seed, faults: &self.faults, injected: &mut self.injected }
    }

    fn next_job(&mut self) -> JobSeq {
        let job = JobSeq(self.submitted);
        self.submitted += 1;
        job
    }
}
