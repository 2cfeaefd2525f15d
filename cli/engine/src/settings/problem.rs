//! [`Problem`]: values that are each good and contradict each other, or a value that is wrong by its meaning alone.

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
}
