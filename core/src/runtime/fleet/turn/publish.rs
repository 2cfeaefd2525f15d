//! The state that the loop publishes.

use super::{PUBLISH_EVERY, Turn};
use crate::runtime::snapshot::Snapshot;
use crate::time::Moment;

impl Turn {
    /// Publishes the state unless it was published a moment ago.
    pub(super) fn publish(&self) {
        let now = self.clock.now();
        if now.elapsed() >= self.publish.borrow().at + PUBLISH_EVERY {
            self.publish.send_replace(self.snapshot(now));
        }
    }

    /// The current state.
    pub(super) fn snapshot(&self, now: Moment) -> Snapshot {
        let (load, peaks) = (self.dispatch.load(), self.dispatch.peaks());
        let (placement, admission) = (self.dispatch.placement(), self.dispatch.admission());
        Snapshot {
            at: now.elapsed(),
            jobs: self.dispatch.counts(),
            active: load.active,
            creating: load.creating,
            browsers: placement.ready(),
            launching: placement.launching(),
            browser_restarts: self.restarts,
            active_limit: admission.active_limit(),
            creation_limit: admission.creation_limit(),
            pressure: admission.level(),
            blind: admission.blind().collect(),
            memory: self.memory,
            breaker_trips: admission.trips(),
            waiting_for: self.dispatch.waiting_for(now),
            peak_active: peaks.active,
            peak_creating: peaks.creating,
            panics: self.supervisor.panics(),
        }
    }
}
