//! [`Agenda`]: things that are due later. Things due at the same moment come in the order of entry, so that every run
//! is the same.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use plimsoll_core::time::Moment;

/// Things to come, the next one first.
#[derive(Debug)]
pub struct Agenda<T> {
    entries: BinaryHeap<Reverse<Entry<T>>>,
    entered: u64,
}

#[derive(Debug)]
struct Entry<T> {
    due: Moment,
    order: u64,
    what: T,
}

impl<T> Agenda<T> {
    /// Enters something.
    pub fn enter(&mut self, due: Moment, what: T) {
        self.entries.push(Reverse(Entry { due, order: self.entered, what }));
        self.entered += 1;
    }

    /// When the next thing is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Moment> {
        self.entries.peek().map(|Reverse(entry)| entry.due)
    }

    /// The next thing, if it is due at `now`.
    pub fn take_due(&mut self, now: Moment) -> Option<T> {
        if self.next_due()? > now {
            return None;
        }
        self.entries.pop().map(|Reverse(entry)| entry.what)
    }
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Self { entries: BinaryHeap::new(), entered: 0 }
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.due, self.order) == (other.due, other.order)
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.order).cmp(&(other.due, other.order))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn ties_keep_the_order_of_entry() {
        let mut agenda = Agenda::default();
        let at = |s| Moment::after(Duration::from_secs(s));
        for (due, what) in [(2, 'c'), (1, 'a'), (2, 'd'), (1, 'b')] {
            agenda.enter(at(due), what);
        }
        assert_eq!(agenda.take_due(Moment::ZERO), None);
        let order: String = std::iter::from_fn(|| agenda.take_due(at(2))).collect();
        assert_eq!(order, "abcd");
    }
}
