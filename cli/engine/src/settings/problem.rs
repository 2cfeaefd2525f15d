//! [`Problem`]: values that are each good and contradict each other, or a value that is wrong by its meaning alone.

use std::fmt;

/// A contradiction between values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The keys it is about, the likeliest cause first.
    pub keys: Vec<String>,
    /// What is wrong with the first, in view of the others; and what would be right.
    pub message: String,
}

impl Problem {
    pub(super) fn of(keys: impl IntoIterator<Item = impl Into<String>>, message: impl Into<String>) -> Self {
        Self { keys: keys.into_iter().map(Into::into).collect(), message: message.into() }
    }

    /// Whether it is about a key of `keys`, or about a key in a table of `keys`.
    pub(super) fn concerns(&self, keys: &[String]) -> bool {
        let within = |key: &str, table: &String| {
            key.strip_prefix(table.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        self.keys.iter().any(|key| keys.iter().any(|table| within(key, table)))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.keys.join(" and "), self.message)
    }
}
