//! [`Run`]: one plan carried out from the first job to the last browser's end.
//!
//! ```text
//!   storm ──► calm: everything ends in time ──► a second, gentle wave: it all succeeds ──► every browser leaves
//! ```
//!
//! The storm checks *safety*. The later phases check *liveness*: a fleet that is safe because it is stuck fails here.

use std::time::Duration;

use plimsoll_core::policy::{Action, Counts};
use plimsoll_core::time::Moment;

use crate::fault::Injected;
use crate::journal::{Journal, Line};
use crate::mutation::Mutation;
use crate::oracle::{Invariant, Oracle, Violation};
use crate::plan::Plan;
use crate::subject::Subject;
use crate::world::{Memory, World};
use crate::world_event::WorldEvent;
use plimsoll_sim::digest::Digest;

/// After the last fault, every breaker's longest rest (600 s and a fifth) has passed by then.
const RECOVERED_AFTER: Duration = Duration::from_secs(900);
/// Jobs of the second wave, and the time between them beyond what one may take: no machine is too small for that.
const WAVE: u32 = 12;
const WAVE_PAUSE: Duration = Duration::from_secs(20);
/// The time limit for all browsers to end.
const LEAVE_WITHIN: Duration = Duration::from_secs(120);

/// The results of a run.
#[derive(Debug, Clone)]
pub struct Run {
    /// The invariant that did not hold.
    pub violation: Option<Violation>,
    /// A digest of all events and actions.
    pub digest: Digest,
    /// Events and actions.
    pub events: u64,
    /// Checks of invariants.
    pub checks: u64,
    /// Faults.
    pub injected: Injected,
    /// The counts of jobs by state.
    pub counts: Counts,
    /// The memory.
    pub memory: Memory,
    /// The last lines of what happened, if they were asked for.
    pub journal: Journal,
}

/// A run under way.
struct Stage<'a> {
    plan: &'a Plan,
    world: World,
    subject: Subject,
    oracle: Oracle,
    digest: Digest,
    journal: Journal,
    events: u64,
    phase: Phase,
    deadline: Moment,
    answer: Vec<Action>,
    ended_before: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Storm,
    Resting { until: Moment },
    Wave,
    Leaving,
}

/// Carries a plan out.
#[must_use]
pub fn run(plan: &Plan, mutation: Option<Mutation>, journal: Journal) -> Run {
    let mut stage = Stage::new(plan, mutation, journal);
    let violation = stage.play().err();
    Run {
        violation,
        digest: stage.digest,
        events: stage.events,
        checks: stage.oracle.checks(),
        injected: *stage.world.injected(),
        counts: stage.oracle.counts(),
        memory: stage.world.memory(),
        journal: stage.journal,
    }
}

impl<'a> Stage<'a> {
    fn new(plan: &'a Plan, mutation: Option<Mutation>, journal: Journal) -> Self {
        let rules = &plan.scenario.fleet;
        Self {
            world: World::new(plan),
            subject: Subject::new(rules, plan.seed, mutation),
            oracle: Oracle::new(rules),
            digest: Digest::default(),
            journal,
            events: 0,
            phase: Phase::Storm,
            deadline: storm_deadline(plan),
            answer: Vec::new(),
            ended_before: 0,
            plan,
        }
    }

    fn play(&mut self) -> Result<(), Violation> {
        let mut now = Moment::ZERO;
        loop {
            let was_frozen = self.world.is_frozen(now);
            now = self.next(now);
            self.world.step(now);
            if was_frozen && !self.world.is_frozen(now) {
                self.oracle.excuse(now);
            }
            let wakes = self.subject.dispatch().next_change().is_some_and(|at| at <= now);
            if wakes && !self.world.is_frozen(now) {
                self.deliver(now, WorldEvent::Tick)?;
            }
            while let Some(event) = self.world.take_event(now) {
                self.deliver(now, event)?;
            }
            if self.turn(now)? {
                return Ok(());
            }
        }
    }

    /// The next moment at which anything happens.
    fn next(&self, now: Moment) -> Moment {
        let change = self.subject.dispatch().next_change().filter(|_| !self.world.is_frozen(now));
        let next = self.world.next_due().into_iter().chain(change).min();
        next.unwrap_or(Moment::NEVER).max(now)
    }

    fn deliver(&mut self, now: Moment, event: WorldEvent) -> Result<(), Violation> {
        let mut answer = std::mem::take(&mut self.answer);
        self.note(now, Line::WorldEvent(event));
        self.subject.handle(now, event, &mut answer);
        for action in &answer {
            self.note_action(now, action);
            self.world.apply(now, action);
        }
        let observed = self.oracle.observe(now, event, &answer, self.subject.dispatch());
        answer.clear();
        self.answer = answer;
        observed
    }

