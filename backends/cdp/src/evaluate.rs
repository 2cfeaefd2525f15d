//! JavaScript in a page: the scripts of steps, and the expressions of jobs.
//!
//! ```text
//!   expression ──► Runtime.evaluate ──► settled and measured in the page ──► JSON value, or why it is none
//! ```
//!
//! The browser may lose the reply when the document is replaced during the evaluation, so the page is asked every second
//! whether it still shows the same document.

mod remote;

use std::pin::pin;
use std::time::Duration;

use plimsoll_core::page::{EvaluateError, Expression, PageError, Settled, Wanted};
use plimsoll_core::runtime::budget::Budget;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::sleep;

use self::remote::Evaluate;
use crate::page::Page;

/// The interval at which a long evaluation is checked for a replaced document.
const WATCH: Duration = Duration::from_secs(1);
/// Differs from document to document, reloads included. A page may have replaced it by something else.
const DOCUMENT: &str = "(() => { try { return +performance.timeOrigin } catch { return null } })()";

/// The value of a job's expression.
pub(crate) async fn json(page: &Page, expression: &str, budget: Budget) -> Result<Value, EvaluateError> {
    settle(page, Expression::new(expression, Wanted::Value), budget).await?.value()
}

/// Whether the value of a job's expression is true in the sense of JavaScript's `if`.
pub(crate) async fn truthy(page: &Page, expression: &str, budget: Budget) -> Result<bool, EvaluateError> {
    settle(page, Expression::new(expression, Wanted::Truth), budget).await?.truth()
}

/// The value of one of the driver's own expressions, in a world of its own. The value is JSON and arrives soon.
pub(crate) async fn ours<T: DeserializeOwned>(
    page: &Page,
    expression: &str,
    deadline: Duration,
) -> Result<T, EvaluateError> {
    let call = page.call_in_world(|world| Evaluate::by_value(expression).in_world(world), deadline);
    call.await?.value()
}

/// A reference to the object, in the same world, that one of the driver's own expressions returns; `None` when it returns no object.
pub(crate) async fn object(
    page: &Page,
    expression: &str,
    deadline: Duration,
) -> Result<Option<String>, EvaluateError> {
    let call = page.call_in_world(|world| Evaluate::by_reference(expression).in_world(world), deadline);
    Ok(call.await?.unpack()?.object_id)
}

/// Evaluates and awaits a job's expression.
async fn settle(page: &Page, expression: Expression<'_>, budget: Budget) -> Result<Settled, EvaluateError> {
    match run(page, &expression.as_expression(), budget).await {
        // Code that runs reports its own errors, so this error means that the text does not compile.
        Err(EvaluateError::Syntax(_)) => {}
        settled => return settled,
    }
    run(page, &expression.as_script(), budget).await
}

/// Runs the body of a function and awaits the promise that it returns. Detects a document that is replaced meanwhile.
async fn run(page: &Page, body: &str, budget: Budget) -> Result<Settled, EvaluateError> {
    let session = page.session();
    let called = format!("(function expression() {{ {body} }})()");
    let document = session.start(Evaluate::by_value(DOCUMENT), WATCH).await.map_err(PageError::from)?;
    let pending = session.start(Evaluate::by_value(&called), budget.left()).await.map_err(PageError::from)?;
    // Unknown while the page is too busy to answer; its next answer is then used.
    let mut before = document.reply().await.ok().and_then(|answer| answer.value::<f64>().ok());
    let mut reply = pin!(pending.reply());
    loop {
        tokio::select! {
            biased;
            reply = &mut reply => return reply.map_err(PageError::from)?.settled(),
            () = sleep(WATCH) => {
                let asked = page.call(Evaluate::by_value(DOCUMENT), WATCH.min(budget.left())).await;
                let now = asked.ok().and_then(|answer| answer.value::<f64>().ok());
                if before.is_some() && now.is_some() && before != now {
                    return Err(PageError::Moved.into());
                }
                before = before.or(now);
            }
        }
    }
}
