//! The model: the jobs, slots and browsers according to the actions of [`Dispatch`], checked after every step.

mod over;
mod rest;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::id::{BrowserId, JobSeq, SlotId};
use plimsoll_core::outcome::{Failure, FailureClass, Fault, Outcome, Stage};
use plimsoll_core::policy::{Action, AttemptEnd, Counts, Dispatch, DispatchConfig, Event, LimitPolicy};
use plimsoll_core::time::Moment;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SlotPhase {
    Creating,
    Running,
    Closing,
    Freed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BrowserPhase {
    Launching,
    Ready,
    Closing,
    Gone,
}

#[derive(Debug)]
struct Slot {
    job: JobSeq,
    browser: BrowserId,
    attempt: u32,
    phase: SlotPhase,
    evicted: bool,
    /// No other context may join its browser.
    alone: bool,
}

impl Slot {
    fn is_held(&self) -> bool {
        self.phase != SlotPhase::Freed
    }

    fn is_busy(&self) -> bool {
        matches!(self.phase, SlotPhase::Creating | SlotPhase::Running)
    }
}

#[derive(Debug)]
struct Browser {
    phase: BrowserPhase,
    died: bool,
}

/// The state of a job. `made` counts its attempts without the first two evictions and losses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    Waiting { since: Moment, made: u32 },
    Running(SlotId),
    Ended,
}

/// A fleet and its invariants.
pub(crate) struct Model {
    config: DispatchConfig,
    dispatch: Dispatch,
    now: Moment,
    stopped: bool,
    jobs: BTreeMap<JobSeq, Job>,
    /// The number of evictions of each job.
    evictions: BTreeMap<JobSeq, u32>,
    /// The number of browsers that each job lost beside others.
    losses: BTreeMap<JobSeq, u32>,
    /// The number of contexts that were in each browser when it ended.
    crews: BTreeMap<BrowserId, u32>,
    /// Why each job waits for another attempt.
    failures: BTreeMap<JobSeq, Failure>,
    slots: BTreeMap<SlotId, Slot>,
    browsers: BTreeMap<BrowserId, Browser>,
    /// The time until which failed launches are tolerated after a browser was up.
    borne_until: Option<Moment>,
}

impl Model {
    pub(crate) fn new(config: DispatchConfig, seed: u64) -> Self {
        Self {
            dispatch: Dispatch::new(config.clone(), seed),
            config,
            now: Moment::ZERO,
            stopped: false,
            jobs: BTreeMap::new(),
            evictions: BTreeMap::new(),
            losses: BTreeMap::new(),
            crews: BTreeMap::new(),
            failures: BTreeMap::new(),
            slots: BTreeMap::new(),
            browsers: BTreeMap::new(),
            borne_until: None,
        }
    }

    pub(crate) fn submit(&mut self, host: u8) {
        let job = JobSeq(self.jobs.len() as u64);
        self.jobs.insert(job, Job::Waiting { since: self.now, made: 0 });
        self.tell(Event::Submitted { job, host: Some(Arc::from(format!("host-{host}:443"))), proxy: None });
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time;
        self.tell(Event::Tick);
    }

    /// Advances time to the next moment that the fleet requested; false if it requested none.
    pub(crate) fn pass_to_next_change(&mut self) -> bool {
        let Some(at) = self.dispatch.next_change() else { return false };
        assert!(at > self.now, "a tick at {at} is asked for at {}", self.now);
        self.now = at;
        self.tell(Event::Tick);
        true
    }

    /// A browser exits: its attempts fail one by one.
    pub(crate) fn die(&mut self, id: BrowserId) {
        if let Some(browser) = self.browsers.get_mut(&id) {
            browser.died = true;
        }
        self.tell(Event::BrowserEnded(id));
        let on_it: Vec<_> = self
            .slots
            .iter()
            .filter(|(_, slot)| slot.browser == id && slot.is_busy())
            .map(|(slot, _)| *slot)
            .collect();
        for slot in on_it {
            let fault = Fault::transient(FailureClass::BrowserCrash, "its browser died").at(Stage::Step(1));
            self.tell(Event::Ended(slot, AttemptEnd::Failed(fault)));
        }
    }

