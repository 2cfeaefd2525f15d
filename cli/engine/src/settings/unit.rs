//! How people write quantities in settings, and how settings are written back.
//!
//! | quantity | written | module |
//! |---|---|---|
//! | a span of time | `"20s"`, `"1m 30s"`, `"250ms"` | [`span`] |
//! | an amount of memory | `"512MiB"`, `"1.5GB"` | [`size`] |
//! | a share | `"80%"` or `0.8` | [`share`] |
//!
//! Each module serves `#[serde(with = "...")]`, and has a type of that name for `#[schemars(with = "...")]`. A bare number
//! is refused where it would not say what it counts.

pub(super) mod share;
pub(super) mod size;
pub(super) mod span;

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, Unexpected, Visitor};

/// A quantity that is written as a text.
trait Quantity {
    /// What it is read as.
    type Value;
    /// What is expected, for messages: `a duration such as "20s"`.
    const EXPECTED: &'static str;
    /// The quantity that `text` means, if any.
    fn from_text(text: &str) -> Option<Self::Value>;
    /// The quantity that a bare number means, if any.
    fn from_number(_number: f64) -> Option<Self::Value> {
        None
    }
}

fn read<'de, Q: Quantity, D: Deserializer<'de>>(deserializer: D) -> Result<Q::Value, D::Error> {
    deserializer.deserialize_any(Written::<Q>(PhantomData))
}

struct Written<Q>(PhantomData<Q>);

impl<Q: Quantity> Visitor<'_> for Written<Q> {
    type Value = Q::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Q::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Q::Value, E> {
        Q::from_text(text.trim()).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Q::Value, E> {
        Q::from_number(number as f64).ok_or_else(|| E::invalid_type(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Q::Value, E> {
        Q::from_number(number as f64).ok_or_else(|| E::invalid_type(Unexpected::Signed(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Q::Value, E> {
        Q::from_number(number).ok_or_else(|| E::invalid_type(Unexpected::Float(number), &self))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use plimsoll_core::units::{Bytes, Ratio};
    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};
    use serde_json::{Value, json};

    use super::*;
    use crate::decode;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Sample {
        #[serde(with = "span")]
        span: Duration,
        #[serde(with = "span::optional")]
        never: Option<Duration>,
        #[serde(with = "size")]
        size: Bytes,
        #[serde(with = "share")]
        share: Ratio,
    }

    fn read(key: &str, value: Value) -> Result<Sample, String> {
        let mut sample = json!({"span": "1s", "never": null, "size": "1MiB", "share": "80%"});
        sample[key] = value;
        decode::from_value(&sample).map_err(|error| error.to_string())
    }

    #[test]
    fn quantities_are_read_as_people_write_them() {
        let sample = |key, value| read(key, value).expect("a quantity");
        assert_eq!(sample("span", json!("1m 30s")).span, Duration::from_secs(90));
        assert_eq!(sample("never", json!("5ms")).never, Some(Duration::from_millis(5)));
        assert_eq!(sample("size", json!("512MiB")).size, Bytes::mib(512));
        assert_eq!(sample("size", json!(" 1.5 GB ")).size, Bytes(1_500_000_000));
        for share in [json!("80%"), json!(" 80 % "), json!(0.8)] {
            assert_eq!(sample("share", share).share, Ratio::percent(80));
        }
        assert_eq!(sample("share", json!(1)).share, Ratio::ONE);
    }

    #[test]
    fn what_is_no_quantity_is_told_with_what_is_one() {
        for (key, value, found) in [
            ("span", json!("soon"), "the text \"soon\""),
            ("span", json!("-5s"), "the text \"-5s\""),
            ("span", json!(20), "the number 20"),
            ("span", json!("99999999999999999999s"), "the text \"99999999999999999999s\""),
            ("size", json!("512"), "the text \"512\""),
            ("size", json!(512), "the number 512"),
            ("size", json!("512 parsecs"), "the text \"512 parsecs\""),
            ("size", json!("-1MiB"), "the text \"-1MiB\""),
            ("size", json!("NaNMiB"), "the text \"NaNMiB\""),
            ("share", json!("80"), "the text \"80\""),
            ("share", json!("NaN%"), "the text \"NaN%\""),
            ("share", json!("inf%"), "the text \"inf%\""),
            ("share", json!("-1%"), "the text \"-1%\""),
            ("share", json!(-0.5), "the number -0.5"),
            ("share", json!(null), "null"),
            ("share", json!([]), "a list"),
        ] {
            let error = read(key, value).expect_err("no quantity");
            assert!(error.contains(&format!("{key} must be a")) && error.contains(" such as "), "{error}");
            assert!(error.ends_with(&format!("not {found}")), "{error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(millis in 0u64..1_000_000_000_000, bytes: u64, share in 0.0..1e6) {
            let sample = Sample {
                span: Duration::from_millis(millis),
                never: Some(Duration::from_nanos(millis)),
                size: Bytes(bytes),
                share: Ratio::new(share),
            };
            let written = serde_json::to_value(&sample).expect("plain data");
            prop_assert_eq!(decode::from_value::<Sample>(&written), Ok(sample));
        }
    }
}
