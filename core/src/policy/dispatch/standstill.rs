//! [`Standstill`]: how long jobs wait for a breaker of the whole fleet while nothing succeeds.
//!
//! Jobs are given up when a probe has failed that was sent when patience was over, and for as long as the breaker rests
//! after it. The last fuse rests for 30, 60, 120 and 240 s, so the fourth probe decides. Waiting on would hold a batch for
//! days on a machine on which nothing works: one attempt for every rest of five minutes.

use std::time::Duration;

use crate::time::Moment;

/// The least time for which jobs wait: as long as the longest rest, so that no single probe decides.
const PATIENCE: Duration = Duration::from_secs(300);

/// A breaker refuses, and nothing has succeeded since.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standstill {
    since: Moment,
    /// When the rest that it is in began, and when that will be over.
    rest: (Moment, Moment),
}

/// Whether it is worth waiting for the next probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hope {
    Left,
    Gone,
}

impl Standstill {
    pub(super) const fn begins(now: Moment) -> Self {
        Self { since: now, rest: (now, Moment::ZERO) }
    }

    /// The breaker is at rest until then; another end than the last is another rest.
    pub(super) fn rests(&mut self, now: Moment, until: Moment) -> Hope {
        if self.rest.1 != until {
            self.rest = (now, until);
        }
        if self.rest.0 < self.since + PATIENCE { Hope::Left } else { Hope::Gone }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(seconds: u64) -> Moment {
        Moment::after(Duration::from_secs(seconds))
    }

    #[test]
    fn hope_ends_with_the_first_probe_that_fails_late() {
        let mut standstill = Standstill::begins(secs(0));
        for (now, until, hope) in [
            (0, 30, Hope::Left),
            (90, 210, Hope::Left),
            (210, 450, Hope::Left),
            (449, 450, Hope::Left),
            (451, 751, Hope::Gone),
            (750, 751, Hope::Gone),
        ] {
            assert_eq!(standstill.rests(secs(now), secs(until)), hope, "at {now} s");
        }
    }
}