    /// Sends the event to the fleet, applies its actions to the model, and checks the invariants.
    pub(crate) fn tell(&mut self, event: Event) {
        let settles = self.expect_of(&event);
        self.dispatch.handle(self.now, event);
        let mut settled = Vec::new();
        while let Some(action) = self.dispatch.next_action() {
            self.follow(action, &mut settled);
        }
        if let Some((job, outcome)) = settles {
            assert!(
                settled.iter().any(|(ended, how)| *ended == job && *how == outcome),
                "{job} ended otherwise"
            );
        }
        self.check();
    }

    /// Applies the event itself to the model. Returns a job that must end by this event, and how it must end.
    fn expect_of(&mut self, event: &Event) -> Option<(JobSeq, Outcome)> {
        match event {
            Event::Stop | Event::Finish => self.stopped = true,
            Event::Launched(id) if self.phase(*id) == Some(BrowserPhase::Launching) => {
                self.move_browser(*id, BrowserPhase::Launching, BrowserPhase::Ready);
                self.borne_until = Some(Moment::NEVER);
            }
            Event::LaunchFailed(id, _) if self.phase(*id) == Some(BrowserPhase::Launching) => {
                self.move_browser(*id, BrowserPhase::Launching, BrowserPhase::Gone);
                let patience = self.now + self.config.host_patience;
                self.borne_until = self.borne_until.map(|until| until.min(patience));
            }
            Event::BrowserEnded(id)
                if matches!(self.phase(*id), Some(BrowserPhase::Launching | BrowserPhase::Ready)) =>
            {
                self.crews.insert(*id, self.held_on(*id));
            }
            Event::BrowserGone(id) => self.move_browser(*id, BrowserPhase::Closing, BrowserPhase::Gone),
            Event::Opened(id) => {
                let slot = self.slots.get_mut(id).filter(|slot| slot.phase == SlotPhase::Creating)?;
                slot.phase = SlotPhase::Running;
            }
            Event::Ended(id, end) => return self.attempt_over(*id, end),
            Event::Freed(id) => {
                let lost =
                    Fault::persistent(FailureClass::Internal, "the attempt's task ended without a result");
                let settles = self.attempt_over(*id, &AttemptEnd::Failed(lost.at(Stage::Close)));
                self.slots.get_mut(id)?.phase = SlotPhase::Freed;
                return settles;
            }
            _ => {}
        }
        None
    }

    fn move_browser(&mut self, id: BrowserId, from: BrowserPhase, to: BrowserPhase) {
        if let Some(browser) = self.browsers.get_mut(&id).filter(|browser| browser.phase == from) {
            browser.phase = to;
        }
    }

    /// Checks that an action is allowed, and applies it to the model.
    fn follow(&mut self, action: Action, settled: &mut Vec<(JobSeq, Outcome)>) {
        match action {
            Action::Start { slot, job, browser, attempt } => self.start(slot, job, browser, attempt),
            Action::Settle { job, outcome, attempts } => {
                let before = self.jobs.insert(job, Job::Ended).expect("a job that was submitted");
                self.may_settle(job, before, &outcome, attempts);
                settled.push((job, outcome));
            }
            Action::Launch(id) => {
                assert!(!self.stopped, "{id} is started after the stop");
                assert!(self.browsers.keys().all(|known| *known < id), "{id} is used twice");
                assert!(!self.dispatch.is_idle(), "{id} is started for nobody");
                self.browsers.insert(id, Browser { phase: BrowserPhase::Launching, died: false });
                let launching = self.browsers_in(BrowserPhase::Launching).len();
                assert!(
                    launching <= self.config.placement.max_launching as usize,
                    "{launching} are starting"
                );
            }
            Action::Close(id) => {
                let held = self.held_on(id);
                let browser = self.browsers.get_mut(&id).expect("a browser that was started");
                assert!(
                    matches!(browser.phase, BrowserPhase::Launching | BrowserPhase::Ready),
                    "{id} is closed in {:?}",
                    browser.phase
                );
                assert!(browser.died || self.stopped || held == 0, "{id} is closed under {held} contexts");
                browser.phase = BrowserPhase::Closing;
            }
            Action::Evict(id) => {
                assert_ne!(self.config.admission.policy, LimitPolicy::Fixed, "only adaptive limits evict");
                let slot = self.slots.get_mut(&id).expect("a slot that was given");
                assert_eq!(slot.phase, SlotPhase::Running, "{id} is evicted");
                slot.evicted = true;
            }
            Action::Trim(_) | Action::Announce(_) => {}
        }
    }

