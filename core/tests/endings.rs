//! Every run ends, and no job is given up while there is hope: fleets in trouble that does not pass, or passes late.
//!
//! They are woken only at the moments they ask for: a fleet that asks for none while jobs wait would hang.

use std::collections::VecDeque;

use plimsoll_core::id::{BrowserId, JobSeq, SlotId};
use plimsoll_core::outcome::{FailureClass, Fault, Outcome, Stage};
use plimsoll_core::policy::admission::LimitPolicy;
use plimsoll_core::policy::dispatch::{Action, AttemptEnd, Dispatch, DispatchConfig, Event};
use plimsoll_core::time::Moment;
use plimsoll_core::units::Ratio;

/// More turns than any of these fleets needs.
const TURNS: usize = 100_000;

/// A fleet whose browsers come up at once, and what it has said.
struct Fleet {
    dispatch: Dispatch,
    now: Moment,
    launching: VecDeque<BrowserId>,
    started: VecDeque<Attempt>,
    settled: Vec<Settled>,
}

#[derive(Debug, Clone, Copy)]
struct Attempt {
    slot: SlotId,
    number: u32,
}

#[derive(Debug)]
struct Settled {
    at: Moment,
    outcome: Outcome,
    attempts: u32,
}

fn fixed() -> DispatchConfig {
    let mut config = DispatchConfig::default();
    config.admission.policy = LimitPolicy::Fixed;
    config
}

fn failed(class: FailureClass) -> AttemptEnd {
    AttemptEnd::Failed(Fault::transient(class, "it did").at(Stage::Step(1)))
}

impl Fleet {
    fn new(config: DispatchConfig) -> Self {
        Self {
            dispatch: Dispatch::new(config, 1),
            now: Moment::ZERO,
            launching: VecDeque::new(),
            started: VecDeque::new(),
            settled: Vec::new(),
        }
    }

    fn submit(&mut self, jobs: u64) {
        for _ in 0..jobs {
            let job = JobSeq(self.dispatch.counts().submitted);
            self.tell(Event::Submitted { job, host: None, proxy: None });
        }
    }

    fn tell(&mut self, event: Event) {
        self.dispatch.handle(self.now, event);
        while let Some(action) = self.dispatch.next_action() {
            match action {
                Action::Start { slot, attempt: number, .. } => {
                    self.started.push_back(Attempt { slot, number });
                }
                Action::Launch(browser) => self.launching.push_back(browser),
                Action::Close(browser) => self.dispatch.handle(self.now, Event::BrowserGone(browser)),
                Action::Settle { outcome, attempts, .. } => {
                    self.settled.push(Settled { at: self.now, outcome, attempts });
                }
                Action::Evict(_) | Action::Trim(_) | Action::Announce(_) => {}
            }
        }
    }

    /// Answers everything, each attempt as `fate` says, until the fleet only waits.
    fn answer(&mut self, mut fate: impl FnMut(Attempt) -> AttemptEnd) {
        for _ in 0..TURNS {
            if let Some(browser) = self.launching.pop_front() {
                self.tell(Event::Launched(browser));
            } else if let Some(attempt) = self.started.pop_front() {
                self.tell(Event::Opened(attempt.slot));
                self.tell(Event::Ended(attempt.slot, fate(attempt)));
                self.tell(Event::Freed(attempt.slot));
            } else {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    /// Runs until no job waits.
    fn run(&mut self, mut fate: impl FnMut(Attempt) -> AttemptEnd) {
        self.answer(&mut fate);
        while !self.dispatch.is_idle() {
            self.now = self.dispatch.next_change().expect("jobs wait, and it asks for no moment");
            self.tell(Event::Tick);
            self.answer(&mut fate);
        }
    }
}

#[test]
fn a_retry_that_no_budget_pays_for_is_made_all_the_same() {
    for (floor, per_second) in [(0, Ratio::ONE), (0, Ratio::ZERO), (3, Ratio::ZERO)] {
        let mut config = fixed();
        (config.retry_budget.floor, config.retry_budget.per_second) = (floor, per_second);
        let longest = config.retry.cap;
        let mut fleet = Fleet::new(config);
        fleet.submit(50);
        fleet.run(|attempt| match attempt.number {
            1 => failed(FailureClass::Navigation),
            _ => AttemptEnd::Succeeded,
        });
        assert_eq!(fleet.settled.len(), 50);
        for job in &fleet.settled {
            assert_eq!((&job.outcome, job.attempts), (&Outcome::Succeeded, 2));
            assert!(job.at <= Moment::ZERO + longest, "{job:?}");
        }
    }
}
