//! The permit for one context. Dropping it frees the slot.
//!
//! Only the drop of a [`Permit`] frees a slot. The fleet's loop holds the permits and drops each permit when its
//! context is verified gone. The task of an attempt has only an [`OpenedNote`], so a lost task frees no slot. The drop
//! adds a note for the loop and wakes the loop. Only the loop uses the policy, so the lock is held only while a number
//! is pushed.
//!
//! One lock protects the notes and the waker of the waiting reader, so no wake-up is lost between a check of the notes
//! and the wait. `tests/loom_permit.rs` includes this file and tests every order of its steps.

use std::future::poll_fn;
use std::sync::PoisonError;
use std::task::{Context, Poll, Waker};

#[cfg(all(test, loom))]
use loom::sync::{Arc, Mutex, MutexGuard};
#[cfg(not(all(test, loom)))]
use std::sync::{Arc, Mutex, MutexGuard};

use crate::id::SlotId;

/// The permit for one context.
#[derive(Debug)]
#[must_use = "dropping a permit gives its slot back"]
pub(crate) struct Permit {
    slot: SlotId,
    notes: Arc<SlotNotes>,
}

/// Reports that the context of a permit is open.
#[derive(Debug)]
pub(crate) struct OpenedNote {
    slot: SlotId,
    notes: Arc<SlotNotes>,
}

/// The notes of all permits for one reader, the fleet's loop.
#[derive(Debug, Default)]
pub(crate) struct SlotNotes(Mutex<Board>);

#[derive(Debug, Default)]
struct Board {
    /// Bounded by the number of existing permits: at most two notes for each.
    pending: Vec<SlotNote>,
    /// The waker of the reader that found no notes.
    reader: Option<Waker>,
}

/// A note of a permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SlotNote {
    /// The context of the permit is open.
    Opened(SlotId),
    /// The permit was dropped.
    Freed(SlotId),
}

impl Permit {
    pub(crate) fn new(slot: SlotId, notes: &Arc<SlotNotes>) -> Self {
        Self { slot, notes: Arc::clone(notes) }
    }

    /// The handle with which the task reports that the context is open.
    pub(crate) fn opened_note(&self) -> OpenedNote {
        OpenedNote { slot: self.slot, notes: Arc::clone(&self.notes) }
    }
}

impl OpenedNote {
    /// Reports that the context is open.
    pub(crate) fn leave(&self) {
        self.notes.leave(SlotNote::Opened(self.slot));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.notes.leave(SlotNote::Freed(self.slot));
    }
}

impl SlotNotes {
    /// Waits until there are notes and takes them in their order. A wait that is dropped takes nothing. There must be
    /// one reader only: the waker of a second reader would replace that of the first.
    pub(crate) async fn take(&self) -> Vec<SlotNote> {
        poll_fn(|context| self.poll_take(context)).await
    }

    fn poll_take(&self, context: &Context<'_>) -> Poll<Vec<SlotNote>> {
        let mut board = self.board();
        if !board.pending.is_empty() {
            return Poll::Ready(std::mem::take(&mut board.pending));
        }
        let stale = board.reader.replace(context.waker().clone());
        // Waking or dropping a waker runs foreign code, so it is never done under the lock.
        drop(board);
        drop(stale);
        Poll::Pending
    }

    fn leave(&self, note: SlotNote) {
        let mut board = self.board();
        board.pending.push(note);
        let reader = board.reader.take();
        drop(board);
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// A push cannot leave the list in a partial state, so a poisoned lock can be used.
    fn board(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_permit_that_is_dropped_in_a_panic_still_gives_its_slot_back() {
        let notes = Arc::new(SlotNotes::default());
        let permit = Permit::new(SlotId(3), &notes);
        permit.opened_note().leave();
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
