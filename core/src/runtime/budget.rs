//! The rest of a step's time.

use std::time::Duration;

use crate::runtime::clock::Clock;

/// The time of a step, counted from the creation of this value.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    clock: Clock,
    whole: Duration,
}

impl Budget {
    /// Starts the budget.
    #[must_use]
    pub fn start(whole: Duration) -> Self {
        Self { clock: Clock::start(), whole }
    }

    /// A budget with the same start, limited to the step's own `timeout`.
    #[must_use]
    pub fn at_most(self, timeout: Option<Duration>) -> Self {
        Self { whole: timeout.map_or(self.whole, |timeout| timeout.min(self.whole)), ..self }
    }

    /// The whole time at the start.
    #[must_use]
    pub const fn whole(self) -> Duration {
        self.whole
    }

    /// The rest of the time; zero when it is used up.
    #[must_use]
    pub fn left(self) -> Duration {
        self.whole.saturating_sub(self.clock.now().elapsed())
    }
}
