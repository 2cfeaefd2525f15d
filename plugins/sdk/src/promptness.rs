//! Whether steps may begin on the thread that asks for them: [`Promptness`].
//!
//! To wake another thread, and to be woken by it, costs several times what a step costs that need not wait for anything.
//! But the thread that asks is one of Plimsoll's, or the one that reads for a whole process, and whatever takes long on
//! it delays others. So it is earned: a driver whose last steps have all begun quickly, until their first await, begins
//! the next one in place. A single slow beginning, and the steps go to the library's own threads until it is earned
//! again.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use plimsoll_core::runtime::clock::Clock;

/// The longest beginning that is quick: well above what a step costs that only looks something up, and well below what
/// the other tasks of a thread would notice.
const QUICK: Duration = Duration::from_micros(250);
/// How many quick beginnings in a row earn it.
const EARNED: u32 = 64;

/// See the module.
#[derive(Debug)]
pub(crate) struct Promptness {
    clock: Clock,
    /// Quick beginnings since the last slow one; no longer counted once they are enough.
    quick: AtomicU32,
}

impl Promptness {
    /// Nothing is earned yet.
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, quick: AtomicU32::new(0) }
    }

    /// Whether the next step may begin in place.
    pub(crate) fn is_earned(&self) -> bool {
        self.quick.load(Ordering::Relaxed) >= EARNED
    }

    /// Runs the beginning of a step, and remembers whether it was quick.
    pub(crate) fn watch<T>(&self, beginning: impl FnOnce() -> T) -> T {
        let start = self.clock.now();
        let begun = beginning();
        self.remember(self.clock.now().since(start));
        begun
    }

    fn remember(&self, took: Duration) {
        if took > QUICK {
            self.quick.store(0, Ordering::Relaxed);
        } else if !self.is_earned() {
            // Steps that end together may count beyond: no harm.
            self.quick.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_earned_by_many_and_lost_by_one() {
        let promptness = Promptness::new(Clock::start());
        for _ in 0..3 {
            for _ in 0..EARNED {
                assert!(!promptness.is_earned());
                promptness.remember(QUICK);
            }
            assert!(promptness.is_earned());
            promptness.remember(QUICK);
            assert!(promptness.is_earned());
            promptness.remember(QUICK + Duration::from_micros(1));
        }
        assert!(!promptness.is_earned());
    }
}
