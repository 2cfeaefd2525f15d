//! Shares of a whole, as in `"80%"` or `0.8`.

use crate::units::Ratio;
use serde::Serializer;

use super::{Quantity, written};

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

written!(Share: Ratio, {
    "type": ["string", "number"],
    "pattern": r"^\s*\d+(\.\d+)?\s*%\s*$",
    "minimum": 0,
    "maximum": 1,
    "x-unit": "share",
    "x-least": "0%",
    "x-most": "100%"
});

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
