//! [`ChangeLog`]: what changed during a run: limits, pressure, breakers, browsers.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;

/// How many of the first changes are kept: they show how the run found its limit.
const FIRST: usize = 100;
/// How many of the last changes are kept: they show how the run ended.
const LAST: usize = 300;

/// Changes in order, the first 100 and the last 300 of them.
#[derive(Debug, Clone, Default)]
pub struct ChangeLog {
    first: Vec<Change>,
    last: VecDeque<Change>,
    left_out: u64,
}

/// What kind of thing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// The number of contexts that may be active.
    Limit,
    /// The machine's pressure.
    Pressure,
    /// A breaker.
    Breaker,
    /// A browser: started, ended, recycled.
    Browser,
}

/// One change, as the report carries it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The time of the change, in seconds since the run began.
    pub at_s: f64,
    /// What kind of thing changed.
    pub kind: ChangeKind,
    /// What happened, for people.
    pub text: String,
}

impl ChangeLog {
    /// Adds a change that came `at` after the beginning, after all that were added before.
    pub fn push(&mut self, at: Duration, kind: ChangeKind, text: impl Into<String>) {
        let change = Change { at_s: super::seconds(at), kind, text: text.into() };
        if self.first.len() < FIRST {
            self.first.push(change);
            return;
        }
        if self.last.len() == LAST {
            self.last.pop_front();
            self.left_out += 1;
        }
        self.last.push_back(change);
    }

    /// The changes that were kept, in order.
    #[must_use]
    pub fn into_kept(self) -> Vec<Change> {
        self.first.into_iter().chain(self.last).collect()
    }

    /// How many changes between the first and the last ones were not kept.
    #[must_use]
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_and_the_end_are_kept_and_the_rest_is_counted() {
        let mut log = ChangeLog::default();
        for second in 0..1000 {
            log.push(Duration::from_secs(second), ChangeKind::Limit, "up");
        }
        assert_eq!(log.left_out(), 600);
        let kept = log.into_kept();
        assert_eq!(kept.len(), FIRST + LAST);
        assert_eq!(
            (kept[0].at_s, kept[FIRST - 1].at_s, kept[FIRST].at_s, kept[399].at_s),
            (0.0, 99.0, 700.0, 999.0)
        );
    }
}
