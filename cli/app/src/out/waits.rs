//! [`Waits`]: why jobs waited during a run, and for how long.

use std::collections::BTreeMap;
use std::time::Duration;

use plimsoll_core::policy::Wait;
use serde::Serialize;

/// The time during which jobs waited, by reason. There are as many entries as there are kinds of [`Wait`].
#[derive(Debug, Clone, Default)]
pub struct Waits(BTreeMap<&'static str, Waited>);

#[derive(Debug, Clone, Default)]
struct Waited {
    span: Duration,
    last: String,
}

/// A reason why jobs waited, as the report carries it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WaitFigures {
    /// The name of the reason.
    pub reason: &'static str,
    /// For how long the job at the front of the queue waited for this reason, in seconds.
    pub s: f64,
    /// The share of the run's wall time, from 0 to 1.
    pub share: f64,
    /// The reason with its numbers, as it was seen last.
    pub last: String,
}

impl Waits {
    /// Adds `span`, during which the job at the front of the queue waited because of `wait`.
    pub fn add(&mut self, wait: &Wait, span: Duration) {
        let waited = self.0.entry(reason(wait)).or_default();
        waited.span += span;
        waited.last = wait.to_string();
    }

    /// The reasons of a run that took `wall`, the longest wait first.
    #[must_use]
    pub fn figures(self, wall: Duration) -> Vec<WaitFigures> {
        let share =
            |span: Duration| (span.as_secs_f64() / wall.as_secs_f64().max(0.001) * 1000.0).round() / 1000.0;
        let mut waits: Vec<_> = self.0.into_iter().collect();
        waits.sort_by_key(|(_, waited)| std::cmp::Reverse(waited.span));
        let figures = waits.into_iter().map(|(reason, Waited { span, last })| WaitFigures {
            reason,
            s: super::seconds(span),
            share: share(span).min(1.0),
            last,
        });
        figures.collect()
    }
}

const fn reason(wait: &Wait) -> &'static str {
    match wait {
        Wait::Creating { .. } => "creation_limit",
        Wait::Active { .. } => "active_limit",
        Wait::Pressure(..) => "pressure",
        Wait::Memory(_) => "memory",
        Wait::Blind { .. } => "memory_unknown",
        Wait::Breaker(_) => "breaker",
        Wait::Browser { .. } => "no_browser",
        Wait::HeldBack(_) => "held_back",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_listed_with_their_share_and_their_last_numbers() {
        let mut waits = Waits::default();
        for limit in 0..3 {
            waits.add(&Wait::Active { in_flight: limit, limit }, Duration::from_secs(2));
            waits.add(&Wait::Browser { launching: 1 }, Duration::from_secs(1));
        }
        let figures = waits.figures(Duration::from_secs(12));
        let short: Vec<_> = figures.iter().map(|wait| (wait.reason, wait.s, wait.share)).collect();
        assert_eq!(short, [("active_limit", 6.0, 0.5), ("no_browser", 3.0, 0.25)]);
        assert_eq!(figures[0].last, "2 contexts are active; the limit is 2");
        assert_eq!(Waits::default().figures(Duration::ZERO), []);
    }
}
