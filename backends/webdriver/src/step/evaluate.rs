//! JavaScript of a job in a page, and what its value is worth.
//!
//! WebDriver runs the body of a function, and a job brings an expression. So it is tried as one first; what does not
//! compile as one is evaluated as a script, whose value is that of its last statement. A value that is a function is
//! called, a promise is awaited.

use std::time::Duration;

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::runtime::budget::Budget;
use serde::Deserialize;
use serde_json::{Value, json};

use super::probe::TEXT;
use crate::call::{CallError, Code, Trouble};
use crate::tab::Tab;

/// The longest JSON text a script may bring back: more is a page's whole data, and results are kept in memory.
const LONGEST: usize = 16 << 20;
/// How much sooner than our deadline the remote end's own limit on a script is.
const FIRST: Duration = Duration::from_millis(100);
/// What becomes of the value.
const SETTLE: &str = include_str!("evaluate.js");

/// Why an expression gave no value.
#[derive(Debug)]
pub(super) enum EvaluateError {
    /// It threw, or a promise of it was rejected.
    Threw {
        /// What, without its stack.
        message: String,
        /// Whether it is not JavaScript at all, so that trying again is pointless.
        syntax: bool,
    },
    /// Its value is no JSON.
    NotJson(String),
    /// The page could not be asked.
    Page(Trouble),
}

/// What `evaluate.js` makes of a value.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Settled {
    /// JSON text.
    Text(String),
    /// No JSON; why.
    Not(String),
    /// Whether it is true in the sense of JavaScript's `if`.
    Truth(bool),
    /// It threw this.
    Threw(String, bool),
}

/// The value of a job's expression.
pub(super) async fn json(tab: &Tab, expression: &str, budget: Budget) -> Result<Value, EvaluateError> {
    match settle(tab, expression, "value", budget).await? {
        Some(Settled::Text(text)) => {
            serde_json::from_str(&text).map_err(|why| EvaluateError::NotJson(why.to_string()))
        }
        Some(Settled::Not(why)) => Err(EvaluateError::NotJson(why)),
        Some(Settled::Truth(truth)) => Ok(truth.into()),
        Some(Settled::Threw(message, syntax)) => Err(EvaluateError::Threw { message, syntax }),
        // A dialog of its own came between, and took the value with it.
        None => Ok(Value::Null),
    }
}

/// Whether the value of a job's expression is true in the sense of JavaScript's `if`.
pub(super) async fn truthy(tab: &Tab, expression: &str, budget: Budget) -> Result<bool, EvaluateError> {
    match settle(tab, expression, "truth", budget).await? {
        Some(Settled::Truth(truth)) => Ok(truth),
        Some(Settled::Threw(message, syntax)) => Err(EvaluateError::Threw { message, syntax }),
        _ => Err(EvaluateError::Page(Trouble::Moved)),
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
    let arguments = json!([wanted, LONGEST, expression]);
    // To an expression that begins so JavaScript's own rule is that it is a block.
    if !expression.trim_start().starts_with('{') {
        match run(tab, &as_expression, &arguments, budget).await {
            // What runs tells its errors itself, so this one is of what does not compile.
            Err(error) if error.code() == Some(Code::JavascriptError) => {}
            answer => return read(answer),
        }
    }
    read(run(tab, &as_script, &arguments, budget).await)
}

async fn run(
    tab: &Tab,
    script: &str,
    arguments: &Value,
    budget: Budget,
) -> Result<Option<String>, CallError> {
    let deadline = budget.left();
    // The remote end cuts it off first: then the session is free for the next command.
    tab.session().run(script, arguments, deadline.saturating_sub(FIRST), deadline).await
}

fn read(answer: Result<Option<String>, CallError>) -> Result<Option<Settled>, EvaluateError> {
    let Some(text) = answer.map_err(|error| EvaluateError::Page(error.into()))? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|why| EvaluateError::NotJson(why.to_string()))
}

impl From<EvaluateError> for Fault {
    fn from(error: EvaluateError) -> Self {
        match error {
            EvaluateError::Threw { message, .. } => Self::persistent(FailureClass::Script, message),
            EvaluateError::NotJson(what) => Self::persistent(
                FailureClass::Script,
                format!("the value cannot be brought back as JSON: {what}"),
            ),
            EvaluateError::Page(trouble) => trouble.into(),
        }
    }
}
