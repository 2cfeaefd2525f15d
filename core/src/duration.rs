//! Durations as people write them: `"20s"`, `"1m 30s"`, `"250ms"`.

use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error};

/// For `#[serde(deserialize_with = "duration::deserialize")]`.
///
/// # Errors
/// When the text is no duration; the message shows how one is written.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(|why| {
        D::Error::custom(format!(
            "`{text}` is no duration ({why}); write it as \"20s\", \"1m 30s\" or \"250ms\""
        ))
    })
}

/// For optional fields: `#[serde(default, deserialize_with = "duration::optional")]`.
///
/// # Errors
/// As [`deserialize`].
pub fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    deserialize(deserializer).map(Some)
}
