//! The end of a fleet: when every request is answered, nothing is left over and nothing waits for ever.

use std::time::Duration;

use plimsoll_core::policy::{AttemptEnd, Event, LimitPolicy};

use super::super::events::reading;
use super::{BrowserPhase, Model, SlotPhase};

/// The maximum number of rounds before the fleet must rest: far more than the attempts of its jobs.
const PATIENCE: usize = 20_000;

impl Model {
    /// Answers every request with success and advances time, on a healthy machine or without sensors. The fleet must
    /// come to rest.
    pub(crate) fn come_to_rest(&mut self, memory: Option<u8>) {
        let mut rounds = 0;
        while !self.dispatch.is_idle() {
            rounds += 1;
            assert!(rounds < PATIENCE, "no rest at {}: {:?}", self.now, self.dispatch.waiting_for(self.now));
            if self.answer_all() {
                continue;
            }
            // No request is open, so only the passing of time or a reading of a healthy machine can change the state.
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

    /// Answers every open request; false if there is none.
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

    /// Ends the fleet: every browser is closed and goes away.
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
