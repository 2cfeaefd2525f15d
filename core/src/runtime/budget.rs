//! What is left of a step's time.

use std::time::Duration;

use crate::runtime::clock::Clock;

/// A step's time, counted from the moment this was made.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    clock: Clock,
    whole: Duration,
}

impl Budget {
    /// Begins to count.
    #[must_use]
    pub fn start(whole: Duration) -> Self {
        Self { clock: Clock::start(), whole }
    }

    /// The same beginning, but no more than a step's own `timeout`.
    #[must_use]
    pub fn at_most(self, timeout: Option<Duration>) -> Self {
        Self { whole: timeout.map_or(self.whole, |timeout| timeout.min(self.whole)), ..self }
    }

    /// All there was at the beginning.
    #[must_use]
    pub const fn whole(self) -> Duration {
        self.whole
    }

    /// What is left; zero when it is spent.
    #[must_use]
    pub fn left(self) -> Duration {
        self.whole.saturating_sub(self.clock.now().elapsed())
    }
}
