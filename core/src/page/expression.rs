//! An expression of a job, evaluated in its page.
//!
//! ```text
//!   text ──► compiled as an expression ──► called, awaited ──► measured ──► JSON text, or why there is none
//!        └── does not compile: evaluated as a script ─┘
//! ```
//!
//! The value and whatever the expression throws stay in the page until they are measured (`expression.js`): a text of
//! 200 MB, an exception of that length, or a getter that throws it is reported by its length.

use serde::Deserialize;
use serde_json::Value;

use super::bounds::{BOUNDS, WRITTEN, read};
use super::error::EvaluateError;

/// What is wanted of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Its value.
    Value,
    /// Whether it is true in the sense of JavaScript's `if`.
    Truth,
}

/// An expression of a job. A value that is a function is called, and a promise is awaited.
#[derive(Debug, Clone, Copy)]
pub struct Expression<'a> {
    text: &'a str,
    wanted: Wanted,
}

/// The result of an expression, as the page reports it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settled {
    /// The value as JSON text.
    Text(String),
    /// The value is not JSON; the reason.
    Not(String),
    /// Whether it is true.
    Truth(bool),
    /// The exception, and whether it is a syntax error.
    Threw(String, bool),
}

impl<'a> Expression<'a> {
    /// An expression of a job.
    #[must_use]
    pub const fn new(text: &'a str, wanted: Wanted) -> Self {
        Self { text, wanted }
    }

    /// The body of a function that returns a promise of [`Settled`]. It does not compile if the text is no expression. A
    /// text in braces is an object if it can be one, and a block if not.
    #[must_use]
    pub fn as_expression(self) -> String {
        let text = self.text;
        self.body(&format!("const origin = new Error(), run = () => (\n{text}\n);"), "run, origin")
    }

    /// Like [`as_expression`](Self::as_expression), for any text: the value is that of its last statement.
    #[must_use]
    pub fn as_script(self) -> String {
        // A text can always be serialized.
        let text = serde_json::to_string(self.text).unwrap_or_default();
        self.body("", &format!("() => (0, eval)({text}), null"))
    }

    fn body(self, first: &str, arguments: &str) -> String {
        let settle = include_str!("expression.js");
        let wanted = match self.wanted {
            Wanted::Value => "value",
            Wanted::Truth => "truth",
        };
        // The expression does not see the declarations of ours.
        format!(
            "{first}\nreturn (() => {{\n{BOUNDS}{WRITTEN}return (\n{settle}\n)}})()({arguments}, \"{wanted}\");"
        )
    }
}

impl Settled {
    /// The value.
    ///
    /// # Errors
    /// When the expression threw, or its value is not JSON.
    pub fn value(self) -> Result<Value, EvaluateError> {
        match self {
            Self::Text(text) => read(&text).map_err(|why| EvaluateError::NotJson(why.to_string())),
            Self::Truth(truth) => Ok(truth.into()),
            Self::Not(why) => Err(EvaluateError::NotJson(why)),
            Self::Threw(what, is_syntax) => Err(threw(what, is_syntax)),
        }
    }

    /// Whether the value is true.
    ///
    /// # Errors
    /// When the expression threw.
    pub fn truth(self) -> Result<bool, EvaluateError> {
        match self {
            Self::Truth(truth) => Ok(truth),
            Self::Threw(what, is_syntax) => Err(threw(what, is_syntax)),
            // A page that replaced our functions.
            Self::Text(why) | Self::Not(why) => Err(EvaluateError::NotJson(why)),
        }
    }
}

fn threw(what: String, is_syntax: bool) -> EvaluateError {
    if is_syntax { EvaluateError::Syntax(what) } else { EvaluateError::Threw(what) }
}
