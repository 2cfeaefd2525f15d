//! [`Finding`]: one thing that was looked at, and how it stands.

use serde::Serialize;

/// How something stands; a later state is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// As it should be.
    Good,
    /// A run works, but not as well as it could.
    Warning,
    /// A run cannot work.
    Missing,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// What was looked at, in a word or two.
    pub(super) what: &'static str,
    /// How it stands.
    pub(super) state: State,
    /// What was seen.
    pub(super) detail: String,
    /// What mends it: a command, wherever there is one.
    pub(super) remedy: Option<String>,
}

impl Finding {
    pub(super) fn good(what: &'static str, detail: impl Into<String>) -> Self {
        Self { what, state: State::Good, detail: detail.into(), remedy: None }
    }

    pub(super) fn warning(what: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what, state: State::Warning, detail: detail.into(), remedy: Some(remedy.into()) }
    }

    pub(super) fn missing(what: &'static str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what, state: State::Missing, detail: detail.into(), remedy: Some(remedy.into()) }
    }
}
