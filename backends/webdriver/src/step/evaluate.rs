//! JavaScript in a page: the scripts of steps, and the expressions of jobs.
//!
//! WebDriver runs the body of a function, but a job contains an expression. So the text is compiled as an expression
//! first; text that does not compile as an expression is evaluated as a script, whose value is that of its last
//! statement. A value that is a function is called, and a promise is awaited.

use std::time::Duration;

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::page::{EvaluateError, LONGEST_VALUE, LOOK, PageError, Verdict};
use plimsoll_core::runtime::budget::Budget;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::call::{CallError, Code};
use crate::tab::Tab;

/// The script that writes a value as text in the page.
const TEXT: &str = include_str!("text.js");
/// The time by which the remote end's limit on a script is earlier than our deadline.
const FIRST: Duration = Duration::from_millis(100);
/// The script that evaluates and settles an expression.
const SETTLE: &str = include_str!("evaluate.js");

/// The result of `evaluate.js` for a value.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Settled {
    /// JSON text.
    Text(String),
    /// The value is not JSON; the reason.
    Not(String),
    /// Whether it is true in the sense of JavaScript's `if`.
    Truth(bool),
    /// The exception.
    Threw(String, bool),
}

/// Runs one of the driver's own scripts once. Its result is sent as JSON text, so the remote end's own format of values
/// does not matter.
pub(super) async fn look<T: DeserializeOwned>(
    tab: &Tab,
    script: &str,
    deadline: Duration,
) -> Result<Verdict<T>, PageError> {
    let body = format!("return (async () => ({TEXT})(await {script}))();");
    let text: Option<String> = tab.session().run(&body, &json!([]), deadline.max(LOOK), deadline).await?;
    // There is no text when a dialog interrupted the script.
    serde_json::from_str(&text.ok_or(PageError::Moved)?).map_err(|why| {
        let message = format!("a function of ours answered what it should not: {why}");
        PageError::Fault(Fault::persistent(FailureClass::Internal, message))
    })
}

/// The value of a job's expression.
pub(super) async fn json(tab: &Tab, expression: &str, budget: Budget) -> Result<Value, EvaluateError> {
    match settle(tab, expression, "value", budget).await? {
        Some(Settled::Text(text)) => {
            serde_json::from_str(&text).map_err(|why| EvaluateError::NotJson(why.to_string()))
        }
        Some(Settled::Not(why)) => Err(EvaluateError::NotJson(why)),
        Some(Settled::Truth(truth)) => Ok(truth.into()),
        Some(Settled::Threw(message, is_syntax)) => Err(thrown(message, is_syntax)),
        // A dialog of the script itself interrupted it, and the value is lost.
        None => Ok(Value::Null),
    }
}

/// Whether the value of a job's expression is true in the sense of JavaScript's `if`.
pub(super) async fn truthy(tab: &Tab, expression: &str, budget: Budget) -> Result<bool, EvaluateError> {
    match settle(tab, expression, "truth", budget).await? {
        Some(Settled::Truth(truth)) => Ok(truth),
        Some(Settled::Threw(message, is_syntax)) => Err(thrown(message, is_syntax)),
        _ => Err(PageError::Moved.into()),
    }
}

/// Evaluates and awaits a job's expression.
async fn settle(
    tab: &Tab,
    expression: &str,
    wanted: &str,
    budget: Budget,
) -> Result<Option<Settled>, EvaluateError> {
    let as_expression = format!(
        "const origin = new Error(), run = () => (\n{expression}\n);\nreturn ({SETTLE})({TEXT}, run, origin, ...arguments);"
    );
    let as_script = format!("return ({SETTLE})({TEXT}, () => (0, eval)(arguments[2]), null, ...arguments);");
    let arguments = json!([wanted, LONGEST_VALUE, expression]);
    // JavaScript parses a text that starts with a brace as a block.
    if !expression.trim_start().starts_with('{') {
        match run(tab, &as_expression, &arguments, budget).await {
            // Code that runs reports its own errors, so this error means that the text does not compile.
            Err(error) if error.code() == Some(Code::JavascriptError) => {}
            answer => return read(answer),
        }
    }
    read(run(tab, &as_script, &arguments, budget).await)
}

/// What an expression threw, as `evaluate.js` reports it.
fn thrown(message: String, is_syntax: bool) -> EvaluateError {
    if is_syntax { EvaluateError::Syntax(message) } else { EvaluateError::Threw(message) }
}

async fn run(
    tab: &Tab,
    script: &str,
    arguments: &Value,
    budget: Budget,
) -> Result<Option<String>, CallError> {
    let deadline = budget.left();
    // The remote end stops the script first: the session can then accept the next command.
    tab.session().run(script, arguments, deadline.saturating_sub(FIRST), deadline).await
}

fn read(answer: Result<Option<String>, CallError>) -> Result<Option<Settled>, EvaluateError> {
    let Some(text) = answer.map_err(PageError::from)? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|why| EvaluateError::NotJson(why.to_string()))
}
