//! The right to one context, given back by drop.
//!
//! A [`Permit`] is the only thing that frees a slot: whoever holds it drops it when the context is verified gone,
//! and a task that is torn down drops it too. The drop leaves a note for the fleet's loop and wakes it; the loop
//! alone touches the policy, so no lock is held for longer than it takes to push a number.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::id::SlotId;

/// The right to one context.
#[derive(Debug)]
#[must_use = "dropping a permit gives its slot back"]
pub(crate) struct Permit {
    slot: SlotId,
    notes: Arc<SlotNotes>,
}

/// What permits have to say. Bounded by the number of permits that are out: two notes each at most.
#[derive(Debug, Default)]
pub(crate) struct SlotNotes {
    pending: Mutex<Vec<SlotNote>>,
    wake: Notify,
}

/// What a permit has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SlotNote {
    /// Its context is there.
    Opened(SlotId),
    /// It was dropped.
    Freed(SlotId),
}

impl Permit {
    pub(crate) fn new(slot: SlotId, notes: &Arc<SlotNotes>) -> Self {
        Self { slot, notes: Arc::clone(notes) }
    }

    pub(crate) const fn slot(&self) -> SlotId {
        self.slot
    }

    /// Says that the context is there.
    pub(crate) fn opened(&self) {
        self.notes.leave(SlotNote::Opened(self.slot));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.notes.leave(SlotNote::Freed(self.slot));
    }
}

impl SlotNotes {
    /// Waits until there are notes and takes them, in the order in which they were left.
    pub(crate) async fn take(&self) -> Vec<SlotNote> {
        loop {
            let notes = std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
            if !notes.is_empty() {
                return notes;
            }
            self.wake.notified().await;
        }
    }

    fn leave(&self, note: SlotNote) {
        // A push cannot leave the list half done, so a poisoned lock says nothing about it.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).push(note);
        self.wake.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_permit_that_is_dropped_in_a_panic_still_gives_its_slot_back() {
        let notes = Arc::new(SlotNotes::default());
        let permit = Permit::new(SlotId(3), &notes);
        permit.opened();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _held = permit;
            panic!("in a step");
        }));
        assert!(panicked.is_err());
        assert_eq!(notes.take().await, [SlotNote::Opened(SlotId(3)), SlotNote::Freed(SlotId(3))]);
    }

    #[tokio::test]
    async fn taking_waits_for_the_first_note() {
        let notes = Arc::new(SlotNotes::default());
        let permit = Permit::new(SlotId(1), &notes);
        let (taken, ()) = tokio::join!(notes.take(), async { drop(permit) });
        assert_eq!(taken, [SlotNote::Freed(SlotId(1))]);
    }
}
