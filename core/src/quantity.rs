//! How people write quantities in settings, and how settings are written back. Needs the feature `settings`.
//!
//! | quantity | written | module |
//! |---|---|---|
//! | a span of time | `"20s"`, `"1m 30s"`, `"250ms"` | [`span`] |
//! | an amount of memory | `"512MiB"`, `"1.5GB"` | [`size`] |
//! | a share | `"80%"` or `0.8` | [`share`] |
//!
//! Each module serves `#[serde(with = "...")]`, and has a type of that name for `#[schemars(with = "...")]`. A bare number
//! is refused where it would not show its unit.

pub mod share;
pub mod size;
pub mod span;

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, Unexpected, Visitor};

/// A quantity that is written as a text.
trait Quantity {
    /// The type that it is read as.
    type Value;
    /// A description for messages: `a duration such as "20s"`.
    const EXPECTED: &'static str;
    /// The quantity that `text` means, if any.
    fn from_text(text: &str) -> Option<Self::Value>;
    /// The quantity that a bare number means, if any.
    fn from_number(_number: f64) -> Option<Self::Value> {
        None
    }
}

/// The parts that the modules of all quantities have in the same form.
macro_rules! written {
    ($quantity:ident: $value:ty, $schema:tt) => {
        /// The quantity that `text` means, if any.
        #[must_use]
        pub fn parse(text: &str) -> Option<$value> {
            $quantity::from_text(text)
        }

        /// Reads the quantity.
        ///
        /// # Errors
        /// When the value is no such quantity.
        pub fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<$value, D::Error> {
            crate::quantity::read::<$quantity, D>(deserializer)
        }

        impl schemars::JsonSchema for $quantity {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($quantity).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}
use written;

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

    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};
    use serde_json::{Value, json};

    use super::*;
    use crate::units::{Bytes, Ratio};

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
        serde_json::from_value(sample).map_err(|error| error.to_string())
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
    fn a_value_that_is_no_quantity_is_refused_with_an_example_of_a_quantity() {
        for (key, value) in [
            ("span", json!("soon")),
            ("span", json!("-5s")),
            ("span", json!(20)),
            ("span", json!("99999999999999999999s")),
            ("size", json!("512")),
            ("size", json!(512)),
            ("size", json!("512 parsecs")),
            ("size", json!("-1MiB")),
            ("size", json!("NaNMiB")),
            ("share", json!("80")),
            ("share", json!("NaN%")),
            ("share", json!("inf%")),
            ("share", json!("-1%")),
            ("share", json!(-0.5)),
            ("share", json!(null)),
            ("share", json!([])),
        ] {
            let error = read(key, value).expect_err("no quantity");
            assert!(error.contains(" such as "), "{error}");
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
            prop_assert_eq!(serde_json::from_value::<Sample>(written).ok(), Some(sample));
        }
    }
}
