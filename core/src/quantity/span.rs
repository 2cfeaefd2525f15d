//! Spans of time, as in `"1m 30s"`.

use std::time::Duration;

use super::{Quantity, written};
pub use crate::duration::serialize;

/// A span of time, for `#[schemars(with = "...")]`.
pub struct Span;

impl Quantity for Span {
    type Value = Duration;
    const EXPECTED: &'static str = "a duration such as \"20s\", \"1m 30s\" or \"250ms\"";

    fn from_text(text: &str) -> Option<Duration> {
        humantime::parse_duration(text).ok()
    }
}

// The most is a year: no wait of this program is meant to be longer, and every clock can add it up.
written!(Span: Duration, {
    "type": "string",
    "pattern": r"^\s*\d+\s*[a-zA-Z]+(\s*\d+\s*[a-zA-Z]+)*\s*$",
    "x-unit": "duration",
    "x-least": "0s",
    "x-most": "365days"
});

/// Spans that may be missing.
pub mod optional {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer};

    pub use crate::duration::optional::serialize;

    /// Reads a span, or nothing.
    ///
    /// # Errors
    /// When the value is neither a span nor null.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        #[derive(Deserialize)]
        struct Present(#[serde(deserialize_with = "super::deserialize")] Duration);
        Ok(Option::<Present>::deserialize(deserializer)?.map(|present| present.0))
    }
}
