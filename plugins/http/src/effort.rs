//! What reading a page may cost.
//!
//! A page and a selector from strangers can together ask for work without end, on a thread that nobody can stop. So
//! whatever walks a page counts its steps here, looks at the clock now and then, and gives up when time is over or
//! more has been brought back than a result may hold.

use plimsoll_core::outcome::{FailureClass, Fault};

use crate::budget::Budget;

/// Between two looks at the clock: some tens of microseconds of walking.
const STEPS: u32 = 4096;
/// What one step may bring back: four times the largest page of the default settings.
const BROUGHT: usize = 64 << 20;

/// The time and room for one step.
#[derive(Debug)]
pub(crate) struct Effort {
    budget: Budget,
    steps: u32,
    room: usize,
}

/// Why a page was not read to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spent {
    /// Time was over.
    Time,
    /// More was brought back than a result may hold.
    Room,
}

impl Effort {
    pub(crate) const fn new(budget: Budget) -> Self {
        Self { budget, steps: 0, room: BROUGHT }
    }

    /// Counts a step of the walk.
    pub(crate) fn step(&mut self) -> Result<(), Spent> {
        self.steps += 1;
        if self.steps < STEPS {
            return Ok(());
        }
        self.steps = 0;
        self.look()
    }

    /// Looks at the clock at once.
    pub(crate) fn look(&self) -> Result<(), Spent> {
        if self.budget.left().is_zero() { Err(Spent::Time) } else { Ok(()) }
    }

    /// Counts what is brought back.
    pub(crate) fn bring(&mut self, bytes: usize) -> Result<(), Spent> {
        self.room = self.room.checked_sub(bytes).ok_or(Spent::Room)?;
        Ok(())
    }
}

impl Spent {
    /// The fault of whoever was `doing` this when it was spent.
    pub(crate) fn fault(self, doing: &str, budget: Budget) -> Fault {
        match self {
            Self::Time => {
                let message = format!("{doing} took longer than {:?}", budget.whole());
                Fault::transient(FailureClass::Timeout, message)
            }
            Self::Room => {
                let message = format!("{doing} brings back more than {} MiB; read less", BROUGHT >> 20);
                Fault::persistent(FailureClass::Script, message)
            }
        }
    }
}
