//! JavaScript in a page: the scripts of steps, and the expressions of jobs.
//!
//! Both bring their results back as JSON text, so the remote end's own format of values does not matter.

use std::time::Duration;

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::page::{EvaluateError, Expression, LOOK, PageError, Settled, Verdict, Wanted};
use plimsoll_core::runtime::budget::Budget;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::call::{CallError, Code};
use crate::tab::{ScriptWorld, Tab};
use crate::world::{self, TEXT};

/// The time by which the remote end's limit on a script is earlier than our deadline.
const FIRST: Duration = Duration::from_millis(100);

/// Runs one of the driver's own scripts once.
pub(super) async fn look<T: DeserializeOwned>(
    tab: &Tab,
    script: &str,
    deadline: Duration,
) -> Result<Verdict<T>, PageError> {
    let text: Option<String> = match tab.scripts() {
        ScriptWorld::Own => world::text(tab, script, deadline).await?,
        ScriptWorld::Page => {
            let body = format!("return (async () => ({TEXT})(await {script}))();");
            tab.session().run(&body, &json!([]), deadline.max(LOOK), deadline).await?
        }
    };
    // There is no text when a dialog interrupted the script.
    serde_json::from_str(&text.ok_or(PageError::Moved)?).map_err(|why| {
        let message = format!("a function of ours answered what it should not: {why}");
        PageError::Fault(Fault::persistent(FailureClass::Internal, message))
    })
}

/// The value of a job's expression.
pub(super) async fn json(tab: &Tab, expression: &str, budget: Budget) -> Result<Value, EvaluateError> {
    // A dialog of the script itself interrupted it, and the value is lost.
    let settled = settle(tab, Expression::new(expression, Wanted::Value), budget).await?;
    settled.map_or(Ok(Value::Null), Settled::value)
}

/// Whether the value of a job's expression is true in the sense of JavaScript's `if`.
pub(super) async fn truthy(tab: &Tab, expression: &str, budget: Budget) -> Result<bool, EvaluateError> {
    let settled = settle(tab, Expression::new(expression, Wanted::Truth), budget).await?;
    settled.map_or_else(|| Err(PageError::Moved.into()), Settled::truth)
}

/// Evaluates and awaits a job's expression. `None` when a dialog of the expression interrupted it.
async fn settle(
    tab: &Tab,
    expression: Expression<'_>,
    budget: Budget,
) -> Result<Option<Settled>, EvaluateError> {
    match run(tab, &expression.as_expression(), budget).await {
        // Code that runs reports its own errors, so this error means that the text does not compile.
        Err(error) if error.code() == Some(Code::JavascriptError) => {}
        answer => return read(answer),
    }
    read(run(tab, &expression.as_script(), budget).await)
}

/// Runs the body of a function and awaits the promise that it returns.
async fn run(tab: &Tab, body: &str, budget: Budget) -> Result<Option<String>, CallError> {
    let deadline = budget.left();
    let script = format!("return (async () => ({TEXT})(await (function expression() {{ {body} }})()))();");
    // The remote end stops the script first: the session can then accept the next command.
    tab.session().run(&script, &json!([]), deadline.saturating_sub(FIRST), deadline).await
}

fn read(answer: Result<Option<String>, CallError>) -> Result<Option<Settled>, EvaluateError> {
    let Some(text) = answer.map_err(PageError::from)? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|why| EvaluateError::NotJson(why.to_string()))
}
