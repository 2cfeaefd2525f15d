//! What a driver answers to a step: whether it is what the step owes, and whether the job accepts the page.

use std::fmt::Display;

use crate::job::Job;
use crate::outcome::{FailureClass, Fault};
use crate::port::{Page, StepOutput};
use crate::step::Step;

/// The longest message of a fault that is kept, in bytes.
const LONGEST_MESSAGE: usize = 16 << 10;

/// The answer of a driver to a step, if it is what the step owes. Every answer of every driver passes here. A fault of
/// class `internal` is the driver's own, so its message names the driver and the step.
pub(crate) fn answered(
    driver: &str,
    step: &Step,
    answer: Result<StepOutput, Fault>,
) -> Result<StepOutput, Fault> {
    let internal = |why: &dyn Display| {
        let message = format!("driver `{driver}`, step `{}`: {why}", step.name());
        Fault::persistent(FailureClass::Internal, message)
    };
    let mut fault = match answer {
        Ok(output) => match output.check(step) {
            Ok(()) => return Ok(output),
            Err(wrong) => internal(&wrong),
        },
        Err(fault) if fault.class == FailureClass::Internal => {
            Fault { recurrence: fault.recurrence, ..internal(&fault.message) }
        }
        Err(fault) => fault,
    };
    fault.message.truncate(fault.message.floor_char_boundary(LONGEST_MESSAGE));
    Err(fault)
}

/// A status of 400 or above is a failure unless the job accepts it.
pub(crate) fn accept(job: &Job, page: &Page) -> Result<(), Fault> {
    match page.status {
        Some(status) if status >= 400 && !job.accept_status.contains(&status) => {
            let message = format!("{} answered {status}", page.url);
            Err(if status >= 500 || status == 429 {
                Fault::transient(FailureClass::HttpStatus, message)
            } else {
                Fault::persistent(FailureClass::HttpStatus, message)
            })
        }
        _ => Ok(()),
    }
}
