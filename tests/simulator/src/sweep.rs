//! [`sweep`]: runs many seeds on all cores and sums up the results.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use crate::fault::Injected;
use crate::journal::Journal;
use crate::mutation::Mutation;
use crate::oracle::Violation;
use crate::plan::Plan;
use crate::run::{Run, run};
use plimsoll_sim::digest::Digest;

/// The sums of many runs.
#[derive(Debug, Default)]
pub struct Tally {
    /// Runs.
    pub seeds: u64,
    /// Events and actions.
    pub events: u64,
    /// Checks of invariants.
    pub checks: u64,
    /// Jobs.
    pub jobs: u64,
    /// Faults.
    pub injected: Injected,
    /// Seeds that failed, lowest first.
    pub failures: Vec<(u64, Violation)>,
    /// The sum of the digests of all runs, which does not depend on their order.
    pub digest: u64,
    /// Seeds that were run twice with different results.
    pub unsteady: Vec<u64>,
}

/// When a sweep ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// After the last seed.
    All,
    /// After the first failure (seeds under way are finished).
    FirstFailure,
}

/// Runs seeds `first..first + seeds`; the first `twice` of them two times.
#[must_use]
pub fn sweep(first: u64, seeds: u64, twice: u64, mutation: Option<Mutation>, until: Until) -> Tally {
    let next = AtomicU64::new(0);
    let over = AtomicBool::new(false);
    let tally = Mutex::new(Tally::default());
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= seeds || over.load(Ordering::Relaxed) {
                return;
            }
            let seed = first + index;
            let plan = Plan::drawn(seed);
            let done = run(&plan, mutation, Journal::NONE);
            let is_steady = index >= twice || run(&plan, mutation, Journal::NONE).digest == done.digest;
            if done.violation.is_some() && until == Until::FirstFailure {
                over.store(true, Ordering::Relaxed);
            }
            let mut tally = tally.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            tally.add(seed, &done);
            if !is_steady {
                tally.unsteady.push(seed);
            }
        }
    };
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
    let mut tally = tally.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    tally.failures.sort_by_key(|(seed, _)| *seed);
    tally
}

impl Tally {
    fn add(&mut self, seed: u64, done: &Run) {
        self.seeds += 1;
        self.events += done.events;
        self.checks += done.checks;
        self.jobs += done.counts.submitted;
        self.injected.add(&done.injected);
        let mut digest = Digest::default();
        digest.add(&(seed, done.digest.value()));
        // A sum does not depend on which run ended first.
        self.digest = self.digest.wrapping_add(digest.value());
        self.failures.extend(done.violation.clone().map(|violation| (seed, violation)));
    }
}
