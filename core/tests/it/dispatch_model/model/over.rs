//! What becomes of a job after an attempt: the rules for retries, evictions and lost browsers, repeated in simple form.

use plimsoll_core::id::{JobSeq, SlotId};
use plimsoll_core::outcome::{Failure, FailureClass, Fault, Outcome, Recurrence, Stage};
use plimsoll_core::policy::AttemptEnd;

use super::{Job, Model, SlotPhase};

impl Model {
    /// An attempt has ended: its job also ends or waits for another attempt.
    pub(super) fn attempt_over(&mut self, id: SlotId, end: &AttemptEnd) -> Option<(JobSeq, Outcome)> {
        let browser = self.slots.get(&id)?.browser;
        let crew = self.crews.get(&browser).copied().unwrap_or_else(|| self.held_on(browser));
        let slot = self.slots.get_mut(&id).filter(|slot| slot.is_busy())?;
        slot.phase = SlotPhase::Closing;
        let (job, attempt) = (slot.job, slot.attempt);
        let losses = self.losses.get(&job).copied().unwrap_or_default();
        let again = |made| Job::Waiting { since: self.now, made };
        let (state, outcome) = match end {
            AttemptEnd::Succeeded => (Job::Ended, Outcome::Succeeded),
            AttemptEnd::Cancelled => (Job::Ended, Outcome::Cancelled),
            AttemptEnd::Evicted if self.stopped => (Job::Ended, Outcome::Cancelled),
            AttemptEnd::Evicted => {
                let times = self.evictions.entry(job).or_default();
                *times += 1;
                if *times <= 2 {
                    self.jobs.insert(job, again(attempt - 1));
                    return None;
                }
                let message = format!("evicted {times} times to save the machine");
                let failure = Fault::transient(FailureClass::Overload, message).at(Stage::Queue);
                let retried = attempt < self.config.retry.attempts;
                (if retried { again(attempt) } else { Job::Ended }, Outcome::Failed(failure))
            }
            AttemptEnd::Failed(failure)
                if is_crash(failure) && crew > 1 && losses < 2 && self.may_repeat() =>
            {
                self.losses.insert(job, losses + 1);
                (again(attempt - 1), Outcome::Failed(failure.clone()))
            }
            AttemptEnd::Failed(failure) => {
                let mut failure = failure.clone();
                let before = if is_crash(&failure) { losses } else { 0 };
                if before > 0 && crew == 1 {
                    let message = &failure.fault.message;
                    failure.fault.message =
                        format!("this job ends browsers, the last one with no other job in it: {message}");
                }
                let may_help = failure.fault.recurrence == Recurrence::Transient
                    && self.config.retry.classes.contains(&failure.fault.class);
                let retried = may_help && attempt + before < self.config.retry.attempts && !self.stopped;
                (if retried { again(attempt) } else { Job::Ended }, Outcome::Failed(failure))
            }
        };
        if state == Job::Ended {
            // The job is marked when the fleet reports its end.
            return Some((job, outcome));
        }
        if let Outcome::Failed(failure) = outcome {
            self.failures.insert(job, failure);
        }
        self.jobs.insert(job, state);
        None
    }

    /// Whether an attempt that is lost with its browser may be made again.
    fn may_repeat(&self) -> bool {
        let rules = &self.config.retry;
        rules.attempts > 1 && rules.classes.contains(&FailureClass::BrowserCrash) && !self.stopped
    }
}

fn is_crash(failure: &Failure) -> bool {
    failure.fault.class == FailureClass::BrowserCrash
}
