//! [`FleetOutage`]: gives waiting jobs up after a breaker of the whole fleet has refused for five minutes without a success.
//!
//! Jobs are given up when a probe has failed that was sent after those five minutes, and for as long as the breaker stays
//! open after it. The leaky counter stays open for 30, 60, 120 and 240 s, so the fourth probe decides. Waiting on would hold a
//! batch for days on a machine on which nothing works, with a single attempt every five minutes.

use std::time::Duration;

use crate::time::Moment;

/// The least time for which jobs wait: as long as the breaker stays open at most, so that no single probe decides.
const LEAST_WAIT: Duration = Duration::from_secs(300);

/// A breaker refuses, and nothing has succeeded since.
#[derive(Debug, Clone, Copy)]
pub(super) struct FleetOutage {
    since: Moment,
    /// When the breaker opened last, and until when it stays open.
    open: (Moment, Moment),
}

impl FleetOutage {
    pub(super) const fn begins(now: Moment) -> Self {
        Self { since: now, open: (now, Moment::ZERO) }
    }

    /// Whether waiting for the next probe is still worth it, when the breaker is open until this moment. Another end than the
    /// last means that it opened again.
    pub(super) fn may_end(&mut self, now: Moment, open_until: Moment) -> bool {
        if self.open.1 != open_until {
            self.open = (now, open_until);
        }
        self.open.0 < self.since + LEAST_WAIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(seconds: u64) -> Moment {
        Moment::after(Duration::from_secs(seconds))
    }

    #[test]
    fn an_outage_is_final_with_the_first_probe_that_fails_late() {
        let mut outage = FleetOutage::begins(secs(0));
        for (now, until, may_end) in [
            (0, 30, true),
            (90, 210, true),
            (210, 450, true),
            (449, 450, true),
            (451, 751, false),
            (750, 751, false),
        ] {
            assert_eq!(outage.may_end(secs(now), secs(until)), may_end, "at {now} s");
        }
    }
}