    fn start(&mut self, slot: SlotId, job: JobSeq, browser: BrowserId, attempt: u32) {
        assert!(!self.stopped, "{job} starts after the stop");
        assert_eq!(self.phase(browser), Some(BrowserPhase::Ready), "{job} starts on {browser}");
        let held = self.held_on(browser);
        let alone = self.losses.get(&job).is_some_and(|losses| *losses >= 2);
        assert!(!alone || held == 0, "{job} runs alone, beside {held} others");
        let lone = self.slots.values().any(|slot| slot.alone && slot.browser == browser && slot.is_held());
        assert!(!lone, "{job} joins a job that runs alone");
        assert!(held < self.config.placement.contexts_per_browser, "{browser} holds {held} already");
        let before = self.jobs.insert(job, Job::Running(slot));
        let Some(Job::Waiting { since, made }) = before else {
            panic!("{job} starts, though it is {before:?}")
        };
        assert_eq!(attempt, made + 1);
        let deadline = self.config.queue_timeout.filter(|_| made == 0).map(|patience| since + patience);
        assert!(
            deadline.is_none_or(|deadline| self.now < deadline
                || self.was_evicted(job)
                || self.losses.contains_key(&job)),
            "{job} has expired"
        );
        assert!(self.slots.keys().all(|known| *known < slot), "{slot} is used twice");
        let phase = SlotPhase::Creating;
        self.slots.insert(slot, Slot { job, browser, attempt, phase, evicted: false, alone });
    }

    fn may_settle(&self, job: JobSeq, before: Job, outcome: &Outcome, attempts: u32) {
        assert!(attempts <= self.config.retry.attempts, "{job} had {attempts} attempts");
        match before {
            Job::Ended => panic!("{job} ends twice"),
            Job::Running(slot) => assert!(!self.slots[&slot].is_busy(), "{job} still runs"),
            Job::Waiting { since, made } => {
                assert_eq!(attempts, made, "{job}");
                let expires = self.config.queue_timeout.map(|patience| since + patience);
                match outcome {
                    Outcome::Succeeded => panic!("{job} succeeds while it waits"),
                    Outcome::Cancelled => assert!(self.stopped, "{job} is cancelled without a stop"),
                    Outcome::Expired => {
                        assert_eq!(made, 0, "{job} expires though it began in time");
                        assert!(expires.is_some_and(|at| at <= self.now), "{job} expires early");
                    }
                    Outcome::Rejected => {
                        assert_eq!((since, made), (self.now, 0), "{job} was accepted before");
                    }
                    Outcome::Failed(failure) => {
                        let hopeless = self.borne_until.is_none_or(|until| until <= self.now);
                        let given_up = self.failures.get(&job) == Some(failure);
                        let unserved =
                            failure.stage == Stage::Queue || (failure.stage == Stage::Launch && hopeless);
                        assert!(given_up || unserved, "{job} fails while it waits: {failure}");
                    }
                }
            }
        }
    }

