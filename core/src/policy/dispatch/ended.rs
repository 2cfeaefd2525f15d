//! What becomes of a job whose attempt ended: it is over, or waits for another.

use crate::id::SlotId;
use crate::outcome::{Failure, FailureClass, Fault, Outcome, Stage};
use crate::policy::blame::News;
use crate::policy::dispatch::slots::{Attempt, Progress};
use crate::policy::dispatch::{Action, AttemptEnd, Dispatch, Phase};
use crate::policy::queue::{Patience, Waiting};
use crate::policy::retry::Verdict;
use crate::policy::retry_budget::RetryBudget;
use crate::time::Moment;

/// So many times a job may give way without losing an attempt. Twice is bad luck, with the machine or the neighbours; a
/// job that meets an emergency each time may well be what makes it, and would go round for ever.
const FORGIVEN_EVICTIONS: u32 = 2;

/// What follows an attempt.
enum Sequel {
    /// The job has ended.
    Over(Outcome),
    /// It waits until then; so many attempts count.
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
            // The news that it was there may still be on its way.
            self.opened(now, id);
        }
        let Some((attempt, progress)) = self.slots.ended(id) else { return };
        let Attempt { job, entry, number, passage, mut patience } = attempt;
        let news = match (&end, progress) {
            (AttemptEnd::Succeeded, Progress::Running(creation)) => News::Succeeded { creation },
            (AttemptEnd::Failed(failure), _) => News::from(failure),
            (AttemptEnd::Succeeded | AttemptEnd::Evicted | AttemptEnd::Cancelled, _) => News::Dropped,
        };
        self.admission.ended(now, passage, news, &mut self.rng);
        let sequel = match end {
            AttemptEnd::Succeeded => {
                self.restarts.on_served();
                self.standstill = None;
                Sequel::Over(Outcome::Succeeded)
            }
            AttemptEnd::Cancelled => Sequel::Over(Outcome::Cancelled),
            AttemptEnd::Evicted if self.phase == Phase::Stopping => Sequel::Over(Outcome::Cancelled),
            AttemptEnd::Evicted => self.gave_way(now, number, &mut patience),
            AttemptEnd::Failed(failure) => {
                if failure.fault.class == FailureClass::PageCrash {
                    self.admission.crashed(now);
                }
                if failure.fault.class == FailureClass::Timeout && progress == Progress::Creating {
                    self.admission.creation_timed_out();
                }
                self.failed(now, number, failure, &mut patience)
            }
        };
        match sequel {
            Sequel::Over(outcome) => {
                self.ledger.finish(entry, &outcome);
                self.actions.push_back(Action::Settle { job, outcome, attempts: number });
            }
            Sequel::Again { due, attempts } => {
                let entry = self.ledger.requeue(entry);
                self.queue.delay(Waiting { job, entry, attempts, patience }, due);
            }
        }
    }

    pub(super) fn freed(&mut self, now: Moment, id: SlotId) {
        // A permit that comes back without a word means that its task was torn down. The job must not vanish with it.
        let fault = || Fault::persistent(FailureClass::Internal, "the attempt's task ended without a result");
        self.ended(now, id, AttemptEnd::Failed(fault().at(Stage::Close)));
        let Some(browser) = self.slots.freed(id) else { return };
        self.admission.freed(now, id, self.slots.load());
        if self.victim == Some(id) {
            self.victim = None;
            self.eviction.on_gone(now);
        }
        self.actions.extend(self.placement.vacate(browser).map(Action::Close));
    }

    /// An attempt gave way to save the machine: it does not count, unless its job has given way often.
    fn gave_way(&mut self, now: Moment, number: u32, patience: &mut Patience) -> Sequel {
        patience.evictions += 1;
        if patience.evictions <= FORGIVEN_EVICTIONS {
            return Sequel::Again { due: now + self.config.retry.base, attempts: number - 1 };
        }
        let message = format!("gave way {} times to save the machine", patience.evictions);
        // Where it was when it gave way says nothing: there was no room for it.
        let failure = Fault::transient(FailureClass::Overload, message).at(Stage::Queue);
        self.failed(now, number, failure, patience)
    }

    fn failed(&mut self, now: Moment, number: u32, failure: Failure, patience: &mut Patience) -> Sequel {
        match self.config.retry.after(number, &failure, &mut self.rng) {
            Verdict::Again(wait) if self.phase == Phase::Open => {
                let due = self.book_retry(now, failure.fault.class).max(now + wait);
                patience.last_failure = Some(Box::new(failure));
                Sequel::Again { due, attempts: number }
            }
            Verdict::Again(_) | Verdict::Final => Sequel::Over(Outcome::Failed(failure)),
        }
    }

    /// When one more retry may begin. The budget delays it, by no more than the longest back-off, and never gives it up.
    fn book_retry(&mut self, now: Moment, class: FailureClass) -> Moment {
        if RetryBudget::charges(class) { self.retry_budget.withdraw(now, self.config.retry.cap) } else { now }
    }
}
