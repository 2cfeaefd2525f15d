//! A few hundred seeds in every test run; `cargo xtask sim` runs thousands.

use clap::ValueEnum;
use plimsoll_simulator::mutation::Mutation;
use plimsoll_simulator::plan::Plan;
use plimsoll_simulator::report;
use plimsoll_simulator::shrink::shrink;
use plimsoll_simulator::sweep::{Until, sweep};

/// One sweep for all assertions: it is the longest test of the workspace without a browser.
#[test]
fn every_invariant_holds_every_run_repeats_itself_and_every_kind_of_fault_happens() {
    let tally = sweep(0, 300, 50, None, Until::All);
    assert!(tally.unsteady.is_empty(), "seeds {:?} ran differently the second time", tally.unsteady);
    if let Some((seed, violation)) = tally.failures.first() {
        panic!("{}", report::failure(*seed, violation, None));
    }
    for (kind, times) in tally.injected.iter() {
        assert!(times > 0, "{} never happened", kind.name());
    }
}

#[test]
fn every_planted_bug_is_found() {
    for plant in Mutation::value_variants() {
        let tally = sweep(0, 1_000, 0, Some(*plant), Until::FirstFailure);
        assert!(!tally.failures.is_empty(), "{} was not found in {} seeds", plant.name(), tally.seeds);
    }
}

#[test]
fn a_failing_plan_shrinks_and_still_fails() {
    let plant = Some(Mutation::PermitLeakedOnTimeout);
    let tally = sweep(0, 1_000, 0, plant, Until::FirstFailure);
    let (seed, violation) = tally.failures.first().expect("the bug is found");
    let plan = Plan::drawn(*seed);
    let small = shrink(&plan, violation.invariant, plant, 500);
    assert!(small.plan.entries.len() < plan.entries.len());
    let again = plimsoll_simulator::run::run(&small.plan, plant, plimsoll_simulator::journal::Journal::NONE);
    assert_eq!(again.violation.map(|violation| violation.invariant), Some(violation.invariant));
}
