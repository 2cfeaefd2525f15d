//! [`Finding`]: one checked item and its state.

use serde::Serialize;

/// The state of a checked item; a later variant is worse.
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

/// One checked item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// The name of the item, in one or two words.
    pub(super) what: &'static str,
    /// The state of the item.
    pub(super) state: State,
    /// What was observed.
    pub(super) detail: String,
    /// The remedy: a command, where there is one.
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
