//! JavaScript in a page: the scripts of steps, and expressions that a job brings.
//!
//! ```text
//!   expression ──► Runtime.evaluate ──► primitive ───────────────────────► JSON value
//!                                  └──► object or function ──► json.js ──► JSON value, or why it is none
//! ```
//!
//! A value that is a function is called, so that `() => document.title` works too. An exception keeps its message and
//! line. A promise is awaited. The browser may lose the reply when the document is replaced meanwhile, so the page is
//! asked every second whether it still shows the same document.

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

/// How often an evaluation that takes long is checked for having lost its document.
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

/// The value of an expression of ours, whose value is JSON and comes soon.
pub(crate) async fn ours<T: DeserializeOwned>(
    page: &Page,
    expression: &str,
    deadline: Duration,
) -> Result<T, EvaluateError> {
    page.call(Evaluate::by_value(expression), deadline).await?.value()
}

/// A reference to the object that an expression of ours gives; `None` when it gives none.
pub(crate) async fn object(
    page: &Page,
    expression: &str,
    deadline: Duration,
) -> Result<Option<String>, EvaluateError> {
    Ok(page.call(Evaluate::by_reference(expression), deadline).await?.unpack()?.object_id)
}

/// Evaluates and awaits a job's expression, and notices when its document is replaced meanwhile.
async fn settle(page: &Page, expression: &str, budget: Budget) -> Result<Remote, EvaluateError> {
    let session = page.session();
    let document = session.start(Evaluate::by_value(DOCUMENT), WATCH).await.map_err(PageError::from)?;
    let pending =
        session.start(Evaluate::by_reference(expression), budget.left()).await.map_err(PageError::from)?;
    // Unknown while a page is too busy to say; its next answer will do.
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

/// Lets go of an object in the page. Nothing waits for it: the object dies with its document at the latest.
async fn release(page: &Page, object: String, budget: Budget) {
    drop(page.session().start(ReleaseObjectParams::new(object), budget.left()).await);
}

/// What `json.js` makes of an object.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Written {
    /// JSON text.
    Text(String),
    /// Nothing; why.
    Not(String),
}
