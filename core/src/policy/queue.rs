//! Where jobs wait: first in, first out, bounded; and, beside it, the jobs that are held back until a moment: between
//! two attempts, or while their host's breaker is open.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::id::JobSeq;
use crate::outcome::Failure;
use crate::policy::ledger::Queued;
use crate::time::Moment;

/// A job that waits.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// Which job.
    pub(crate) job: JobSeq,
    /// Its token of the ledger.
    pub(crate) entry: Queued,
    /// Attempts it has had.
    pub(crate) attempts: u32,
    /// What happened to it so far, and what it waits for.
    pub(crate) history: JobHistory,
}

/// The deadline of a waiting job, the peers it needs, and what happened to it so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct JobHistory {
    /// When its first attempt must have begun; `None`: there is no deadline.
    pub(crate) deadline: Option<Moment>,
    /// The host of its first page.
    pub(crate) host: Option<Arc<str>>,
    /// Its proxy.
    pub(crate) proxy: Option<Arc<str>>,
    /// Since when it is held back because of one of them.
    pub(crate) held_since: Option<Moment>,
    /// How often its attempts were evicted.
    pub(crate) evictions: u32,
    /// How often its browser ended while others were in it.
    pub(crate) losses: u32,
    /// How its last attempt failed, if it had one.
    pub(crate) last_failure: Option<Box<Failure>>,
}

impl JobHistory {
    /// Whether the job must have a browser of its own: it lost too many with others in them.
    pub(crate) const fn runs_alone(&self) -> bool {
        self.losses >= FORGIVEN_LOSSES
    }
}

/// Losses of a job that do not count as attempts. A job that has had them runs alone.
pub(crate) const FORGIVEN_LOSSES: u32 = 2;

/// Who may share a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Jobs that share browsers.
    Shared,
    /// Jobs that need a browser of their own.
    Alone,
}

/// The queue. Jobs that are held back fill it too, but are always taken: they were accepted long ago.
#[derive(Debug)]
pub(crate) struct Queue {
    capacity: usize,
    /// Jobs that were held back and are due: older than all that are ready, so they go first, and of them the one that
    /// expires first.
    due: BTreeMap<(Moment, JobSeq), Waiting>,
    /// Jobs that were held back, are due and must run alone, in the order in which they became due.
    alone: VecDeque<Waiting>,
    /// Jobs in the order in which they came; all have the same queue timeout, so they expire from the front.
    ready: VecDeque<Waiting>,
    delayed: BTreeMap<(Moment, JobSeq), Waiting>,
}

impl Queue {
    /// An empty queue that accepts up to `capacity` jobs.
    #[must_use]
    pub(crate) const fn new(capacity: usize) -> Self {
        Self {
            capacity,
            due: BTreeMap::new(),
            alone: VecDeque::new(),
            ready: VecDeque::new(),
            delayed: BTreeMap::new(),
        }
    }

    /// Changes how many jobs it accepts. Those that are in it stay.
    pub(crate) const fn set_capacity(&mut self, capacity: usize) {
        self.capacity = capacity;
    }

    /// How many more jobs it would accept.
    #[must_use]
    pub(crate) fn room(&self) -> usize {
        self.capacity.saturating_sub(self.len())
    }

    /// Jobs that could start now.
    #[must_use]
    pub(crate) fn ready(&self) -> usize {
        self.due.len() + self.alone.len() + self.ready.len()
    }

    /// Jobs that could start now, in a browser of their own.
    #[must_use]
    pub(crate) fn alone(&self) -> usize {
        self.alone.len()
    }

    /// Jobs in all.
    #[must_use]
    pub(crate) fn len(&self) -> usize {
        self.ready() + self.delayed.len()
    }

    /// Whether no job waits.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a job at the end, or gives it back when the queue is full.
    ///
    /// # Errors
    /// With the job, when there is no room.
    pub(crate) fn push(&mut self, waiting: Waiting) -> Result<(), Waiting> {
        if self.room() == 0 {
            return Err(waiting);
        }
        self.ready.push_back(waiting);
        Ok(())
    }

    /// Holds a job back until `due`; it then goes before those that were not held back.
    pub(crate) fn delay(&mut self, waiting: Waiting, due: Moment) {
        self.delayed.insert((due, waiting.job), waiting);
    }

