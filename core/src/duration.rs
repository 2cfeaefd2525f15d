//! Durations as people write them: `"20s"`, `"1m 30s"`, `"250ms"`.

use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::Serializer;

/// For `#[serde(deserialize_with = "duration::deserialize")]`.
///
/// # Errors
/// When the text is not a duration; the message shows the format.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(|why| {
        D::Error::custom(format!(
            "`{text}` is no duration ({why}); write it as \"20s\", \"1m 30s\" or \"250ms\""
        ))
    })
}

/// For `#[serde(serialize_with = "duration::serialize")]`: exact to the nanosecond.
///
/// # Errors
/// None of its own.
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_duration(*duration))
}

/// A duration for people, rounded to the nearest millisecond: the rest of a budget is never a round number.
#[must_use]
pub fn rounded(duration: Duration) -> Duration {
    Duration::from_millis(u64::try_from((duration.as_micros() + 500) / 1000).unwrap_or(u64::MAX))
}

/// For optional fields: `#[serde(default, skip_serializing_if = "Option::is_none", with = "duration::optional")]`.
pub mod optional {
    use std::time::Duration;

    use serde::de::Deserializer;
    use serde::ser::Serializer;

    /// As [`super::deserialize`], for a field that is present.
    ///
    /// # Errors
    /// As [`super::deserialize`].
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        super::deserialize(deserializer).map(Some)
    }

    /// As [`super::serialize`]. `None` becomes `null`; use `skip_serializing_if` to leave the field out.
    ///
    /// # Errors
    /// None of its own.
    pub fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => super::serialize(duration, serializer),
            None => serializer.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_budget_is_told_as_people_would() {
        for (left, told) in [(999_960, "1s"), (1_200_400, "1.2s"), (300, "0ns"), (999_400, "999ms")] {
            assert_eq!(format!("{:?}", rounded(Duration::from_micros(left))), told);
        }
    }
}
