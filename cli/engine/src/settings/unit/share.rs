//! Shares of a whole.

use std::borrow::Cow;

use plimsoll_core::units::Ratio;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserializer, Serializer};

use super::{Quantity, read};

/// A share, in the schema.
pub(in crate::settings) struct Share;

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
pub(in crate::settings) fn parse(text: &str) -> Option<Ratio> {
    Share::from_text(text)
}

/// Written in hundredths where that loses nothing.
pub(in crate::settings) fn serialize<S: Serializer>(share: &Ratio, serializer: S) -> Result<S::Ok, S::Error> {
    let text = format!("{}%", (share.value() * 1e8).round() / 1e6);
    if parse(&text) == Some(*share) {
        serializer.serialize_str(&text)
    } else {
        serializer.serialize_f64(share.value())
    }
}

pub(in crate::settings) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Ratio, D::Error> {
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

/// Shares, or the word `never`.
pub(in crate::settings) mod or_never {
    use super::{Deserializer, Quantity, Ratio, Share, read};

    struct OrNever;

    impl Quantity for OrNever {
        type Value = Option<Ratio>;
        const EXPECTED: &'static str = "a share such as \"80%\" or 0.8, or \"never\"";

        fn from_text(text: &str) -> Option<Option<Ratio>> {
            if text == "never" { Some(None) } else { Share::from_text(text).map(Some) }
        }

        fn from_number(number: f64) -> Option<Option<Ratio>> {
            Share::from_number(number).map(Some)
        }
    }

    pub(in crate::settings) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Ratio>, D::Error> {
        read::<OrNever, D>(deserializer)
    }
}
