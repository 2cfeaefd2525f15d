//! The only clock of the workspace.
//!
//! All other code takes a [`Moment`] as an argument. The clock is tokio's, so a test that pauses tokio's time also
//! pauses this clock.

use std::time::SystemTime;

use tokio::time::Instant;

use crate::time::Moment;

/// The time of day, for people to read. No decision uses it, because it can jump.
#[expect(clippy::disallowed_methods, reason = "the one clock")]
#[must_use]
pub fn time_of_day() -> SystemTime {
    SystemTime::now()
}

/// Reads the time of one fleet. Copies have the same start.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// Starts a clock at [`Moment::ZERO`].
    #[expect(clippy::disallowed_methods, reason = "the one clock")]
    #[must_use]
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// The current moment.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment::after(self.origin.elapsed())
    }

    /// The timer deadline that corresponds to `moment`, for `tokio::time::sleep_until`.
    #[must_use]
    pub fn deadline(&self, moment: Moment) -> Instant {
        // A deadline beyond the timer's range means "never"; thirty years are used for it.
        let never = std::time::Duration::from_secs(30 * 365 * 24 * 3600);
        self.origin + moment.elapsed().min(never)
    }
}
