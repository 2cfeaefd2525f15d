//! The form of all our scripts: one expression whose value is a promise of a [`Verdict`].

use serde::{Deserialize, Serialize};

use super::bounds::BOUNDS;

/// The result of one of our scripts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict<T> {
    /// The condition holds; this is the value.
    Ready(T),
    /// The condition does not hold yet; the text names what is missing.
    Waiting(String),
    /// The condition can never hold; the text is the reason.
    Refused(String),
}

/// An expression that calls `function` with `argument` and reports its verdict.
pub(super) fn script(function: &str, argument: &impl Serialize) -> String {
    script_with("", function, argument)
}

/// Like [`script`], with additional declarations that `function` uses.
pub(super) fn script_with(declarations: &str, function: &str, argument: &impl Serialize) -> String {
    // The arguments consist of JSON types, which can always be serialized.
    let argument = serde_json::to_string(argument).unwrap_or_default();
    let dom = concat!(include_str!("dom.js"), include_str!("find.js"));
    format!(
        "(async () => {{\n{BOUNDS}{dom}{declarations}\ntry {{\nreturn bounded(await ({function})({argument}));\n}} \
         catch (error) {{\nreturn {{ refused: thrown(error) }};\n}}\n}})()"
    )
}
