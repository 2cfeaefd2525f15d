//! The right to one context, given back by drop.
//!
//! The drop of a [`Permit`] is the only thing that frees a slot. The fleet's loop holds the permits and drops each when its
//! context is verified gone; the task of an attempt has only an [`OpenedNote`], so a task that is lost frees nothing. The
//! drop leaves a note for the loop and wakes it. The loop alone touches the policy, so no lock is held for longer than it
//! takes to push a number.
//!
//! The notes and the one who waits for them are under the same lock, so no wake-up can fall between a look at the
//! notes and the wait for more. `tests/loom_permit.rs` includes this file and tries every order of its steps.

use std::future::poll_fn;
use std::sync::PoisonError;
use std::task::{Context, Poll, Waker};

#[cfg(all(test, loom))]
use loom::sync::{Arc, Mutex, MutexGuard};
#[cfg(not(all(test, loom)))]
use std::sync::{Arc, Mutex, MutexGuard};

use crate::id::SlotId;

/// The right to one context.
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

/// What permits have to say, to one reader: the fleet's loop.
#[derive(Debug, Default)]
pub(crate) struct SlotNotes(Mutex<Board>);

#[derive(Debug, Default)]
struct Board {
    /// Bounded by the number of permits that are out: two notes each at most.
    pending: Vec<SlotNote>,
    /// Whom to wake, since it found nothing.
    reader: Option<Waker>,
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

    /// What the task that opens the context reports by.
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
    /// Waits until there are notes and takes them, in the order in which they were left. A wait that is given up
    /// takes nothing. There is one reader: a second one would be waited for in place of the first.
    pub(crate) async fn take(&self) -> Vec<SlotNote> {
        poll_fn(|context| self.poll_take(context)).await
    }

    fn poll_take(&self, context: &Context<'_>) -> Poll<Vec<SlotNote>> {
        let mut board = self.board();
        if !board.pending.is_empty() {
            return Poll::Ready(std::mem::take(&mut board.pending));
        }
        let stale = board.reader.replace(context.waker().clone());
        // A waker runs code that is not ours when it is woken or dropped: never under the lock.
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

    /// A push cannot leave the list half done, so a poisoned lock says nothing about it.
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
