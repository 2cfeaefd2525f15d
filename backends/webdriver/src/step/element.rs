//! References to elements, and giving files to a file input by its reference.

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::page::{Act, LOOK};
use plimsoll_core::perform::{act, unreadable};
use plimsoll_core::runtime::budget::Budget;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::call::Code;
use crate::tab::Tab;

/// A reference to an element.
#[derive(Debug, Deserialize)]
struct Element {
    /// The key is defined by the standard.
    #[serde(rename = "element-6066-11e4-a52e-4f735466cecf")]
    id: String,
}

/// The remote end's reference to the first match.
pub(super) async fn find(tab: &Tab, selector: &str, budget: Budget) -> Result<String, Fault> {
    let script = format!("return {};", Act::ELEMENT.script(selector, &Value::Null));
    let element: Option<Element> = tab.session().run(&script, &json!([]), LOOK, budget.left()).await?;
    element.map(|element| element.id).ok_or_else(|| {
        Fault::transient(FailureClass::Script, format!("`{selector}` went away in the middle of the step"))
    })
}

/// Replaces the files of a file input.
pub(super) async fn set_files(
    tab: &Tab,
    selector: &str,
    files: &[&str],
    budget: Budget,
) -> Result<(), Fault> {
    // WebDriver adds to the files of an input, so the input is emptied first.
    act::<()>(tab, selector, Act::FILE_INPUT, &json!(0), budget).await?;
    let id = find(tab, selector, budget).await?;
    let keys = json!({ "text": files.join("\n") });
    let given = tab.session().post::<Value>(&format!("element/{id}/value"), &keys, budget.left()).await;
    given.map(drop).map_err(|error| match error.code() {
        // The remote end checks that the files exist, and may lack the permission.
        Some(Code::InvalidArgument) => unreadable(files.first().copied().unwrap_or_default()),
        _ => error.into(),
    })
}
