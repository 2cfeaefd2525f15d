//! Polls a page: runs a script or an expression again after a pause, until the verdict is final or the time is up.

use std::ops::ControlFlow;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::sleep;

use super::page_driver::PageDriver;
use crate::outcome::Fault;
use crate::page::{Act, Condition, EvaluateError, LOOK, Polling, Test, Unmet, Verdict};
use crate::runtime::budget::Budget;

/// Waits until an element is ready for `act`, then does it.
///
/// # Errors
/// The fault of an action whose element did not become ready.
pub async fn act<T: DeserializeOwned + Send>(
    page: &impl PageDriver,
    selector: &str,
    act: Act,
    value: &Value,
    budget: Budget,
) -> Result<T, Fault> {
    let ended = until(page, &act.script(selector, value), budget).await;
    ended.map_err(|unmet| unmet.action(selector, budget.whole()))
}

/// Runs the script until the verdict is final or the budget is used up.
pub(super) async fn until<T: DeserializeOwned + Send>(
    page: &impl PageDriver,
    script: &str,
    budget: Budget,
) -> Result<T, Unmet> {
    poll(page, script, LOOK, budget, Polling::default()).await
}

/// Runs a script that does not wait and may take long. It runs again only if its document was replaced.
pub(super) async fn once<T: DeserializeOwned + Send>(
    page: &impl PageDriver,
    script: &str,
    budget: Budget,
) -> Result<T, Fault> {
    let polled = poll(page, script, Duration::MAX, budget, Polling::default()).await;
    polled.map_err(|unmet| unmet.look(budget.whole()))
}

/// Waits until the condition holds or the budget is used up.
pub(super) async fn until_holds(
    page: &impl PageDriver,
    condition: Condition<'_>,
    budget: Budget,
) -> Result<(), Unmet> {
    holds(page, condition, budget, Polling::default()).await
}

/// Whether the condition holds now: the first answer of the page decides.
pub(super) async fn holds_now(
    page: &impl PageDriver,
    condition: Condition<'_>,
    budget: Budget,
) -> Result<(), Unmet> {
    holds(page, condition, budget, Polling::once()).await
}

async fn holds(
    page: &impl PageDriver,
    condition: Condition<'_>,
    budget: Budget,
    polling: Polling,
) -> Result<(), Unmet> {
    match condition.test() {
        Test::Script(script) => poll(page, &script, LOOK, budget, polling).await,
        Test::Expression(expression) => until_truthy(page, expression, budget, polling).await,
    }
}

async fn poll<T: DeserializeOwned + Send>(
    page: &impl PageDriver,
    script: &str,
    longest_look: Duration,
    budget: Budget,
    mut polling: Polling,
) -> Result<T, Unmet> {
    loop {
        let look = page.look(script, budget.left().min(longest_look)).await;
        match polling.next(look, budget.left()) {
            ControlFlow::Break(end) => return end,
            ControlFlow::Continue(pause) => sleep(pause).await,
        }
    }
}

/// Waits until an expression is truthy. An exception counts as not truthy: a value that it reads may not exist yet.
async fn until_truthy(
    page: &impl PageDriver,
    expression: &str,
    budget: Budget,
    mut polling: Polling,
) -> Result<(), Unmet> {
    loop {
        let look = match page.is_truthy(expression, budget).await {
            Ok(true) => Ok(Verdict::Ready(())),
            Ok(false) => Ok(Verdict::Waiting("it is false".to_owned())),
            Err(EvaluateError::Syntax(why)) => Ok(Verdict::Refused(why)),
            Err(EvaluateError::Threw(what)) => Ok(Verdict::Waiting(format!("it throws {what}"))),
            Err(error) => Err(error.into()),
        };
        match polling.next(look, budget.left()) {
            ControlFlow::Break(end) => return end,
            ControlFlow::Continue(pause) => sleep(pause).await,
        }
    }
}
