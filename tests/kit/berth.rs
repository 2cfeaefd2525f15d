//! Limits tests with browsers to two at once, because a test that waits for a processor measures other tests' load.
//!
//! A berth is a locked file, so the limit covers the threads of one test process and the processes that nextest
//! starts, and the kernel releases the lock when its holder ends.

use std::fs::File;
use std::time::Duration;

use crate::patience;

/// The number of tests that may have browsers at once.
const BERTHS: usize = 2;
/// Longer than all other tests together take.
const PATIENCE: Duration = Duration::from_secs(1200);

/// The right to start browsers until this value is dropped.
#[derive(Debug)]
#[must_use = "a berth is given back when it is dropped"]
pub struct Berth {
    _locks: Vec<File>,
}

impl Berth {
    /// Waits for its turn.
    ///
    /// # Panics
    /// When no turn comes, or no file can be made.
    pub fn take() -> Self {
        Self { _locks: vec![lock(|| (0..BERTHS).find_map(free))] }
    }

    /// Waits until no other test has browsers: for tests whose verdicts depend on time.
    ///
    /// # Panics
    /// When no turn comes, or no file can be made.
    pub fn take_all() -> Self {
        // In order, so that two callers do not wait for each other.
        Self { _locks: (0..BERTHS).map(|number| lock(|| free(number))).collect() }
    }
}

fn lock(mut free: impl FnMut() -> Option<File>) -> File {
    let mut lock = None;
    patience::until("a berth is free", PATIENCE, || {
        lock = free();
        lock.is_some()
    });
    lock.expect("it was just found")
}

fn free(number: usize) -> Option<File> {
    let path = std::env::temp_dir().join(format!("plimsoll-e2e-berth-{number}"));
    let file = File::create(path).expect("the directory for temporary files is writable");
    file.try_lock().is_ok().then_some(file)
}
