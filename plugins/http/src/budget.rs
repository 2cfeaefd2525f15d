//! What is left of a step's time.

use std::time::Duration;

use plimsoll_core::runtime::clock::Clock;

/// A step's time, counted from the moment this was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    clock: Clock,
    whole: Duration,
}

impl Budget {
    /// Begins to count.
    pub(crate) fn start(whole: Duration) -> Self {
        Self { clock: Clock::start(), whole }
    }

    /// All there was at the beginning.
    pub(crate) const fn whole(self) -> Duration {
        self.whole
    }

    /// What is left; zero when it is spent.
    pub(crate) fn left(self) -> Duration {
        self.whole.saturating_sub(self.clock.now().elapsed())
    }
}
