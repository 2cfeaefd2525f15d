//! The requests and replies of the protocol's two commands that run JavaScript.

use chromiumoxide_types::{Command, Method, MethodId};
use plimsoll_core::page::{EvaluateError, LONGEST_VALUE};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::surrogates::read;

/// `Runtime.evaluate`, with a result that is parsed directly into its final type.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Evaluate<'a> {
    expression: &'a str,
    await_promise: bool,
    return_by_value: bool,
    user_gesture: bool,
}

impl<'a> Evaluate<'a> {
    pub(super) const fn by_value(expression: &'a str) -> Self {
        Self { expression, await_promise: true, return_by_value: true, user_gesture: true }
    }

    pub(super) const fn by_reference(expression: &'a str) -> Self {
        Self { return_by_value: false, ..Self::by_value(expression) }
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

/// `Runtime.callFunctionOn`: one of the driver's functions with the object as its `this`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CallOn<'a> {
    object_id: &'a str,
    function_declaration: &'a str,
    arguments: [Argument; 1],
    await_promise: bool,
    return_by_value: bool,
    user_gesture: bool,
}

impl<'a> CallOn<'a> {
    /// A call of `function` on an object; its argument is the maximum length of its answer.
    pub(super) const fn new(object: &'a str, function: &'a str) -> Self {
        Self {
            object_id: object,
            function_declaration: function,
            arguments: [Argument { value: LONGEST_VALUE }],
            await_promise: true,
            return_by_value: true,
            user_gesture: true,
        }
    }
}

#[derive(Debug, Serialize)]
struct Argument {
    value: usize,
}

impl Method for CallOn<'_> {
    fn identifier(&self) -> MethodId {
        "Runtime.callFunctionOn".into()
    }
}

impl Command for CallOn<'_> {
    type Response = Returned;
}

/// The reply of both commands.
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
    /// The result of `typeof`, in most cases.
    #[serde(rename = "type")]
    pub(super) kind: String,
    class_name: Option<String>,
    value: Option<Box<RawValue>>,
    unserializable_value: Option<String>,
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
        if text.len() > LONGEST_VALUE {
            return Err(too_long());
        }
        read(text).map_err(|why| EvaluateError::NotJson(why.to_string()))
    }
}

impl Remote {
    /// The value, if it is neither an object nor a function.
    pub(super) fn primitive(self) -> Result<Value, EvaluateError> {
        if let Some(number) = self.unserializable_value {
            return Err(EvaluateError::NotJson(format!("the {} {number}", self.kind)));
        }
        if self.kind == "symbol" {
            return Err(EvaluateError::NotJson("a symbol".to_owned()));
        }
        let Some(value) = self.value else { return Ok(Value::Null) };
        if value.get().len() > LONGEST_VALUE {
            return Err(too_long());
        }
        read(value.get()).map_err(|why| EvaluateError::NotJson(why.to_string()))
    }

    /// Whether a value that is not an object is true.
    pub(super) fn is_truthy(&self) -> bool {
        match (&self.unserializable_value, &self.value) {
            (Some(number), _) => !matches!(number.as_str(), "NaN" | "-0" | "0n"),
            (None, Some(value)) => !matches!(value.get(), "false" | "0" | "\"\""),
            (None, None) => false,
        }
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

fn too_long() -> EvaluateError {
    EvaluateError::NotJson(format!("text of more than {LONGEST_VALUE} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(json: &str) -> Remote {
        serde_json::from_str(json).expect("a remote object")
    }

    #[test]
    fn truth_is_javascript_s() {
        for lie in [
            r#"{"type":"undefined"}"#,
            r#"{"type":"object","subtype":"null","value":null}"#,
            r#"{"type":"boolean","value":false}"#,
            r#"{"type":"number","value":0}"#,
            r#"{"type":"string","value":""}"#,
            r#"{"type":"number","unserializableValue":"NaN"}"#,
            r#"{"type":"number","unserializableValue":"-0"}"#,
            r#"{"type":"bigint","unserializableValue":"0n"}"#,
        ] {
            assert!(!remote(lie).is_truthy(), "{lie}");
        }
        for truth in [
            r#"{"type":"string","value":"0"}"#,
            r#"{"type":"number","value":0.5}"#,
            r#"{"type":"number","unserializableValue":"-Infinity"}"#,
        ] {
            assert!(remote(truth).is_truthy(), "{truth}");
        }
    }

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
