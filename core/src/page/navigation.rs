//! What navigations have in common, whichever protocol carries them: how far a document must have loaded, when a page
//! is idle, and what a navigation that ran out of time was waiting for. Pure.

use std::time::Duration;

use serde::Deserialize;

use crate::outcome::{FailureClass, Fault};
use crate::step::LoadState;

/// A page counts as idle when no resource has arrived for this long.
const IDLE: Duration = Duration::from_millis(500);
/// How often a loaded page is asked whether it is idle.
pub const IDLE_PAUSE: Duration = Duration::from_millis(125);

/// `document.readyState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ready {
    /// It is being parsed.
    Loading,
    /// It is parsed.
    Interactive,
    /// It is loaded.
    Complete,
}

/// What a navigation is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// The server's response.
    Response,
    /// The document to load.
    Load,
    /// The loaded page to become idle.
    Idle,
}

/// Watches a loaded page until nothing new has arrived for a while. `K` is what changes when something arrives.
#[derive(Debug)]
pub struct Idle<K> {
    seen: K,
    /// What was left of the budget when `seen` last changed.
    since: Duration,
}

impl Ready {
    /// What a document must have reached for this load state.
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
    /// The fault of a navigation to `url` whose time, `whole`, is up.
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
    /// Starts to watch a page that looks like `seen`, when this much of the budget is `left`.
    #[must_use]
    pub const fn new(seen: K, left: Duration) -> Self {
        Self { seen, since: left }
    }

    /// Whether the page, which now looks like `now`, is idle, when this much of the budget is `left`.
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