    fn note(&mut self, now: Moment, line: Line) {
        self.events += 1;
        self.digest.add(&now);
        if let Line::WorldEvent(event) = &line {
            self.digest.add(event);
        }
        self.journal.note(now, || line);
    }

    fn note_action(&mut self, now: Moment, action: &Action) {
        self.events += 1;
        match action {
            Action::Start { slot, job, browser, attempt } => {
                self.digest.add(&(1_u8, slot, job, browser, attempt));
            }
            Action::Evict(slot) => self.digest.add(&(2_u8, slot)),
            Action::Launch(id) => self.digest.add(&(3_u8, id)),
            Action::Close(id) => self.digest.add(&(4_u8, id)),
            Action::Trim(_) => self.digest.add(&5_u8),
            Action::Settle { job, outcome, attempts } => {
                self.digest.add(&(6_u8, job, outcome.name(), attempts));
            }
            Action::Announce(_) => self.digest.add(&7_u8),
        }
        self.journal.note(now, || Line::Action(action.clone()));
    }

    /// Moves from phase to phase; returns whether the run is over.
    fn turn(&mut self, now: Moment) -> Result<bool, Violation> {
        match self.phase {
            Phase::Resting { until } if now < until => return Ok(false),
            Phase::Storm | Phase::Wave
                if now.elapsed() < self.plan.scenario.calm_at || !self.is_drained() => {}
            Phase::Leaving if !(self.world.is_empty() && self.oracle.has_no_browser()) => {}
            Phase::Storm if self.plan.scenario.stop.is_none() => {
                self.phase = Phase::Resting { until: now + RECOVERED_AFTER };
                let counts = self.oracle.counts();
                self.ended_before = counts.succeeded + counts.expired;
                return Ok(false);
            }
            Phase::Resting { .. } => {
                let timeout = self.plan.scenario.load.attempt_timeout;
                let every = timeout + WAVE_PAUSE;
                for n in 0..WAVE {
                    self.world.submit_later(now + every * n, 1);
                }
                self.phase = Phase::Wave;
                self.deadline = now + every * WAVE + timeout * 4;
                return Ok(false);
            }
            Phase::Storm | Phase::Wave => {
                if self.phase == Phase::Wave {
                    self.check_wave(now)?;
                }
                self.phase = Phase::Leaving;
                self.deadline = now + LEAVE_WITHIN;
                self.deliver(now, WorldEvent::Finish)?;
            }
            Phase::Leaving => return Ok(true),
        }
        self.check_deadline(now)?;
        Ok(false)
    }

    fn is_drained(&self) -> bool {
        self.world.is_quiet() && self.oracle.open_jobs() == 0 && self.oracle.holds_nothing()
    }

    fn check_wave(&self, now: Moment) -> Result<(), Violation> {
        // With a short time limit a job may expire while its browser starts.
        let counts = self.oracle.counts();
        let well = counts.succeeded + counts.expired - self.ended_before;
        if well == u64::from(WAVE) {
            return Ok(());
        }
        let detail = format!("{well} of {WAVE} succeeded or ran out of patience");
        Err(Violation { invariant: Invariant::Recovers, at: now, detail })
    }

    fn check_deadline(&self, now: Moment) -> Result<(), Violation> {
        if now < self.deadline {
            return Ok(());
        }
        let invariant =
            if self.phase == Phase::Leaving { Invariant::BrowsersLeave } else { Invariant::Drains };
        let why = self.subject.dispatch().waiting_for(now).map(|wait| wait.to_string());
        let (open, load) = (self.oracle.open_jobs(), self.subject.dispatch().load());
        let detail =
            format!("{:?}: {open} jobs have not ended, {load:?}, the first waits for {why:?}", self.phase);
        Err(Violation { invariant, at: now, detail })
    }
}

/// The time limit for the end of the storm: it is generous, because a stuck fleet is stuck for ever.
fn storm_deadline(plan: &Plan) -> Moment {
    let scenario = &plan.scenario;
    // Two attempts of a job may be lost with its browser and not count.
    let attempts = scenario.load.jobs * (scenario.fleet.retry.attempts + 2);
    let one_by_one = (scenario.load.attempt_timeout + scenario.fleet.retry.cap) * attempts;
    Moment::after(scenario.calm_at + Duration::from_secs(1_800) + one_by_one)
}
