//! A short form for values: `"click": "#send"` for `"click": {"selector": "#send"}`.
//!
//! Unlike serde's `untagged`, the long form keeps its exact errors (unknown key, missing key).

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

/// A type with a short form: a single text.
pub trait Shorthand: Sized {
    /// Both forms, for error messages.
    const EXPECTING: &'static str;

    /// The value for the short form `text`.
    ///
    /// # Errors
    /// A sentence for the author of the text.
    fn from_short(text: &str) -> Result<Self, String>;
}

/// For `#[serde(deserialize_with = "shorthand::deserialize")]`.
///
/// # Errors
/// Those of the long form, or of [`Shorthand::from_short`].
pub fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Shorthand + Deserialize<'de>,
    D: Deserializer<'de>,
{
    struct Either<T>(PhantomData<T>);

    impl<'de, T: Shorthand + Deserialize<'de>> Visitor<'de> for Either<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(T::EXPECTING)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            T::from_short(text).map_err(E::custom)
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_any(Either(PhantomData))
}

/// For optional fields: `#[serde(default, deserialize_with = "shorthand::optional")]`.
///
/// # Errors
/// As [`deserialize`].
pub fn optional<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Shorthand + Deserialize<'de>,
    D: Deserializer<'de>,
{
    deserialize(deserializer).map(Some)
}
