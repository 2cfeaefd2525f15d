//! Whether steps may begin on the thread that asks for them: [`Promptness`].
//!
//! Waking another thread and being woken by it costs several times as much as a step that does not wait. But the
//! calling thread is one of Plimsoll's, or the reader of a whole process, and a long step on it delays other work. So
//! a driver must earn this: while its last steps all began quickly, up to their first await, the next step begins in
//! place. After one slow beginning, steps run on the library's own threads until the driver has earned it again.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use plimsoll_core::runtime::clock::Clock;

/// The longest beginning that counts as quick: well above the cost of a step that only looks something up, and well
/// below a delay that other tasks of the thread would suffer from.
const QUICK: Duration = Duration::from_micros(250);
/// The number of quick beginnings in a row after which steps begin in place.
const EARNED: u32 = 64;

/// See the module.
#[derive(Debug)]
pub(crate) struct Promptness {
    clock: Clock,
    /// Quick beginnings since the last slow one; not counted further once they are enough.
    quick: AtomicU32,
}

impl Promptness {
    /// A driver that has not earned it yet.
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, quick: AtomicU32::new(0) }
    }

    /// Whether the next step may begin in place.
    pub(crate) fn is_earned(&self) -> bool {
        self.quick.load(Ordering::Relaxed) >= EARNED
    }

    /// Runs the beginning of a step, and records whether it was quick.
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
            // Concurrent steps may count beyond the limit, which has no effect.
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
