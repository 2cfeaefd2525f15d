//! The request and the reply of the protocol's command that runs JavaScript.

use chromiumoxide_types::{Command, Method, MethodId};
use plimsoll_core::page::{EvaluateError, Settled, read};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// `Runtime.evaluate`, with a result that is parsed directly into its final type.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Evaluate<'a> {
    expression: &'a str,
    await_promise: bool,
    return_by_value: bool,
    user_gesture: bool,
    /// The world, unless it is the page's.
    #[serde(skip_serializing_if = "Option::is_none")]
    context_id: Option<i64>,
}

impl<'a> Evaluate<'a> {
    pub(super) const fn by_value(expression: &'a str) -> Self {
        Self { expression, await_promise: true, return_by_value: true, user_gesture: true, context_id: None }
    }

    pub(super) const fn by_reference(expression: &'a str) -> Self {
        Self { return_by_value: false, ..Self::by_value(expression) }
    }

    pub(super) const fn in_world(self, world: i64) -> Self {
        Self { context_id: Some(world), ..self }
    }
}

impl Method for Evaluate<'_> {
    fn identifier(&self) -> MethodId {
        "Runtime.evaluate".into()
    }
}

impl Command for Evaluate<'_> {
    type Response = Returned;
}

/// The reply.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Returned {
    result: Remote,
    exception_details: Option<Details>,
}

/// A value in the page.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Remote {
    class_name: Option<String>,
    value: Option<Box<RawValue>>,
    description: Option<String>,
    /// Refers to the value in the page, if it is an object, a function or a symbol.
    pub(super) object_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    text: String,
    line_number: u64,
    exception: Option<Remote>,
}

impl Returned {
    pub(super) fn unpack(self) -> Result<Remote, EvaluateError> {
        match self.exception_details {
            Some(details) => Err(details.into()),
            None => Ok(self.result),
        }
    }

    pub(super) fn value<T: DeserializeOwned>(self) -> Result<T, EvaluateError> {
        let value = self.unpack()?.value;
        let text = value.as_deref().map_or("null", RawValue::get);
        read(text).map_err(|why| EvaluateError::NotJson(why.to_string()))
    }

    /// What a job's expression came to. Its text is bounded when it is read; here it is escaped, and so longer.
    pub(super) fn settled(self) -> Result<Settled, EvaluateError> {
        let value = self.unpack()?.value;
        let text = value.as_deref().map_or("null", RawValue::get);
        serde_json::from_str(text).map_err(|why| EvaluateError::NotJson(why.to_string()))
    }
}

impl From<Details> for EvaluateError {
    fn from(details: Details) -> Self {
        let Details { text, line_number, exception } = details;
        let syntax =
            exception.as_ref().is_some_and(|thrown| thrown.class_name.as_deref() == Some("SyntaxError"));
        let thrown = exception.and_then(|thrown| {
            let value = thrown.value.map(|value| value.get().to_owned());
            thrown.description.or(value)
        });
        // The stack is left out.
        let message =
            thrown.map_or(text, |text| text.split("\n    at ").next().unwrap_or_default().to_owned());
        let message = format!("{message} (line {})", line_number + 1);
        if syntax { Self::Syntax(message) } else { Self::Threw(message) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_keeps_its_message_and_line_without_its_stack() {
        let thrown =
            |json: &str| EvaluateError::from(serde_json::from_str::<Details>(json).expect("details"));
        let error = thrown(
            r#"{"text":"Uncaught","lineNumber":2,"exception":{"type":"object","className":"TypeError",
                "description":"TypeError: a\nb\n    at f:1:1"}}"#,
        );
        assert_eq!(error.to_string(), "TypeError: a\nb (line 3)");
        let text = thrown(r#"{"text":"Uncaught","lineNumber":0,"exception":{"type":"string","value":"no"}}"#);
        assert_eq!(text.to_string(), "\"no\" (line 1)");
        assert_eq!(thrown(r#"{"text":"Uncaught","lineNumber":0}"#).to_string(), "Uncaught (line 1)");
    }
}
