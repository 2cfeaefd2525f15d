//! `wait_for` and `expect`: looking until a condition holds.

use plimsoll_core::outcome::Fault;
use plimsoll_core::page::{Condition, Look, Unmet, Verdict};
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::{Expect, WaitFor};

use super::evaluate::{self, EvaluateError};
use super::probe::{self, Wait};
use crate::tab::Tab;

/// Waits until the step's target holds.
pub(super) async fn wait_for(tab: &Tab, step: &WaitFor, budget: Budget) -> Result<(), Fault> {
    let (condition, budget) = (Condition::from(&step.target), budget.at_most(step.timeout));
    hold(tab, condition, budget).await.map_err(|unmet| unmet.wait(condition, budget.whole()))
}

/// Insists that the step's condition comes to hold.
pub(super) async fn expect(tab: &Tab, step: &Expect, budget: Budget) -> Result<(), Fault> {
    let (condition, budget) = (Condition::from(&step.that), budget.at_most(Some(step.timeout)));
    hold(tab, condition, budget).await.map_err(|unmet| unmet.expectation(condition, budget.whole()))
}

/// Waits until the condition holds or the budget is spent.
async fn hold(tab: &Tab, condition: Condition<'_>, budget: Budget) -> Result<(), Unmet> {
    match condition.script() {
        Ok(script) => probe::until(tab, &script, budget).await,
        Err(expression) => truthy(tab, expression, budget).await,
    }
}

/// Waits until an expression is truthy. One that throws is not true yet: what it reads may still be missing.
async fn truthy(tab: &Tab, expression: &str, budget: Budget) -> Result<(), Unmet> {
    let mut wait = Wait::new(budget);
    loop {
        let look = match evaluate::truthy(tab, expression, budget).await {
            Ok(true) => Look::Said(Verdict::Ready(())),
            Ok(false) => Look::Said(Verdict::Waiting("it is false".to_owned())),
            Err(EvaluateError::Threw { message, syntax: true }) => Look::Said(Verdict::Refused(message)),
            Err(EvaluateError::Threw { message, .. }) => {
                Look::Said(Verdict::Waiting(format!("it throws {message}")))
            }
            Err(EvaluateError::Page(trouble)) => probe::seen(Err(trouble)),
            Err(error) => Look::Fault(error.into()),
        };
        if let Some(end) = wait.weigh(look).await {
            return end;
        }
    }
}