    /// The invariants after every event.
    fn check(&self) {
        let counts = self.dispatch.counts();
        let how_many = |wanted: fn(&Job) -> bool| self.jobs.values().filter(|job| wanted(job)).count() as u64;
        assert_eq!(counts.lost(), 0, "{counts:?}");
        assert_eq!(counts.submitted, self.jobs.len() as u64);
        assert_eq!(counts.queued, how_many(|job| matches!(job, Job::Waiting { .. })));
        assert_eq!(counts.running, how_many(|job| matches!(job, Job::Running(_))));
        assert_eq!(counts.ended(), how_many(|job| *job == Job::Ended));
        assert!(self.stopped && counts.queued == 0 || counts.queued <= self.most_that_wait(), "{counts:?}");

        let load = self.dispatch.load();
        let held = self.slots.values().filter(|slot| slot.phase != SlotPhase::Freed).count();
        let creating = self.slots_in(SlotPhase::Creating).len();
        assert_eq!((load.active as usize, load.creating as usize), (held, creating));
        assert!(load.active <= self.config.admission.max_contexts, "{load:?}");
        assert!(load.creating <= self.config.admission.max_creating, "{load:?}");
        assert!(self.dispatch.peaks().active <= self.config.admission.max_contexts);

        assert_eq!(self.dispatch.is_idle(), counts.queued == 0 && held == 0);
        let browsers = self.browsers.values().filter(|browser| browser.phase != BrowserPhase::Gone).count();
        assert_eq!(self.dispatch.placement().len(), browsers);
        assert!(self.dispatch.next_change().is_none_or(|at| at > self.now), "a tick in the past");
    }

    /// The maximum number of waiting jobs: the queue and the jobs that ran when the queue was full.
    fn most_that_wait(&self) -> u64 {
        self.config.queue_capacity as u64 + u64::from(self.config.admission.max_contexts)
    }

    pub(crate) const fn now(&self) -> Moment {
        self.now
    }

    pub(crate) fn counts(&self) -> Counts {
        self.dispatch.counts()
    }

    pub(crate) fn slots_in(&self, phase: SlotPhase) -> Vec<SlotId> {
        self.slots.iter().filter(|(_, slot)| slot.phase == phase).map(|(id, _)| *id).collect()
    }

    pub(crate) fn browsers_in(&self, phase: BrowserPhase) -> Vec<BrowserId> {
        self.browsers.iter().filter(|(_, browser)| browser.phase == phase).map(|(id, _)| *id).collect()
    }

    fn phase(&self, id: BrowserId) -> Option<BrowserPhase> {
        self.browsers.get(&id).map(|browser| browser.phase)
    }

    fn held_on(&self, id: BrowserId) -> u32 {
        self.slots.values().filter(|slot| slot.browser == id && slot.is_held()).count() as u32
    }

    fn was_evicted(&self, job: JobSeq) -> bool {
        self.slots.values().any(|slot| slot.job == job && slot.evicted)
    }

    pub(crate) fn is_evicted(&self, id: SlotId) -> bool {
        self.slots[&id].evicted
    }

    pub(crate) fn has_opened(&self, id: SlotId) -> bool {
        self.slots.get(&id).is_some_and(|slot| slot.phase != SlotPhase::Creating)
    }

    pub(crate) fn has_ended(&self, id: SlotId) -> bool {
        self.slots.get(&id).is_some_and(|slot| matches!(slot.phase, SlotPhase::Closing | SlotPhase::Freed))
    }

    pub(crate) fn was_freed(&self, id: SlotId) -> bool {
        self.slots.get(&id).is_some_and(|slot| slot.phase == SlotPhase::Freed)
    }

    pub(crate) fn was_closed(&self, id: BrowserId) -> bool {
        let over = |browser: &Browser| matches!(browser.phase, BrowserPhase::Closing | BrowserPhase::Gone);
        self.browsers.get(&id).is_some_and(over)
    }

    pub(crate) fn was_gone(&self, id: BrowserId) -> bool {
        self.browsers.get(&id).is_some_and(|browser| browser.phase == BrowserPhase::Gone)
    }
}
