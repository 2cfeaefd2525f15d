//! Waits for real conditions, which have no virtual time: they are polled up to a time limit.
#![expect(clippy::disallowed_methods, reason = "the one place that waits for other processes")]

use std::time::{Duration, Instant};

/// The time between two polls.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits until `holds` and returns the time that it took.
///
/// # Panics
/// After `patience`.
#[track_caller]
pub fn until(what: &str, patience: Duration, holds: impl FnMut() -> bool) -> Duration {
    within(patience, holds).unwrap_or_else(|| panic!("not within {patience:?}: {what}"))
}

/// Waits until `holds` and returns the time that it took; `None` after `patience`.
pub fn within(patience: Duration, mut holds: impl FnMut() -> bool) -> Option<Duration> {
    let start = Instant::now();
    while !holds() {
        if start.elapsed() > patience {
            return None;
        }
        std::thread::sleep(PAUSE);
    }
    Some(start.elapsed())
}

/// A stopwatch.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts the stopwatch.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
