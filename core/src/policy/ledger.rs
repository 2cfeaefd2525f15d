//! The task ledger: every job ends exactly once, and a number shows it.
//!
//! ```text
//!            submit            start             finish
//!   (nothing) ────► Queued ────────► Running ────────► ended{outcome}
//!                     │  ▲              │
//!              finish │  └── requeue ───┘
//!                     ▼
//!               ended{outcome}
//! ```
//!
//! The states are types that cannot be cloned: finishing consumes the token, so a job cannot be finished twice.
//! A token that is dropped unfinished (a lost job) is counted, and [`Counts::lost`] reports it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use crate::outcome::Outcome;

/// Counts every job from submission to end; `submitted = queued + running + ended` at every instant.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    counts: Counts,
    dropped: Arc<AtomicU64>,
}

/// The numbers of jobs in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Jobs that were ever submitted.
    pub submitted: u64,
    /// Jobs that wait, those between two attempts among them.
    pub queued: u64,
    /// Jobs with an attempt under way.
    pub running: u64,
    /// Jobs that ended well.
    pub succeeded: u64,
    /// Jobs whose last attempt failed.
    pub failed: u64,
    /// Jobs that were taken back.
    pub cancelled: u64,
    /// Jobs that waited too long.
    pub expired: u64,
    /// Jobs that were never accepted.
    pub rejected: u64,
    /// Jobs whose token was dropped unfinished: always 0, or Plimsoll has a bug.
    pub dropped: u64,
}

impl Counts {
    /// Jobs that have ended, in whatever way.
    #[must_use]
    pub const fn ended(&self) -> u64 {
        self.succeeded + self.failed + self.cancelled + self.expired + self.rejected
    }

    /// Jobs that were lost: dropped tokens, and any gap in `submitted = queued + running + ended`.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.dropped + self.submitted.abs_diff(self.queued + self.running + self.ended())
    }
}

/// A job that waits.
#[derive(Debug)]
#[must_use = "a job must be started or finished"]
pub(crate) struct Queued(Token);

/// A job with an attempt under way.
#[derive(Debug)]
#[must_use = "a job must be requeued or finished"]
pub(crate) struct Running(Token);

/// Alive until disarmed; says so when it is dropped alive.
#[derive(Debug)]
struct Token(Option<Arc<AtomicU64>>);

impl Ledger {
    /// Enters a job.
    pub(crate) fn submit(&mut self) -> Queued {
        self.counts.submitted += 1;
        self.counts.queued += 1;
        Queued(Token(Some(Arc::clone(&self.dropped))))
    }

    /// An attempt begins.
    pub(crate) fn start(&mut self, Queued(token): Queued) -> Running {
        self.counts.queued -= 1;
        self.counts.running += 1;
        Running(token)
    }

    /// The attempt failed and another will be made.
    pub(crate) fn requeue(&mut self, Running(token): Running) -> Queued {
        self.counts.running -= 1;
        self.counts.queued += 1;
        Queued(token)
    }

    /// The job ends while it waits.
    pub(crate) fn finish_queued(&mut self, Queued(token): Queued, outcome: &Outcome) {
        self.counts.queued -= 1;
        self.end(token, outcome);
    }

    /// The job ends with its attempt.
    pub(crate) fn finish(&mut self, Running(token): Running, outcome: &Outcome) {
        self.counts.running -= 1;
        self.end(token, outcome);
    }

    /// The counts of this instant.
    #[must_use]
    pub(crate) fn counts(&self) -> Counts {
        Counts { dropped: self.dropped.load(Ordering::Relaxed), ..self.counts }
    }

    fn end(&mut self, mut token: Token, outcome: &Outcome) {
        token.0 = None;
        let count = match outcome {
            Outcome::Succeeded => &mut self.counts.succeeded,
            Outcome::Failed(_) => &mut self.counts.failed,
            Outcome::Cancelled => &mut self.counts.cancelled,
            Outcome::Expired => &mut self.counts.expired,
            Outcome::Rejected => &mut self.counts.rejected,
        };
        *count += 1;
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        if let Some(dropped) = self.0.take() {
            dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_dropped_token_is_a_lost_job() {
        let mut ledger = Ledger::default();
        drop(ledger.submit());
        let queued = ledger.submit();
        drop(ledger.start(queued));
        assert_eq!(ledger.counts().lost(), 2);
    }

    proptest! {
        /// Whatever happens in whatever order, nothing is lost, and each job is in exactly one place.
        #[test]
        fn jobs_are_conserved(moves in prop::collection::vec((0..5u8, any::<prop::sample::Index>()), 0..400)) {
            let mut ledger = Ledger::default();
            let (mut queued, mut running, mut ended) = (Vec::new(), Vec::new(), 0);
            for (what, which) in moves {
                match what {
                    0 => queued.push(ledger.submit()),
                    1 if !queued.is_empty() => {
                        let entry = queued.swap_remove(which.index(queued.len()));
                        running.push(ledger.start(entry));
                    }
                    2 if !running.is_empty() => {
                        let entry = running.swap_remove(which.index(running.len()));
                        queued.push(ledger.requeue(entry));
                    }
                    3 if !running.is_empty() => {
                        ledger.finish(running.swap_remove(which.index(running.len())), &Outcome::Succeeded);
                        ended += 1;
                    }
                    4 if !queued.is_empty() => {
                        ledger.finish_queued(queued.swap_remove(which.index(queued.len())), &Outcome::Cancelled);
                        ended += 1;
                    }
                    _ => {}
                }
                let counts = ledger.counts();
                prop_assert_eq!(counts.lost(), 0);
                prop_assert_eq!((counts.queued, counts.running, counts.ended()),
                    (queued.len() as u64, running.len() as u64, ended));
            }
        }
    }
}
