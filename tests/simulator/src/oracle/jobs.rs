//! The model's jobs: the state of each, its number of attempts, and its allowed ends.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::id::{BrowserId, JobSeq, SlotId};
use plimsoll_core::outcome::{FailureClass, Outcome, Recurrence, Stage};
use plimsoll_core::policy::{Counts, DispatchConfig};
use plimsoll_core::time::Moment;

use super::invariant::{Broken, Check, Invariant, hold, same};
use crate::world_event::{End, Host};

/// Every job that has not been settled, and the counts of settled jobs.
#[derive(Debug)]
pub(super) struct Jobs {
    rules: DispatchConfig,
    jobs: BTreeMap<JobSeq, Job>,
    /// Jobs without any attempt yet, in the order of submission.
    fresh: BTreeSet<JobSeq>,
    /// Jobs that were tried and wait for the next attempt.
    again: BTreeSet<JobSeq>,
    next: u64,
    counts: Counts,
    stopped: bool,
}

#[derive(Debug)]
struct Job {
    host: Host,
    deadline: Option<Moment>,
    attempts: u32,
    /// How often it was evicted.
    evictions: u32,
    /// How often its browser ended and the attempt did not count.
    losses: u32,
    /// Its last attempt was lost with its browser, so it may not count.
    is_forgivable: bool,
    state: State,
    /// How its last attempt failed.
    last: Option<(Stage, FailureClass)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Fresh,
    Running,
    /// Its attempt ended in this event; the decision must follow at once.
    Ended(End),
    /// Its task vanished in this event.
    Vanished,
    Again {
        due: Moment,
    },
}

impl Jobs {
    pub(super) fn new(rules: DispatchConfig) -> Self {
        Self {
            rules,
            jobs: BTreeMap::new(),
            fresh: BTreeSet::new(),
            again: BTreeSet::new(),
            next: 0,
            counts: Counts::default(),
            stopped: false,
        }
    }

    pub(super) fn submitted(&mut self, now: Moment, job: JobSeq, host: Host) {
        let deadline = self.rules.queue_timeout.map(|patience| now + patience);
        let state = State::Fresh;
        self.jobs.insert(
            job,
            Job {
                host,
                deadline,
                attempts: 0,
                evictions: 0,
                losses: 0,
                is_forgivable: false,
                state,
                last: None,
            },
        );
        self.fresh.insert(job);
        self.next = self.next.max(job.0 + 1);
        self.counts.submitted += 1;
        self.counts.queued += 1;
    }

    pub(super) const fn stopped(&mut self) {
        self.stopped = true;
    }

    pub(super) fn ended(&mut self, job: JobSeq, end: Option<End>) {
        if let Some(job) = self.jobs.get_mut(&job) {
            job.state = end.map_or(State::Vanished, State::Ended);
            match end {
                Some(End::Failed(stage, class, _)) => job.last = Some((stage, class)),
                Some(End::Evicted) => {
                    job.evictions += 1;
                    // The third eviction counts as a failure.
                    if job.evictions > 2 && !self.stopped {
                        let (stage, class) = (Stage::Queue, FailureClass::Overload);
                        job.state = State::Ended(End::transient(stage, class));
                        job.last = Some((stage, class));
                    }
                }
                _ => {}
            }
        }
    }

    /// An attempt starts. Whether another may overtake depends on hosts that are held back.
    pub(super) fn started(
        &mut self,
        now: Moment,
        job: JobSeq,
        attempt: u32,
        held_back: &BTreeSet<Host>,
    ) -> Check {
        use Invariant as I;
        hold(I::NothingAfterStop, !self.stopped, || format!("{job} starts"))?;
        let Some(entry) = self.jobs.get_mut(&job) else {
            return Err(Broken(I::SettlesOnce, format!("{job} starts, and is settled or was never there")));
        };
        // Only the fleet knows which attempts were in a browser when it ended; it may forgive two.
        let is_forgiven = entry.is_forgivable && entry.attempts > 0 && attempt == entry.attempts;
        entry.losses += u32::from(is_forgiven);
        same(I::AttemptsCounted, attempt, entry.attempts + u32::from(!is_forgiven))?;
        hold(I::AttemptsBounded, entry.losses <= 2, || format!("{job} is forgiven {} losses", entry.losses))?;
        entry.is_forgivable = false;
        hold(I::AttemptsBounded, attempt <= self.rules.retry.attempts, || {
            format!("{job} starts attempt {attempt}")
        })?;
        match entry.state {
            State::Fresh => {
                let late = entry.deadline.is_some_and(|deadline| deadline < now);
                hold(I::StartsInTime, !late, || {
                    format!("{job} starts; its patience ended at {:?}", entry.deadline)
                })?;
            }
            State::Again { .. } => {}
            other => return Err(Broken(I::OutcomeTrue, format!("{job} starts while it is {other:?}"))),
        }
        (entry.state, entry.attempts) = (State::Running, attempt);
        self.counts.queued -= 1;
        self.counts.running += 1;
        self.again.remove(&job);
        if self.fresh.remove(&job) {
            let overtaken = self.fresh.range(..job).find(|other| !held_back.contains(&self.jobs[other].host));
            hold(I::FirstComeFirstServed, overtaken.is_none(), || format!("{job} overtakes {overtaken:?}"))?;
        }
        Ok(())
    }

