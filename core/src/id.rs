//! Identifiers of jobs, browsers and contexts. A number is never reused within a run, so a late message
//! about a closed context cannot be mistaken for a message about its successor.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The identifier that a user gives a job: text, unique within a run, at most [`JobId::MAX_LEN`] bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct JobId(Arc<str>);

impl JobId {
    /// The longest id that is accepted, in bytes.
    pub const MAX_LEN: usize = 256;

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The reason why a text is not a valid job id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobIdError {
    /// The id has no characters.
    #[error("id is empty")]
    Empty,
    /// The id is longer than [`JobId::MAX_LEN`].
    #[error("id is {0} bytes long; at most {max} are allowed", max = JobId::MAX_LEN)]
    TooLong(usize),
    /// The id has a line break or another control character, which would break line-based results.
    #[error("id contains the control character {0:?}")]
    Control(char),
}

impl TryFrom<String> for JobId {
    type Error = JobIdError;

    fn try_from(text: String) -> Result<Self, JobIdError> {
        if text.is_empty() {
            return Err(JobIdError::Empty);
        }
        if text.len() > Self::MAX_LEN {
            return Err(JobIdError::TooLong(text.len()));
        }
        if let Some(control) = text.chars().find(|c| c.is_control()) {
            return Err(JobIdError::Control(control));
        }
        Ok(Self(text.into()))
    }
}

impl<'de> Deserialize<'de> for JobId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

number!(
    /// A job's number in the order of submission, from 0. The fleet identifies jobs by it.
    JobSeq, "job "
);
number!(
    /// What a store calls a job that it has given out. The store chooses it; every later call about the job names it.
    Ticket, "ticket "
);
number!(
    /// One browser process (or one WebDriver endpoint).
    BrowserId, "browser "
);
number!(
    /// One admitted context: the slot that one attempt holds from admission until it is verified gone.
    SlotId, "slot "
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_fits_on_a_line_or_is_refused() {
        assert_eq!(JobId::try_from(String::new()), Err(JobIdError::Empty));
        assert_eq!(JobId::try_from("a\nb".to_owned()), Err(JobIdError::Control('\n')));
        assert_eq!(JobId::try_from("x".repeat(257)), Err(JobIdError::TooLong(257)));
        assert_eq!(JobId::try_from("p-1 é".to_owned()).map(|id| id.to_string()), Ok("p-1 é".to_owned()));
    }
}
