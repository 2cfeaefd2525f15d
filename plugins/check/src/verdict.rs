//! How a case ended: [`Verdict`].
//!
//! A case ends early by a panic: with `Ended` when the driver need not do more, with a message when an assertion
//! failed.

use std::any::Any;
use std::panic::resume_unwind;

use plimsoll_core::capability::{Capabilities, Capability};
use serde::Serialize;

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// The driver did what the port promises.
    Passed,
    /// The driver did something else.
    Failed {
        /// What it did.
        why: String,
    },
    /// The driver does not declare a needed capability, and refused the step.
    Refused {
        /// The capabilities that it does not declare.
        lacks: Capabilities,
    },
    /// The driver has nothing to which the case applies.
    NotApplicable {
        /// What it does not have.
        why: String,
    },
    /// The time for all cases was over before this one.
    NotReached,
}

impl Verdict {
    /// The cell in the table of drivers.
    #[must_use]
    pub fn cell(&self) -> String {
        match self {
            Self::Passed => "pass".to_owned(),
            Self::Refused { lacks } => format!("unsupported: {lacks}"),
            Self::NotApplicable { why } => format!("not applicable: {why}"),
            Self::Failed { .. } => "FAILED".to_owned(),
            Self::NotReached => "not reached".to_owned(),
        }
    }
}

/// The panic payload that ends a case before its end.
struct Ended(Verdict);

/// Ends the case, because the driver does not declare these capabilities.
pub(crate) fn lacks(lacks: Capabilities) -> ! {
    resume_unwind(Box::new(Ended(Verdict::Refused { lacks })))
}

/// Ends the case, because the driver does not declare this capability.
pub(crate) fn lacks_one(capability: Capability) -> ! {
    lacks([capability].into_iter().collect())
}

/// Ends the case, because it does not apply to the driver.
pub(crate) fn does_not_apply(why: impl Into<String>) -> ! {
    resume_unwind(Box::new(Ended(Verdict::NotApplicable { why: why.into() })))
}

/// The verdict that a panic of a case carries.
pub(crate) fn of_panic(panic: Box<dyn Any + Send>) -> Verdict {
    match panic.downcast::<Ended>() {
        Ok(ended) => ended.0,
        Err(panic) => Verdict::Failed { why: words(&*panic).to_owned() },
    }
}

/// The message of a panic.
pub(crate) fn words(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map_or_else(|| panic.downcast_ref().copied().unwrap_or("?"), String::as_str)
}
