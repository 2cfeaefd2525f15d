//! The text output after a sweep or a failure.

use std::fmt::Write as _;
use std::time::Duration;

use crate::journal::Journal;
use crate::mutation::Mutation;
use crate::oracle::{Invariant, Violation};
use crate::plan::Plan;
use crate::run::run;
use crate::shrink::{describe, shrink};
use crate::sweep::Tally;

/// Lines of a failing run that are shown.
const LAST: usize = 200;
/// Runs that shrinking may take.
const SHRINK_RUNS: u32 = 2_000;

/// The numbers of a sweep.
#[must_use]
pub fn summary(tally: &Tally, took: Duration) -> String {
    let per_second = tally.events as f64 / took.as_secs_f64().max(1e-9);
    let faults: Vec<_> =
        tally.injected.iter().map(|(kind, number)| format!("{} {number}", kind.name())).collect();
    format!(
        "{} seeds, {} jobs, {} events, {:.0} events/s, {:.1} s\n{} checks of {} invariants\nfaults: {}\nhash {:016x}",
        tally.seeds,
        tally.jobs,
        tally.events,
        per_second,
        took.as_secs_f64(),
        tally.checks,
        Invariant::ALL.len(),
        faults.join(", "),
        tally.digest,
    )
}

/// Everything needed to understand one failing seed.
#[must_use]
pub fn failure(seed: u64, violation: &Violation, mutation: Option<Mutation>) -> String {
    let plan = Plan::drawn(seed);
    let again = run(&plan, mutation, Journal::last(LAST));
    let small = shrink(&plan, violation.invariant, mutation, SHRINK_RUNS);
    let small_run = run(&small.plan, mutation, Journal::last(LAST));
    let mut text = String::new();
    let planted = mutation.map_or_else(String::new, |mutation| format!(" --plant {}", mutation.name()));
    let _infallible = write!(
        text,
        "seed {seed}\n{:#?}\n\nthe last {LAST} lines:\n{}\nshrunk in {} runs to {} entries of {}:\n{}\n{}\nseed {seed}: {violation}\nshrunk: {}\nreplay: cargo xtask sim --seed {seed}{planted}",
        plan.scenario,
        again.journal,
        small.runs,
        small.plan.entries.len(),
        plan.entries.len(),
        describe(&small.plan),
        small_run.journal,
        small_run.violation.map_or_else(|| "does not fail".to_owned(), |violation| violation.to_string()),
    );
    text
}

/// Which invariants failed, how often, and where first.
#[must_use]
pub fn by_invariant(tally: &Tally) -> String {
    let mut text = String::new();
    for invariant in Invariant::ALL {
        let mut failed = tally.failures.iter().filter(|(_, violation)| violation.invariant == *invariant);
        if let Some((seed, violation)) = failed.next() {
            let times = failed.count() + 1;
            let _infallible = writeln!(text, "{times:>5} seeds, first {seed}: {violation}");
        }
    }
    text
}
