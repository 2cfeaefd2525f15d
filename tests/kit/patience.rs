//! Waiting for something real: it has no virtual time, so it is asked again and again, up to a bound.
#![expect(clippy::disallowed_methods, reason = "the one place that waits for other processes")]

use std::time::{Duration, Instant};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits until `holds` and returns how long it took.
///
/// # Panics
/// After `patience`.
#[track_caller]
pub fn until(what: &str, patience: Duration, holds: impl FnMut() -> bool) -> Duration {
    within(patience, holds).unwrap_or_else(|| panic!("not within {patience:?}: {what}"))
}

/// Waits until `holds` and returns how long it took; nothing after `patience`.
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

/// Time since it was started.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts it.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Since then.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
