//! The parts of a navigation that do not depend on the protocol: load states, idle detection and timeout messages.
//! Pure.

use std::time::Duration;

use serde::Deserialize;

use crate::outcome::{FailureClass, Fault};
use crate::step::LoadState;

/// A page is idle when no resource has arrived for this duration.
const IDLE: Duration = Duration::from_millis(500);
/// The interval between two checks whether a loaded page is idle.
pub const IDLE_PAUSE: Duration = Duration::from_millis(125);

/// `document.readyState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ready {
    /// The document is being parsed.
    Loading,
    /// The document is parsed.
    Interactive,
    /// The document is loaded.
    Complete,
}

/// The event that a navigation waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// The server responds.
    Response,
    /// The document loads.
    Load,
    /// The loaded page becomes idle.
    Idle,
}

/// Detects that a loaded page is idle. `K` is a value that changes whenever a resource arrives.
#[derive(Debug)]
pub struct Idle<K> {
    seen: K,
    /// The rest of the budget when `seen` last changed.
    since: Duration,
}

impl Ready {
    /// The `document.readyState` that this load state requires.
    #[must_use]
    pub const fn needed(wanted: LoadState) -> Self {
        match wanted {
            LoadState::Commit => Self::Loading,
            LoadState::Dom => Self::Interactive,
            LoadState::Load | LoadState::Idle => Self::Complete,
        }
    }
}

impl Waiting {
    /// The fault of a navigation to `url` that did not finish within its timeout `whole`.
    #[must_use]
    pub fn late(self, url: &str, whole: Duration) -> Fault {
        let message = match self {
            Self::Response => format!("no response from {url} within {whole:?}"),
            Self::Load => format!("{url} has answered but not loaded within {whole:?}"),
            Self::Idle => format!("{url} has loaded but not come to rest within {whole:?}"),
        };
        Fault::transient(FailureClass::Timeout, message)
    }
}

impl<K: PartialEq> Idle<K> {
    /// Starts idle detection. `seen` is the first observation and `left` the rest of the budget.
    #[must_use]
    pub const fn new(seen: K, left: Duration) -> Self {
        Self { seen, since: left }
    }

    /// Returns whether the page is idle. `now` is the new observation and `left` the rest of the budget.
    pub fn observe(&mut self, now: K, left: Duration) -> bool {
        if now != self.seen {
            *self = Self::new(now, left);
        }
        self.since.saturating_sub(left) >= IDLE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_idle_when_nothing_has_arrived_for_half_a_second() {
        let millis = Duration::from_millis;
        let mut idle = Idle::new(1, millis(10_000));
        assert!(!idle.observe(1, millis(9_600)));
        assert!(!idle.observe(2, millis(9_500)), "something arrived");
        assert!(!idle.observe(2, millis(9_001)));
        assert!(idle.observe(2, millis(9_000)));
    }

    #[test]
    fn a_late_navigation_names_what_it_waited_for() {
        let late = |waiting: Waiting| waiting.late("http://a/", Duration::from_secs(1)).message;
        assert_eq!(late(Waiting::Response), "no response from http://a/ within 1s");
        assert!(late(Waiting::Load).contains("not loaded") && late(Waiting::Idle).contains("rest"));
    }
}
