//! JavaScript in a page: the scripts of steps, and the expressions of jobs.
//!
//! ```text
//!   expression ──► Runtime.evaluate ──► primitive ───────────────────────► JSON value
//!                                  └──► object or function ──► json.js ──► JSON value, or why it is none
//! ```
//!
//! A value that is a function is called, so `() => document.title` works too. An exception keeps its message and line.
//! A promise is awaited. The browser may lose the reply when the document is replaced during the evaluation, so the
//! page is asked every second whether it still shows the same document.

mod remote;
mod surrogates;

use std::pin::pin;
use std::time::Duration;

use chromiumoxide_cdp::cdp::js_protocol::runtime::ReleaseObjectParams;
use plimsoll_core::page::{EvaluateError, PageError};
use plimsoll_core::runtime::budget::Budget;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::sleep;

use self::remote::{CallOn, Evaluate, Remote, Returned};
use crate::page::Page;

/// The interval at which a long evaluation is checked for a replaced document.
const WATCH: Duration = Duration::from_secs(1);
/// Differs from document to document, reloads included.
const DOCUMENT: &str = "performance.timeOrigin";

/// The value of a job's expression.
pub(crate) async fn json(page: &Page, expression: &str, budget: Budget) -> Result<Value, EvaluateError> {
    let value = settle(page, expression, budget).await?;
    let object = match value.object_id {
        Some(object) if value.kind != "symbol" => object,
        _ => return value.primitive(),
    };
    let call = CallOn::new(&object, include_str!("evaluate/json.js"));
    let answer = page.call(call, budget.left()).await;
    release(page, object, budget).await;
    match answer?.value()? {
        Written::Text(text) => surrogates::read(&text).map_err(|why| EvaluateError::NotJson(why.to_string())),
        Written::Not(why) => Err(EvaluateError::NotJson(why)),
    }
}

/// Whether the value of a job's expression is true in the sense of JavaScript's `if`.
pub(crate) async fn truthy(page: &Page, expression: &str, budget: Budget) -> Result<bool, EvaluateError> {
    const CALLED: &str = "async function () { return Boolean(await this()); }";
    let value = settle(page, expression, budget).await?;
    let is_function = value.kind == "function";
    let Some(object) = value.object_id else { return Ok(value.is_truthy()) };
    let answer = if is_function {
        let call = CallOn::new(&object, CALLED);
        page.call(call, budget.left()).await.map_err(EvaluateError::from).and_then(Returned::value)
    } else {
        Ok(true)
    };
    release(page, object, budget).await;
    answer
}

/// The value of one of the driver's own expressions. The value is JSON and arrives soon.
pub(crate) async fn ours<T: DeserializeOwned>(
    page: &Page,
    expression: &str,
    deadline: Duration,
) -> Result<T, EvaluateError> {
    page.call(Evaluate::by_value(expression), deadline).await?.value()
}

/// A reference to the object that one of the driver's own expressions returns; `None` when it returns no object.
pub(crate) async fn object(
    page: &Page,
    expression: &str,
    deadline: Duration,
) -> Result<Option<String>, EvaluateError> {
    Ok(page.call(Evaluate::by_reference(expression), deadline).await?.unpack()?.object_id)
}

/// Evaluates and awaits a job's expression, and detects a document that is replaced meanwhile.
async fn settle(page: &Page, expression: &str, budget: Budget) -> Result<Remote, EvaluateError> {
    let session = page.session();
    let document = session.start(Evaluate::by_value(DOCUMENT), WATCH).await.map_err(PageError::from)?;
    let pending =
        session.start(Evaluate::by_reference(expression), budget.left()).await.map_err(PageError::from)?;
    // Unknown while the page is too busy to answer; its next answer is then used.
    let mut before = document.reply().await.ok().and_then(|answer| answer.value::<f64>().ok());
    let mut reply = pin!(pending.reply());
    loop {
        tokio::select! {
            biased;
            reply = &mut reply => return reply.map_err(PageError::from)?.unpack(),
            () = sleep(WATCH) => {
                let now = ours::<f64>(page, DOCUMENT, WATCH.min(budget.left())).await.ok();
                if before.is_some() && now.is_some() && before != now {
                    return Err(PageError::Moved.into());
                }
                before = before.or(now);
            }
        }
    }
}

/// Releases an object in the page. Nothing waits for it: the object is freed with its document at the latest.
async fn release(page: &Page, object: String, budget: Budget) {
    drop(page.session().start(ReleaseObjectParams::new(object), budget.left()).await);
}

/// The result of `json.js` for an object.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Written {
    /// JSON text.
    Text(String),
    /// The value is not JSON; the reason.
    Not(String),
}
