//! A case, its verdict, and what cases say of faults.

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

/// Longer than any case may take, on a busy machine.
const AMPLE: Duration = Duration::from_secs(100);

/// Something that every driver does, or declares that it cannot.
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
    /// It did what the port promises.
    Passed,
    /// It declares that it cannot, and said so when it was asked.
    Lacks(String),
    /// It is known to do otherwise, for this reason.
    Differs(&'static str),
    /// It is a model: it answers, but nothing happens in a page.
    Modelled,
    /// It did something else.
    Failed(String),
}

impl Verdict {
    /// What the table says.
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

/// What a driver lacks, on its way out of a case.
struct Lacking(String);

/// Ends the case: the driver lacks what it needs.
pub(crate) fn lacks(what: impl Into<String>) -> ! {
    resume_unwind(Box::new(Lacking(what.into())))
}

impl Case {
    /// Runs it to its verdict.
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

/// Asserts how a step failed, and that it names what the job wrote.
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

/// Asserts that a wait was too long.
#[track_caller]
pub(crate) fn late(result: Result<StepOutput, Fault>, names: &[&str]) {
    fails(result, FailureClass::Timeout, Recurrence::Transient, names);
}

/// Asserts that the job is to blame.
#[track_caller]
pub(crate) fn refused(result: Result<StepOutput, Fault>, names: &[&str]) {
    fails(result, FailureClass::Script, Recurrence::Persistent, names);
}
