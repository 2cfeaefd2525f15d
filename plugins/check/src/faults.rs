//! Assertions about how a step failed.

use plimsoll_core::outcome::{FailureClass, Fault, Recurrence};
use plimsoll_core::port::StepOutput;

/// Asserts how a step failed, and that the message names the job's own words.
#[track_caller]
pub(crate) fn fails(
    result: Result<StepOutput, Fault>,
    class: FailureClass,
    recurrence: Recurrence,
    names: &[&str],
) {
    let fault = result.expect_err("the step must fail");
    assert_eq!((fault.class, fault.recurrence), (class, recurrence), "{fault}");
    for name in names {
        assert!(fault.message.contains(name), "{:?} does not name {name:?}", fault.message);
    }
}

/// Asserts that a wait timed out.
#[track_caller]
pub(crate) fn late(result: Result<StepOutput, Fault>, names: &[&str]) {
    fails(result, FailureClass::Timeout, Recurrence::Transient, names);
}

/// Asserts that the fault is the job's.
#[track_caller]
pub(crate) fn refused(result: Result<StepOutput, Fault>, names: &[&str]) {
    fails(result, FailureClass::Script, Recurrence::Persistent, names);
}
