//! A case, its verdict, and assertions about faults.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::Pin;
use std::time::Duration;

use futures_util::FutureExt;
use plimsoll_core::outcome::{FailureClass, Fault, Recurrence};
use plimsoll_core::port::StepOutput;
use tokio::time::timeout;

use crate::rig::Rig;

/// The time limit of a case, even on a busy machine.
const AMPLE: Duration = Duration::from_secs(100);

/// A behaviour that every driver has, or declares as unsupported.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: for<'a> fn(&'a Rig) -> Pin<Box<dyn Future<Output = ()> + 'a>>,
}

/// The cases of a suite, by the names of their functions.
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        pub(crate) const CASES: &[crate::Case] =
            &[$(crate::Case { name: stringify!($name), run: |rig| Box::pin($name(rig)) }),*];
    };
}
pub(crate) use cases;

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The driver did what the port promises.
    Passed,
    /// The driver does not declare a needed capability, and refused the step.
    Lacks(String),
    /// The driver is known to differ, for this reason.
    Differs(&'static str),
    /// The driver is a model: it answers, but nothing happens in a page.
    Modelled,
    /// The driver did something else.
    Failed(String),
}

impl Verdict {
    /// The cell in the table.
    pub(crate) fn cell(&self) -> String {
        match self {
            Self::Passed => "pass".to_owned(),
            Self::Lacks(what) => format!("unsupported: {what}"),
            Self::Differs(why) => format!("differs: {why}"),
            Self::Modelled => "modelled".to_owned(),
            Self::Failed(_) => "FAILED".to_owned(),
        }
    }
}

/// The panic payload that ends a case: what the driver lacks.
struct Lacking(String);

/// Ends the case, because the driver lacks a capability.
pub(crate) fn lacks(what: impl Into<String>) -> ! {
    resume_unwind(Box::new(Lacking(what.into())))
}

impl Case {
    /// Runs the case and returns its verdict.
    pub(crate) async fn judge(&self, rig: &Rig) -> Verdict {
        match AssertUnwindSafe(timeout(AMPLE, (self.run)(rig))).catch_unwind().await {
            Ok(Ok(())) => Verdict::Passed,
            Ok(Err(_)) => Verdict::Failed(format!("it did not end within {AMPLE:?}")),
            Err(panic) => match panic.downcast::<Lacking>() {
                Ok(lacking) => Verdict::Lacks(lacking.0),
                Err(panic) => Verdict::Failed(words(&*panic).to_owned()),
            },
        }
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map_or_else(|| panic.downcast_ref().copied().unwrap_or("?"), String::as_str)
}

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
