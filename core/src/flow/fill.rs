//! Fills the placeholders of a text with values, as the place of the text needs it.
//!
//! | place | how a value is put in |
//! |---|---|
//! | a URL of a `goto` | at its beginning as it is, elsewhere percent-encoded |
//! | JavaScript | as a literal: a text in quotes |
//! | any other text | as text; lists and records as JSON |
//!
//! A value comes from a page, so it never becomes code, and never a part of a URL that it does not stand in.

use serde_json::{Map, Value};

use super::text::{Piece, Variable, parse};
use crate::outcome::{FailureClass, Fault};

/// The most that values add to one text, in bytes.
const MOST_FILLED: usize = 16 << 20;

/// A fault that a `catch` handles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caught {
    /// Its class.
    pub class: FailureClass,
    /// Its message, without secrets.
    pub message: String,
}

/// The values that placeholders stand for.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    /// The job's data so far.
    pub data: &'a Map<String, Value>,
    /// The fault that is handled.
    pub error: Option<&'a Caught>,
}

/// The place of a text in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The URL of a `goto`.
    Url,
    /// JavaScript.
    Script,
    /// Any other text.
    Text,
    /// A name or a file, which is not filled.
    Fixed,
}

/// Why a step cannot be filled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    /// The name is not in the data: the step that puts it there was not performed.
    #[error("`{0}` has no value yet: no step that was performed has put it into the job's data")]
    Missing(Variable),
    /// The value is null.
    #[error("`{0}` is null, so there is nothing to put in; its element may not have been in the page")]
    Null(Variable),
    /// The filled text is too long.
    #[error("the values make a text longer than {} MiB", MOST_FILLED >> 20)]
    TooLarge,
    /// What is filled is not a valid step any more.
    #[error("the filled step is not valid: {0}")]
    Refused(String),
}

impl From<FillError> for Fault {
    fn from(error: FillError) -> Self {
        Self::persistent(FailureClass::Script, error.to_string())
    }
}

/// `text` with its placeholders replaced.
pub(super) fn filled(text: &str, place: Place, values: Values<'_>) -> Result<String, FillError> {
    let mut filled = String::with_capacity(text.len());
    let mut left = MOST_FILLED;
    for piece in parse(text) {
        match piece {
            Piece::Literal(text) => filled += &text,
            Piece::Value(variable) => {
                let value = shown(&variable, place, values)?;
                let value = match place {
                    Place::Url if !filled.is_empty() => percent_encoded(&value),
                    _ => value,
                };
                left = left.checked_sub(value.len()).ok_or(FillError::TooLarge)?;
                filled += &value;
            }
        }
    }
    Ok(filled)
}

/// The value of a variable as text.
fn shown(variable: &Variable, place: Place, values: Values<'_>) -> Result<String, FillError> {
    let missing = || FillError::Missing(variable.clone());
    let of_error = |part: &str| {
        let error = values.error.ok_or_else(missing)?;
        match part {
            "class" => Ok(Value::from(error.class.name())),
            "message" => Ok(Value::from(error.message.as_str())),
            _ => Err(missing()),
        }
    };
    let error;
    let value = match variable {
        Variable::Data(name) => values.data.get(name).ok_or_else(missing)?,
        Variable::Error(part) => {
            error = of_error(part)?;
            &error
        }
    };
    match value {
        value if place == Place::Script => Ok(value.to_string()),
        Value::Null => Err(FillError::Null(variable.clone())),
        Value::String(text) => Ok(text.clone()),
        other => Ok(other.to_string()),
    }
}

/// `text` with everything encoded that can have a meaning in a URL.
fn percent_encoded(text: &str) -> String {
    // A form has `+` for a blank, which stands for itself in a path.
    let form: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    form.replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_place_gets_a_value_as_it_needs_it() {
        let data = json!({"t": "a \"b\"/ü", "n": 1.5, "l": [1, "x"], "none": null, "u": "http://h/?a=b&c"});
        let data = data.as_object().expect("a map");
        let error = Caught { class: FailureClass::Timeout, message: "late".to_owned() };
        let values = Values { data, error: Some(&error) };
        for (text, place, expected) in [
            ("<{{data.t}}>", Place::Text, "<a \"b\"/ü>"),
            ("{{data.n}} {{ data.l }}", Place::Text, "1.5 [1,\"x\"]"),
            (
                "f({{data.t}}, {{data.none}}, {{data.l}})",
                Place::Script,
                "f(\"a \\\"b\\\"/ü\", null, [1,\"x\"])",
            ),
            ("{{data.u}}&d={{data.u}}", Place::Url, "http://h/?a=b&c&d=http%3A%2F%2Fh%2F%3Fa%3Db%26c"),
            ("http://h/{{data.t}}", Place::Url, "http://h/a%20%22b%22%2F%C3%BC"),
            ("{{error.class}}: {{error.message}}", Place::Text, "timeout: late"),
            ("{{{{data.t}}", Place::Text, "{{data.t}}"),
        ] {
            assert_eq!(filled(text, place, values).as_deref(), Ok(expected), "{text}");
        }
        assert!(matches!(filled("{{data.none}}", Place::Text, values), Err(FillError::Null(_))));
        assert!(matches!(filled("{{data.x}}", Place::Text, values), Err(FillError::Missing(_))));
        let without = Values { error: None, ..values };
        assert!(matches!(filled("{{error.class}}", Place::Text, without), Err(FillError::Missing(_))));
        let long = json!({"t": "x".repeat(9 << 20)});
        let long = Values { data: long.as_object().expect("a map"), error: None };
        assert_eq!(filled("{{data.t}}{{data.t}}", Place::Text, long), Err(FillError::TooLarge));
    }
}