    /// Brings the jobs whose time has come to the front.
    pub(crate) fn advance(&mut self, now: Moment) {
        while let Some(next) = self.delayed.first_entry()
            && next.key().0 <= now
        {
            let waiting = next.remove();
            if waiting.history.runs_alone() {
                self.alone.push_back(waiting);
                continue;
            }
            self.due.insert((waiting.history.deadline.unwrap_or(Moment::NEVER), waiting.job), waiting);
        }
    }

    /// The job whose turn it is in a lane, to look at.
    #[must_use]
    pub(crate) fn front(&self, lane: Lane) -> Option<&Waiting> {
        match lane {
            Lane::Alone => self.alone.front(),
            Lane::Shared => {
                self.due.first_key_value().map(|(_, waiting)| waiting).or_else(|| self.ready.front())
            }
        }
    }

    /// The job whose turn it is in a lane.
    pub(crate) fn pop(&mut self, lane: Lane) -> Option<Waiting> {
        match lane {
            Lane::Alone => self.alone.pop_front(),
            Lane::Shared => {
                self.due.pop_first().map(|(_, waiting)| waiting).or_else(|| self.ready.pop_front())
            }
        }
    }

    /// A job that has waited beyond its deadline, if there is one.
    pub(crate) fn pop_expired(&mut self, now: Moment) -> Option<Waiting> {
        if let Some(first) = self.due.first_entry()
            && first.key().0 <= now
        {
            return Some(first.remove());
        }
        self.ready.pop_front_if(|waiting| waiting.history.deadline.is_some_and(|deadline| deadline <= now))
    }

    /// Takes every job out.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Waiting> {
        let delayed = std::mem::take(&mut self.delayed);
        let ready = std::mem::take(&mut self.due).into_values().chain(std::mem::take(&mut self.ready));
        let alone = std::mem::take(&mut self.alone);
        ready.chain(alone).chain(delayed.into_values())
    }

    /// When something here changes by time alone.
    #[must_use]
    pub(crate) fn next_change(&self) -> Option<Moment> {
        let due = self.delayed.first_key_value().map(|((due, _), _)| *due);
        let first_due = self.due.first_key_value().map(|((deadline, _), _)| *deadline);
        let first_ready = self.ready.front().and_then(|waiting| waiting.history.deadline);
        due.into_iter().chain(first_due).chain(first_ready).min().filter(|at| *at < Moment::NEVER)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::outcome::Outcome;
    use crate::policy::ledger::Ledger;

    fn waiting(ledger: &mut Ledger, job: u64, deadline: Option<u64>) -> Waiting {
        let deadline = deadline.map(|s| Moment::after(Duration::from_secs(s)));
        let history = JobHistory { deadline, ..JobHistory::default() };
        Waiting { job: JobSeq(job), entry: ledger.submit(), attempts: 0, history }
    }

    #[test]
    fn order_is_first_in_first_out_and_a_due_retry_goes_first() {
        let (mut ledger, mut queue) = (Ledger::default(), Queue::new(2));
        for job in 0..2 {
            assert!(queue.push(waiting(&mut ledger, job, None)).is_ok());
        }
        let refused = queue.push(waiting(&mut ledger, 9, None)).expect_err("the queue is full");
        ledger.finish_queued(refused.entry, &Outcome::Rejected);
        queue.delay(waiting(&mut ledger, 7, None), Moment::after(Duration::from_secs(5)));
        queue.advance(Moment::after(Duration::from_secs(4)));
        assert_eq!(queue.ready(), 2);
        queue.advance(Moment::after(Duration::from_secs(5)));
        let order: Vec<_> = queue
            .drain()
            .map(|waiting| {
                ledger.finish_queued(waiting.entry, &Outcome::Cancelled);
                waiting.job.0
            })
            .collect();
        assert_eq!(order, [7, 0, 1]);
        assert_eq!(ledger.counts().lost(), 0);
    }

    #[test]
    fn a_deadline_that_is_reached_has_passed() {
        let (mut ledger, mut queue) = (Ledger::default(), Queue::new(9));
        assert!(queue.push(waiting(&mut ledger, 0, Some(3))).is_ok());
        assert!(queue.pop_expired(Moment::after(Duration::from_millis(2999))).is_none());
        assert_eq!(queue.next_change(), Some(Moment::after(Duration::from_secs(3))));
        let expired = queue.pop_expired(Moment::after(Duration::from_secs(3))).expect("its time is up");
        ledger.finish_queued(expired.entry, &Outcome::Expired);
        assert!(queue.is_empty());
    }
}
