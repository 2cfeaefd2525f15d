//! Spans of time, as in `"1m 30s"`.

use std::borrow::Cow;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserializer, Serializer};

use super::{Quantity, read};

/// A span of time, for `#[schemars(with = "...")]`.
pub struct Span;

impl Quantity for Span {
    type Value = Duration;
    const EXPECTED: &'static str = "a duration such as \"20s\", \"1m 30s\" or \"250ms\"";

    fn from_text(text: &str) -> Option<Duration> {
        humantime::parse_duration(text).ok()
    }
}

/// The span that `text` means, if any.
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    Span::from_text(text)
}

/// Writes a span.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_duration(*span))
}

/// Reads a span.
///
/// # Errors
/// When the value is no span.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    read::<Span, D>(deserializer)
}

impl JsonSchema for Span {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // A year: no wait of this program is meant to be longer, and every clock can add it up.
        json_schema!({
            "type": "string",
            "pattern": r"^\s*\d+\s*[a-zA-Z]+(\s*\d+\s*[a-zA-Z]+)*\s*$",
            "x-unit": "duration",
            "x-least": "0s",
            "x-most": "365days"
        })
    }
}

/// Spans that may be missing.
pub mod optional {
    use serde::Deserialize;

    use super::{Deserializer, Duration, Serializer, deserialize as present};

    /// Writes a span, or nothing.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(span: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match span {
            Some(span) => super::serialize(span, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads a span, or nothing.
    ///
    /// # Errors
    /// When the value is neither a span nor null.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        #[derive(Deserialize)]
        struct Present(#[serde(deserialize_with = "present")] Duration);
        Ok(Option::<Present>::deserialize(deserializer)?.map(|present| present.0))
    }
}
