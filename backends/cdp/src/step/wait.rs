//! `wait_for`: a condition that is late is a timeout, which may go away by itself.

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::step::WaitFor;

use super::condition::{self, Condition};
use crate::budget::Budget;
use crate::page::Page;

/// Waits until the step's target holds.
pub(super) async fn wait_for(page: &Page, step: &WaitFor, budget: Budget) -> Result<(), Fault> {
    let (condition, budget) = (Condition::from(&step.target), budget.at_most(step.timeout));
    condition::hold(page, condition, budget).await.map_err(|unmet| {
        condition::failed(unmet, condition, budget, |found| {
            let message = format!("waiting for {condition}: {found} (gave up after {:?})", budget.whole());
            Fault::transient(FailureClass::Timeout, message)
        })
    })
}
