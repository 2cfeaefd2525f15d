//! The time and memory that reading a page may cost.
//!
//! A hostile page and selector can together ask for unbounded work, on a blocking thread that cannot be stopped. Code that
//! walks a page counts its steps here. The clock is read every [`STEPS`] steps, and the walk ends with an error when the
//! time is over or when the result is larger than [`MAX_RESULT`].

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::runtime::budget::Budget;

/// Steps between two readings of the clock: some tens of microseconds of walking.
const STEPS: u32 = 4096;
/// Bytes that one step may return: four times the largest page of the default settings.
const MAX_RESULT: usize = 64 << 20;

/// The time and the bytes that are left for one step of a job.
#[derive(Debug)]
pub(crate) struct WorkBudget {
    budget: Budget,
    steps: u32,
    bytes_left: usize,
}

/// Why a page was not read to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BudgetExceeded {
    /// The time was over.
    Time,
    /// The result was too large.
    Bytes,
}

impl WorkBudget {
    pub(crate) const fn new(budget: Budget) -> Self {
        Self { budget, steps: 0, bytes_left: MAX_RESULT }
    }

    /// Counts a step of the walk.
    pub(crate) fn step(&mut self) -> Result<(), BudgetExceeded> {
        self.steps += 1;
        if self.steps < STEPS {
            return Ok(());
        }
        self.steps = 0;
        self.look()
    }

    /// Checks the time now.
    pub(crate) fn look(&self) -> Result<(), BudgetExceeded> {
        if self.budget.left().is_zero() { Err(BudgetExceeded::Time) } else { Ok(()) }
    }

    /// Counts bytes of the result.
    pub(crate) fn charge(&mut self, bytes: usize) -> Result<(), BudgetExceeded> {
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or(BudgetExceeded::Bytes)?;
        Ok(())
    }
}

impl BudgetExceeded {
    /// The fault of the operation that exceeded its budget; `doing` names the operation.
    pub(crate) fn fault(self, doing: &str, budget: Budget) -> Fault {
        match self {
            Self::Time => {
                let message = format!("{doing} took longer than {:?}", budget.whole());
                Fault::transient(FailureClass::Timeout, message)
            }
            Self::Bytes => {
                let message = format!("{doing} returns more than {} MiB; select less", MAX_RESULT >> 20);
                Fault::persistent(FailureClass::Script, message)
            }
        }
    }
}
