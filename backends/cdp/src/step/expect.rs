//! `expect`: a condition that does not come to hold is a failed assertion, and would fail again.

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::step::Expect;

use super::condition::{self, Condition};
use crate::budget::Budget;
use crate::page::Page;

/// Insists that the step's condition comes to hold.
pub(super) async fn expect(page: &Page, step: &Expect, budget: Budget) -> Result<(), Fault> {
    let (condition, budget) = (Condition::from(&step.that), budget.at_most(Some(step.timeout)));
    condition::hold(page, condition, budget).await.map_err(|unmet| {
        condition::failed(unmet, condition, budget, |found| {
            let message = format!("expected {condition}, but {found} (after {:?})", budget.whole());
            Fault::persistent(FailureClass::Assertion, message)
        })
    })
}
