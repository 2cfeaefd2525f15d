//! [`Problem`]: values that are each good and cannot be together, or a value that nothing but its meaning forbids.

use std::time::Duration;

/// What is wrong between values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The keys it is about, the likeliest culprit first.
    pub keys: Vec<String>,
    /// What is wrong with the first, in view of the others; and what would be right.
    pub message: String,
}

impl Problem {
    pub(super) fn of(keys: impl IntoIterator<Item = impl Into<String>>, message: impl Into<String>) -> Self {
        Self { keys: keys.into_iter().map(Into::into).collect(), message: message.into() }
    }
}

/// A bound of growing waits must not be below the first of them.
pub(super) fn no_shorter(cap_key: &str, cap: Duration, base_key: &str, base: Duration) -> Option<Problem> {
    (cap < base).then(|| {
        let [cap, base] = [cap, base].map(humantime::format_duration);
        Problem::of(
            [cap_key, base_key],
            format!("the longest wait, {cap}, is shorter than the first, {base}"),
        )
    })
}