    pub(super) fn settled(
        &mut self,
        now: Moment,
        job: JobSeq,
        outcome: &Outcome,
        attempts: u32,
        punctual: bool,
    ) -> Check {
        use Invariant as I;
        let Some(entry) = self.jobs.remove(&job) else {
            return Err(Broken(
                I::SettlesOnce,
                format!("{job} is settled again, or was never there: {outcome:?}"),
            ));
        };
        let is_lost = entry.last.is_some_and(|(_, class)| class == FailureClass::BrowserCrash);
        let lost = (entry.attempts + entry.losses).min(self.rules.retry.attempts);
        let is_blamed = is_lost && attempts == lost && matches!(outcome, Outcome::Failed(_));
        let is_forgiven = entry.is_forgivable && attempts + 1 == entry.attempts;
        let counted = if is_blamed || is_forgiven { attempts } else { entry.attempts };
        same(I::AttemptsCounted, attempts, counted)?;
        let waited = matches!(entry.state, State::Fresh | State::Again { .. });
        if matches!(outcome, Outcome::Rejected) {
            // Jobs that wait for their host fill the queue too.
            let waiting = self.fresh.len() + self.again.len() - 1;
            let full = entry.attempts == 0 && waiting >= self.rules.queue_capacity;
            hold(I::RejectsJustly, full, || format!("{job} is rejected while {waiting} others wait"))?;
        }
        if matches!(outcome, Outcome::Expired) {
            let late = entry.deadline.is_some_and(|deadline| deadline < now);
            hold(I::ExpiresInTime, !(late && punctual), || {
                format!("{job} should have expired at {:?}", entry.deadline)
            })?;
        }
        let is_true = self.is_true(now, &entry, outcome);
        hold(I::OutcomeTrue, is_true, || format!("{job} ends {outcome:?} after {:?}", entry.state))?;
        self.fresh.remove(&job);
        self.again.remove(&job);
        *(if waited { &mut self.counts.queued } else { &mut self.counts.running }) -= 1;
        *match outcome {
            Outcome::Succeeded => &mut self.counts.succeeded,
            Outcome::Failed(_) => &mut self.counts.failed,
            Outcome::Cancelled => &mut self.counts.cancelled,
            Outcome::Expired => &mut self.counts.expired,
            Outcome::Rejected => &mut self.counts.rejected,
        } += 1;
        Ok(())
    }

    fn is_true(&self, now: Moment, job: &Job, outcome: &Outcome) -> bool {
        let waits = matches!(job.state, State::Fresh | State::Again { .. });
        match outcome {
            Outcome::Succeeded => job.state == State::Ended(End::Succeeded),
            Outcome::Cancelled => {
                (waits && self.stopped)
                    || matches!(job.state, State::Ended(End::Cancelled))
                    || (matches!(job.state, State::Ended(End::Evicted)) && self.stopped)
            }
            Outcome::Expired => {
                job.state == State::Fresh && job.deadline.is_some_and(|deadline| deadline <= now)
            }
            Outcome::Rejected => job.state == State::Fresh,
            Outcome::Failed(failure) => match job.state {
                State::Ended(End::Failed(stage, class, recurrence)) => {
                    (failure.stage, failure.fault.class) == (stage, class)
                        && (self.stopped || !self.may_retry(job.attempts + job.losses, class, recurrence))
                }
                State::Vanished => failure.fault.class == FailureClass::Internal,
                // Given up while it waited: without a browser, or because of its host.
                State::Fresh => matches!(failure.stage, Stage::Launch | Stage::Queue),
                State::Again { .. } => {
                    let last = Some((failure.stage, failure.fault.class));
                    matches!(failure.stage, Stage::Launch | Stage::Queue) || job.last == last
                }
                _ => false,
            },
        }
    }

    fn may_retry(&self, made: u32, class: FailureClass, recurrence: Recurrence) -> bool {
        let rules = &self.rules.retry;
        made < rules.attempts && recurrence == Recurrence::Transient && rules.classes.contains(&class)
    }

