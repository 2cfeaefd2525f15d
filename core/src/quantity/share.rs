//! Shares of a whole, as in `"80%"` or `0.8`.

use std::borrow::Cow;

use crate::units::Ratio;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserializer, Serializer};

use super::{Quantity, read};

/// A share, for `#[schemars(with = "...")]`.
pub struct Share;

impl Quantity for Share {
    type Value = Ratio;
    const EXPECTED: &'static str = "a share such as \"80%\" or 0.8";

    fn from_text(text: &str) -> Option<Ratio> {
        let percent = text.strip_suffix('%')?.trim_end().parse::<f64>().ok()?;
        Self::from_number(percent / 100.0)
    }

    fn from_number(number: f64) -> Option<Ratio> {
        // Ratio itself makes nonsense zero; a setting must not.
        (number.is_finite() && number >= 0.0).then(|| Ratio::new(number))
    }
}

/// The share that `text` means, if any.
#[must_use]
pub fn parse(text: &str) -> Option<Ratio> {
    Share::from_text(text)
}

/// Writes hundredths where that loses nothing.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(share: &Ratio, serializer: S) -> Result<S::Ok, S::Error> {
    let text = format!("{}%", (share.value() * 1e8).round() / 1e6);
    if parse(&text) == Some(*share) {
        serializer.serialize_str(&text)
    } else {
        serializer.serialize_f64(share.value())
    }
}

/// Reads a share.
///
/// # Errors
/// When the value is no share.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Ratio, D::Error> {
    read::<Share, D>(deserializer)
}

impl JsonSchema for Share {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Share".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "number"],
            "pattern": r"^\s*\d+(\.\d+)?\s*%\s*$",
            "minimum": 0,
            "maximum": 1,
            "x-unit": "share",
            "x-least": "0%",
            "x-most": "100%"
        })
    }
}
