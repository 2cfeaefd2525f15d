//! The form of every script of ours: one expression, whose value is a promise of a [`Verdict`].

use serde::{Deserialize, Serialize};

/// The longest JSON text that a script may bring back, in bytes: results are kept in memory.
pub const LONGEST_VALUE: usize = 16 << 20;

/// What a script of ours reports.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict<T> {
    /// It holds, with this value.
    Ready(T),
    /// It does not hold yet; what is missing.
    Waiting(String),
    /// It can never hold; why.
    Refused(String),
}

/// An expression that calls `function` with `argument` and reports its verdict.
pub(super) fn script(function: &str, argument: &impl Serialize) -> String {
    script_with("", function, argument)
}

/// Like [`script`], with declarations that `function` uses.
pub(super) fn script_with(declarations: &str, function: &str, argument: &impl Serialize) -> String {
    // The arguments are made of JSON's own types, which can always be written.
    let argument = serde_json::to_string(argument).unwrap_or_default();
    let dom = include_str!("dom.js");
    format!(
        "(async () => {{\n{dom}{declarations}\ntry {{\nreturn await ({function})({argument});\n}} catch (error) {{\n\
         if (error instanceof DOMException && error.name === \"SyntaxError\") return {{ refused: error.message }};\n\
         throw error;\n}}\n}})()"
    )
}
