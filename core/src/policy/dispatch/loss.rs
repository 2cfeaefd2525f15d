//! An attempt that was lost because its browser ended: whose fault was it?
//!
//! ```text
//!   browser ends ──► others were in it ──► the attempt does not count; twice at most, then the job runs alone
//!                └── only this job was ──► it counts, and so do the losses before: the job ends browsers
//! ```
//!
//! A browser that ends takes every attempt in it along, and does not tell which of them ended it. A job that lost its
//! browser twice while others were in it is a suspect: it runs in a browser of its own from then on. If that browser
//! ends too, no other job can be the reason. So a job that ends browsers costs its neighbours no attempt of theirs, and
//! it is stopped after as many lost browsers as it may have attempts; an innocent job has all its attempts left.

use crate::id::{BrowserId, SlotId};
use crate::outcome::{Failure, FailureClass};
use crate::policy::dispatch::ended::AfterAttempt;
use crate::policy::dispatch::{Dispatch, Phase};
use crate::policy::queue::JobHistory;
use crate::time::Moment;

impl Dispatch {
    /// A browser ended: what is in it now was in it then.
    pub(super) fn note_loss(&mut self, browser: BrowserId) {
        let contexts = self.slots.held_on(browser);
        self.losses.entry(browser).or_insert(contexts);
    }

    /// A browser or one of its contexts is gone: once both are, nothing more can be lost with it.
    pub(super) fn forget_loss(&mut self, browser: BrowserId) {
        if !self.placement.is_known(browser) && !self.slots.holds(browser) {
            self.losses.remove(&browser);
        }
    }

    /// The number of contexts that were in the browser of this slot when the browser ended, or that are now.
    pub(super) fn crew(&self, slot: SlotId) -> usize {
        let Some(browser) = self.slots.browser(slot) else { return 1 };
        self.losses.get(&browser).copied().unwrap_or_else(|| self.slots.held_on(browser))
    }

    /// An attempt failed because its browser ended, with `crew` contexts in it. `number` becomes the number of attempts
    /// that count.
    pub(super) fn lost(
        &mut self,
        now: Moment,
        number: &mut u32,
        failure: Failure,
        crew: usize,
        history: &mut JobHistory,
    ) -> AfterAttempt {
        let rules = &self.config.retry;
        let may_repeat = rules.attempts > 1 && rules.classes.contains(&FailureClass::BrowserCrash);
        if crew > 1 && !history.runs_alone() && may_repeat && self.phase == Phase::Open {
            history.losses += 1;
            let base = rules.base;
            let due =
                self.book_retry(now, FailureClass::BrowserCrash).max(now + base.mul_f64(self.rng.f64()));
            history.last_failure = Some(Box::new(failure));
            return AfterAttempt::Again { due, attempts: *number - 1 };
        }
        let made = *number + history.losses;
        let failure = with_evidence(failure, crew, history);
        match self.failed(now, made, failure, history) {
            AfterAttempt::Again { due, .. } => AfterAttempt::Again { due, attempts: *number },
            over => {
                *number = made.min(self.config.retry.attempts);
                over
            }
        }
    }
}

/// The failure of a job whose own browser ended, after it had lost others, names the evidence.
fn with_evidence(mut failure: Failure, crew: usize, history: &JobHistory) -> Failure {
    if crew == 1 && history.losses > 0 {
        let message = &failure.fault.message;
        failure.fault.message =
            format!("this job ends browsers, the last one with no other job in it: {message}");
    }
    failure
}
