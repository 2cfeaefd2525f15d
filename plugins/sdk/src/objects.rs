//! The browsers and contexts that the library has made, by the numbers that Plimsoll gave them.
//!
//! A number gets its slot when the call that makes the object arrives. A close that arrives before the object is made finds
//! the slot and waits for its turn, so nothing is left open. A slot's lock is the queue of the calls on its object.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plimsoll_core::port::{Browser, Context, Opening};
use tokio::sync::OwnedMutexGuard;

/// A slot: empty before its object is made and after it is closed.
pub(crate) type Slot<T> = Arc<tokio::sync::Mutex<Option<T>>>;
/// The right to fill, use or empty a slot.
pub(crate) type Turn<T> = OwnedMutexGuard<Option<T>>;

/// The context of a number.
pub(crate) enum HeldContext {
    /// It is being opened, or it was not opened; what is half made is removed when it is closed.
    Opening(Box<dyn Opening>),
    Open(OpenContext),
}

/// A context, and whether a panic has left it in an unknown state.
pub(crate) struct OpenContext {
    pub(crate) context: Box<dyn Context>,
    pub(crate) poisoned: bool,
}

/// The slot that a call reserves for the object that it makes.
pub(crate) enum Reserved {
    Nothing,
    Browser(Turn<Arc<dyn Browser>>),
    Context(Turn<HeldContext>),
}

/// Objects of one kind, by number.
#[derive(Debug)]
pub(crate) struct Objects<T>(Mutex<HashMap<u64, Slot<T>>>);

impl<T> Default for Objects<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Objects<T> {
    /// A new slot with the first turn on it; `None` when the number is taken.
    pub(crate) fn reserve(&self, number: u64) -> Option<Turn<T>> {
        let slot = Slot::default();
        let turn = Arc::clone(&slot).try_lock_owned().ok()?;
        let mut slots = self.slots();
        if slots.contains_key(&number) {
            return None;
        }
        slots.insert(number, slot);
        Some(turn)
    }

    /// The next turn on a slot; `None` when there is none of this number.
    pub(crate) async fn turn(&self, number: u64) -> Option<Turn<T>> {
        let slot = Arc::clone(self.slots().get(&number)?);
        Some(slot.lock_owned().await)
    }

    /// Forgets a slot. A call that still waits for its turn finds the slot empty.
    pub(crate) fn forget(&self, number: u64) {
        self.slots().remove(&number);
    }

    /// Forgets a slot that is empty. A slot whose turn is taken stays: the call that has the turn decides about it.
    pub(crate) fn forget_empty(&self, number: u64) {
        let mut slots = self.slots();
        let slot = slots.get(&number);
        if slot.is_some_and(|slot| slot.try_lock().is_ok_and(|held| held.is_none())) {
            slots.remove(&number);
        }
    }

    /// Every number that has a slot.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        self.slots().keys().copied().collect()
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<u64, Slot<T>>> {
        // A map cannot be left half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_empty_slot_without_a_turn_is_forgotten_as_empty() {
        let objects = Objects::default();
        let mut turn = objects.reserve(1).expect("the number is free");
        objects.forget_empty(1);
        assert_eq!(objects.numbers(), [1], "its turn is taken");
        *turn = Some("half made");
        drop(turn);
        objects.forget_empty(1);
        assert_eq!(objects.numbers(), [1], "it holds something");
        drop(objects.reserve(2));
        objects.forget_empty(2);
        assert_eq!(objects.numbers(), [1]);
    }

    #[tokio::test]
    async fn a_closing_that_overtakes_an_opening_waits_for_it() {
        let objects = Objects::default();
        let mut opening = objects.reserve(1).expect("the number is free");
        assert!(objects.reserve(1).is_none());
        let mut closing = Box::pin(objects.turn(1));
        assert!(futures_util::poll!(closing.as_mut()).is_pending());
        *opening = Some("context");
        drop(opening);
        assert_eq!(closing.await.expect("there is a slot").take(), Some("context"));
        objects.forget(1);
        assert!(objects.turn(1).await.is_none() && objects.numbers().is_empty());
    }
}
