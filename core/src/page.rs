//! What drivers do inside a page, whatever protocol carries it there: the steps' meaning, as functions of JavaScript.
//!
//! ```text
//!   act, condition, extract, ... ──► script ──► (a driver evaluates it) ──► Verdict ──► Patience: again, or the end
//! ```
//!
//! Everything here is text and decisions; running a script and waiting is the drivers' part. Since they share it, a
//! job finds the same elements, waits for the same things and reads the same values with each of them.

mod act;
mod condition;
mod extract;
pub mod keys;
pub mod neterror;
mod patience;

use serde::{Deserialize, Serialize};
use serde_json::json;

pub use act::Act;
pub use condition::Condition;
pub use extract::extract;
pub use patience::{Look, Next, Patience, Unmet};

use crate::step::ScrollTarget;

/// What a script of ours reports.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict<T> {
    /// It is so.
    Ready(T),
    /// It is not so yet; what is missing.
    Waiting(String),
    /// It can never be; why.
    Refused(String),
}

/// An expression whose value is a promise of a [`Verdict`]: a function and its argument.
fn script(function: &str, argument: &impl Serialize) -> String {
    script_with("", function, argument)
}

/// The same, with declarations that the function rests on.
fn script_with(declarations: &str, function: &str, argument: &impl Serialize) -> String {
    // Of JSON's own types, which can always be written.
    let argument = serde_json::to_string(argument).unwrap_or_default();
    let dom = include_str!("page/dom.js");
    format!(
        "(async () => {{\n{dom}{declarations}\ntry {{\nreturn await ({function})({argument});\n}} catch (error) {{\n\
         if (error instanceof DOMException && error.name === \"SyntaxError\") return {{ refused: error.message }};\n\
         throw error;\n}}\n}})()"
    )
}

/// The page's HTML, its doctype included.
#[must_use]
pub fn content() -> String {
    script(include_str!("page/content.js"), &())
}

/// Scrolls the page.
///
/// # Errors
/// The selector of an element that is to be scrolled to: that is [`Act::INTO_VIEW`].
pub fn scroll(to: &ScrollTarget) -> Result<String, &str> {
    let to = match to {
        ScrollTarget::Selector(selector) => return Err(selector),
        ScrollTarget::Top => json!({ "to": "top" }),
        ScrollTarget::Bottom => json!({ "to": "bottom" }),
        ScrollTarget::By(right, down) => json!({ "to": "by", "right": right, "down": down }),
    };
    Ok(script(include_str!("page/scroll.js"), &to))
}
