//! How a fleet ends: when everything is answered, nothing may be left over, and nothing may wait for ever.

use std::time::Duration;

use plimsoll_core::policy::{AttemptEnd, Event, LimitPolicy};

use super::super::events::reading;
use super::{BrowserPhase, Model, SlotPhase};

/// How often the fleet may be answered before it must rest: far more than its jobs have attempts.
const PATIENCE: usize = 20_000;

impl Model {
    /// Answers everything, well, and lets time pass on a machine that is well, or that cannot be seen: the fleet must
    /// come to rest.
    pub(crate) fn come_to_rest(&mut self, memory: Option<u8>) {
        let mut rounds = 0;
        while !self.dispatch.is_idle() {
            rounds += 1;
            assert!(rounds < PATIENCE, "no rest at {}: {:?}", self.now, self.dispatch.waiting_for(self.now));
            if self.answer_all() {
                continue;
            }
            // Nothing is under way: only time can bring something about, or news of a machine that is well.
            if self.config.admission.policy == LimitPolicy::Fixed {
                let waits = self.dispatch.waiting_for(self.now);
                assert!(self.pass_to_next_change(), "nothing is asked for at {}, but {waits:?}", self.now);
            } else {
                self.now += Duration::from_secs(1);
                self.tell(Event::Read(Box::new(reading(self, memory))));
            }
        }
        assert_eq!(self.counts().ended(), self.jobs.len() as u64);
    }

    /// Answers whatever the fleet waits for; false if it waits for nothing.
    fn answer_all(&mut self) -> bool {
        let mut answered = false;
        let mut events: Vec<Event> = Vec::new();
        events.extend(self.browsers_in(BrowserPhase::Launching).into_iter().map(Event::Launched));
        events.extend(self.browsers_in(BrowserPhase::Closing).into_iter().map(Event::BrowserGone));
        events.extend(self.slots_in(SlotPhase::Creating).into_iter().map(Event::Opened));
        for slot in self.slots_in(SlotPhase::Running) {
            let end = if self.is_evicted(slot) { AttemptEnd::Evicted } else { AttemptEnd::Succeeded };
            events.push(Event::Ended(slot, end));
        }
        events.extend(self.slots_in(SlotPhase::Closing).into_iter().map(Event::Freed));
        for event in events {
            answered = true;
            self.tell(event);
        }
        answered
    }

    /// Ends the fleet: every browser is closed and goes.
    pub(crate) fn finish(mut self) {
        self.tell(Event::Finish);
        for phase in [BrowserPhase::Launching, BrowserPhase::Ready] {
            assert_eq!(self.browsers_in(phase), [], "left {phase:?}");
        }
        while self.answer_all() {}
        assert!(self.dispatch.placement().is_empty());
        assert_eq!(self.dispatch.next_change(), None, "a fleet at its end wants nothing");
    }
}