    /// The event is over: a job that ended in it and was not settled waits for another attempt.
    pub(super) fn conclude(&mut self, now: Moment, job: JobSeq) -> Check {
        let Some(entry) = self.jobs.get(&job) else { return Ok(()) };
        let (attempts, due) = match entry.state {
            State::Ended(End::Failed(_, class, recurrence)) => {
                let may_be_lost = class == FailureClass::BrowserCrash && self.rules.retry.attempts > 1;
                let made = if may_be_lost && entry.losses < 2 { 1 } else { entry.attempts };
                let may = self.may_retry(made, class, recurrence) && !self.stopped;
                hold(Invariant::RetriesJust, may, || format!("{job} is tried again after {class}"))?;
                (entry.attempts, now + self.rules.retry.cap)
            }
            State::Ended(End::Evicted) => (entry.attempts - 1, now + self.rules.retry.cap),
            State::Ended(end @ (End::Succeeded | End::Cancelled)) => {
                return Err(Broken(
                    Invariant::OutcomeTrue,
                    format!("{job} ended {end:?} and is not settled"),
                ));
            }
            State::Vanished => {
                return Err(Broken(Invariant::OutcomeTrue, format!("{job} vanished and is not settled")));
            }
            State::Fresh | State::Running | State::Again { .. } => return Ok(()),
        };
        if let Some(entry) = self.jobs.get_mut(&job) {
            let is_lost = matches!(entry.state, State::Ended(End::Failed(_, FailureClass::BrowserCrash, _)));
            entry.is_forgivable = is_lost && entry.losses < 2;
            (entry.state, entry.attempts) = (State::Again { due }, attempts);
        }
        self.again.insert(job);
        self.counts.running -= 1;
        self.counts.queued += 1;
        Ok(())
    }

    pub(super) fn check(&self, now: Moment, fleet: Counts) -> Check {
        use Invariant as I;
        hold(I::NothingLost, fleet.lost() == 0, || format!("{fleet:?}"))?;
        same(I::Conservation, fleet, self.counts)?;
        hold(I::QueueBounded, self.fresh.len() <= self.rules.queue_capacity, || {
            format!("{} wait", self.fresh.len())
        })?;
        // All have the same time limit, so jobs expire in the order of arrival.
        let overdue =
            self.fresh.first().filter(|job| self.jobs[job].deadline.is_some_and(|deadline| deadline < now));
        hold(I::ExpiresInTime, overdue.is_none(), || format!("{overdue:?} waits beyond its patience"))
    }

    /// A job that has never been tried and whose host was never held back.
    pub(super) fn ready(&self, troubled: &BTreeSet<Host>) -> Option<JobSeq> {
        self.fresh.iter().find(|job| !troubled.contains(&self.jobs[job].host)).copied()
    }

    /// Whether it waits, for its first attempt or another.
    pub(super) fn waits(&self, job: JobSeq) -> bool {
        self.jobs.get(&job).is_some_and(|job| matches!(job.state, State::Fresh | State::Again { .. }))
    }

    pub(super) fn host(&self, job: JobSeq) -> Option<Host> {
        self.jobs.get(&job).map(|job| job.host)
    }

    /// How often it lost a browser beside others.
    pub(super) fn losses(&self, job: JobSeq) -> u32 {
        self.jobs.get(&job).map_or(0, |job| job.losses)
    }

    /// Jobs that wait.
    pub(super) fn waiting(&self) -> usize {
        self.fresh.len() + self.again.len()
    }

    /// Jobs that have not ended.
    pub(super) fn open(&self) -> usize {
        self.jobs.len()
    }

    pub(super) const fn counts(&self) -> Counts {
        self.counts
    }
}

/// A slot that is held.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) since: Moment,
    pub(super) job: JobSeq,
    pub(super) host: Host,
    pub(super) browser: BrowserId,
    pub(super) phase: SlotPhase,
    /// The numbers of changes of the fuse and of its host's breaker when the attempt began.
    pub(super) epochs: (u64, u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SlotPhase {
    Creating,
    Running,
    Closing,
}

/// The model's slots.
#[derive(Debug)]
pub(super) struct Slots {
    pub(super) held: BTreeMap<SlotId, Slot>,
    pub(super) creating: u32,
    peaks: (u32, u32),
    /// Since when nothing is held.
    idle_since: Option<Moment>,
}

impl Default for Slots {
    fn default() -> Self {
        Self { held: BTreeMap::new(), creating: 0, peaks: (0, 0), idle_since: Some(Moment::ZERO) }
    }
}

impl Slots {
    pub(super) fn active(&self) -> u32 {
        self.held.len() as u32
    }

    pub(super) fn take(&mut self, id: SlotId, slot: Slot) {
        self.held.insert(id, slot);
        self.creating += 1;
        self.idle_since = None;
        self.peaks = (self.peaks.0.max(self.active()), self.peaks.1.max(self.creating));
    }

    pub(super) fn advance(&mut self, id: SlotId, to: SlotPhase) -> Option<Slot> {
        let slot = self.held.get_mut(&id)?;
        let before = *slot;
        let forward =
            matches!((before.phase, to), (SlotPhase::Creating, _) | (SlotPhase::Running, SlotPhase::Closing));
        if !forward {
            return None;
        }
        self.creating -= u32::from(before.phase == SlotPhase::Creating);
        slot.phase = to;
        Some(before)
    }

    pub(super) fn give_back(&mut self, now: Moment, id: SlotId) -> Option<Slot> {
        let slot = self.held.remove(&id)?;
        if self.held.is_empty() {
            self.idle_since = Some(now);
        }
        Some(slot)
    }

    /// Since when nothing is held.
    pub(super) const fn idle_since(&self) -> Option<Moment> {
        self.idle_since
    }

    pub(super) const fn peaks(&self) -> (u32, u32) {
        self.peaks
    }
}
