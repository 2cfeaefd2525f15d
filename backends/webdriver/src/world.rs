//! Our own world in a Chromium page, through the DevTools commands that chromedriver forwards. What a page replaces does not
//! concern a script that runs there, and it also runs in a page that may run no scripts.
//!
//! Nothing tells that the page has another document, so the world is asked for before each script: the browser answers
//! the same world again as long as the document is the same.

use std::time::Duration;

use plimsoll_core::runtime::budget::Budget;
use serde::Deserialize;
use serde_json::json;

use crate::call::{CallError, Code};
use crate::tab::Tab;

/// The function that writes a value as text in the page.
pub(crate) const TEXT: &str = include_str!("text.js");
/// The name of the world, as the developer tools show it.
const NAME: &str = "plimsoll";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    execution_context_id: i64,
}

#[derive(Debug, Deserialize)]
struct Evaluated {
    result: Remote,
}

#[derive(Debug, Deserialize)]
struct Remote {
    value: Option<String>,
}

/// The value of one of our own expressions as JSON text. `None` when the document went away.
pub(crate) async fn text(
    tab: &Tab,
    expression: &str,
    deadline: Duration,
) -> Result<Option<String>, CallError> {
    match evaluated(tab, expression, Budget::start(deadline)).await {
        // chromedriver has no code of its own for a refusal of the protocol: the world is gone.
        Err(CallError::Refused {
            code: Code::Other | Code::InvalidArgument | Code::JavascriptError, ..
        }) => Ok(None),
        text => text,
    }
}

async fn evaluated(tab: &Tab, expression: &str, budget: Budget) -> Result<Option<String>, CallError> {
    let create = json!({ "frameId": tab.handle(budget).await?, "worldName": NAME });
    let world: Created = tab.session().devtools("Page.createIsolatedWorld", create, budget.left()).await?;
    let evaluate = json!({
        "expression": format!("(async () => ({TEXT})(await {expression}))()"),
        "contextId": world.execution_context_id,
        "awaitPromise": true,
        "returnByValue": true,
        "userGesture": true,
    });
    let evaluated: Evaluated = tab.session().devtools("Runtime.evaluate", evaluate, budget.left()).await?;
    Ok(evaluated.result.value)
}
