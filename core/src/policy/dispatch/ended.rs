//! Decides whether a job whose attempt ended is over or waits for another attempt.

use crate::id::SlotId;
use crate::outcome::{Failure, FailureClass, Fault, Outcome, Stage};
use crate::policy::blame::AttemptOutcome;
use crate::policy::dispatch::slots::{Attempt, Progress};
use crate::policy::dispatch::{Action, AttemptEnd, Dispatch, Phase};
use crate::policy::queue::{JobHistory, Waiting};
use crate::policy::retry::Verdict;
use crate::policy::retry_budget::RetryBudget;
use crate::time::Moment;

/// Evictions of a job that do not count as attempts. A job that is evicted more often may itself cause the shortage, and
/// without a bound it would be retried for ever.
const FORGIVEN_EVICTIONS: u32 = 2;

/// What becomes of a job after an attempt.
pub(super) enum AfterAttempt {
    /// The job has ended.
    Over(Outcome),
    /// It waits until `due` for another attempt; `attempts` of those before count.
    Again { due: Moment, attempts: u32 },
}

impl Dispatch {
    pub(super) fn opened(&mut self, now: Moment, id: SlotId) {
        if let Some(took) = self.slots.opened(now, id) {
            self.admission.opened(now, id, took, self.slots.load());
        }
    }

    pub(super) fn ended(&mut self, now: Moment, id: SlotId, end: AttemptEnd) {
        if end.shows_a_context() {
            // The event that its context was opened may still be on its way.
            self.opened(now, id);
        }
        let is_lost =
            matches!(&end, AttemptEnd::Failed(failure) if failure.fault.class == FailureClass::BrowserCrash);
        let crew = if is_lost { self.crew(id) } else { 1 };
        let Some((attempt, progress)) = self.slots.ended(id) else { return };
        let Attempt { job, entry, mut number, permits, mut history } = attempt;
        let outcome = match (&end, progress) {
            (AttemptEnd::Succeeded, Progress::Running) => AttemptOutcome::Succeeded,
            (AttemptEnd::Failed(failure), _) => AttemptOutcome::from(failure),
            (AttemptEnd::Succeeded | AttemptEnd::Evicted | AttemptEnd::Cancelled, _) => {
                AttemptOutcome::Dropped
            }
        };
        self.admission.ended(now, permits, outcome, &mut self.rng);
        let after = match end {
            AttemptEnd::Succeeded => {
                self.restarts.on_served();
                self.fleet_outage = None;
                AfterAttempt::Over(Outcome::Succeeded)
            }
            AttemptEnd::Cancelled => AfterAttempt::Over(Outcome::Cancelled),
            AttemptEnd::Evicted if self.phase == Phase::Stopping => AfterAttempt::Over(Outcome::Cancelled),
            AttemptEnd::Evicted => self.evicted(now, number, &mut history),
            AttemptEnd::Failed(failure) => {
                if failure.fault.class == FailureClass::PageCrash {
                    self.admission.crashed(now);
                }
                if failure.fault.class == FailureClass::Timeout && progress == Progress::Creating {
                    self.admission.creation_timed_out();
                }
                if is_lost {
                    self.lost(now, &mut number, failure, crew, &mut history)
                } else {
                    self.failed(now, number, failure, &mut history)
                }
            }
        };
        match after {
            AfterAttempt::Over(outcome) => {
                self.ledger.finish(entry, &outcome);
                self.actions.push_back(Action::Settle { job, outcome, attempts: number });
            }
            AfterAttempt::Again { due, attempts } => {
                let entry = self.ledger.requeue(entry);
                self.queue.delay(Waiting { job, entry, attempts, history }, due);
            }
        }
    }

    pub(super) fn freed(&mut self, now: Moment, id: SlotId) {
        // A permit that is freed before the attempt has ended means that its task was aborted. The job must still end.
        let fault = || Fault::persistent(FailureClass::Internal, "the attempt's task ended without a result");
        self.ended(now, id, AttemptEnd::Failed(fault().at(Stage::Close)));
        let Some(browser) = self.slots.freed(id) else { return };
        self.admission.freed(now, id, self.slots.load());
        if self.victim == Some(id) {
            self.victim = None;
            self.eviction.on_gone(now);
        }
        self.actions.extend(self.placement.vacate(browser).map(Action::Close));
        self.forget_loss(browser);
    }

    /// An attempt was evicted: it does not count, unless its job was evicted often.
    fn evicted(&mut self, now: Moment, number: u32, history: &mut JobHistory) -> AfterAttempt {
        history.evictions += 1;
        if history.evictions <= FORGIVEN_EVICTIONS {
            return AfterAttempt::Again { due: now + self.config.retry.base, attempts: number - 1 };
        }
        let message = format!("evicted {} times to save the machine", history.evictions);
        // The stage at which it was evicted does not matter: there was no room for it.
        let failure = Fault::transient(FailureClass::Overload, message).at(Stage::Queue);
        self.failed(now, number, failure, history)
    }

    pub(super) fn failed(
        &mut self,
        now: Moment,
        number: u32,
        failure: Failure,
        history: &mut JobHistory,
    ) -> AfterAttempt {
        match self.config.retry.after(number, &failure, &mut self.rng) {
            Verdict::Again(wait) if self.phase == Phase::Open => {
                let due = self.book_retry(now, failure.fault.class).max(now + wait);
                history.last_failure = Some(Box::new(failure));
                AfterAttempt::Again { due, attempts: number }
            }
            Verdict::Again(_) | Verdict::Final => AfterAttempt::Over(Outcome::Failed(failure)),
        }
    }

    /// When one more retry may begin. The budget delays it, by no more than the longest back-off, and never gives it up.
    pub(super) fn book_retry(&mut self, now: Moment, class: FailureClass) -> Moment {
        if RetryBudget::charges(class) { self.retry_budget.withdraw(now, self.config.retry.cap) } else { now }
    }
}
