//! `wait_for` and `expect`: looking until a condition holds.

use plimsoll_core::outcome::Fault;
use plimsoll_core::page::{Condition, Unmet, Verdict};
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::{Expect, WaitFor};

use super::probe::{self, Wait};
use crate::evaluate::{self, EvaluateError};
use crate::page::Page;

/// Waits until the step's target holds.
pub(super) async fn wait_for(page: &Page, step: &WaitFor, budget: Budget) -> Result<(), Fault> {
    let (condition, budget) = (Condition::from(&step.target), budget.at_most(step.timeout));
    hold(page, condition, budget).await.map_err(|unmet| unmet.wait(condition, budget.whole()))
}

/// Insists that the step's condition comes to hold.
pub(super) async fn expect(page: &Page, step: &Expect, budget: Budget) -> Result<(), Fault> {
    let (condition, budget) = (Condition::from(&step.that), budget.at_most(Some(step.timeout)));
    hold(page, condition, budget).await.map_err(|unmet| unmet.expectation(condition, budget.whole()))
}

/// Waits until the condition holds or the budget is spent.
async fn hold(page: &Page, condition: Condition<'_>, budget: Budget) -> Result<(), Unmet> {
    match condition.script() {
        Ok(script) => probe::until(page, &script, budget).await,
        Err(expression) => truthy(page, expression, budget).await,
    }
}

/// Waits until an expression is truthy. One that throws is not true yet: what it reads may still be missing.
async fn truthy(page: &Page, expression: &str, budget: Budget) -> Result<(), Unmet> {
    let mut wait = Wait::new(budget);
    loop {
        let look = match evaluate::truthy(page, expression, budget).await {
            Ok(true) => Ok(Verdict::Ready(())),
            Ok(false) => Ok(Verdict::Waiting("it is false".to_owned())),
            Err(EvaluateError::Threw(exception)) if exception.syntax => {
                Ok(Verdict::Refused(exception.to_string()))
            }
            Err(EvaluateError::Threw(exception)) => Ok(Verdict::Waiting(format!("it throws {exception}"))),
            Err(error) => Err(error),
        };
        if let Some(end) = wait.weigh(probe::seen(look)).await {
            return end;
        }
    }
}
