//! Shrinking: reduces a failing plan while the same invariant fails.
//!
//! First whole kinds of fault are switched off, then entries of the plan are dropped in ever smaller chunks (Zeller's
//! *ddmin*), then bursts of jobs are made smaller. Each try is a whole run, so there is a budget of runs.

use crate::fault::{FaultKind, Faults};
use crate::journal::Journal;
use crate::mutation::Mutation;
use crate::oracle::Invariant;
use crate::plan::{Decision, Plan};
use crate::run::run;

/// A plan that still fails, and the cost of finding it.
#[derive(Debug)]
pub struct Shrunk {
    /// The smallest plan that was found.
    pub plan: Plan,
    /// Runs that were made.
    pub runs: u32,
}

struct Shrinker {
    invariant: Invariant,
    mutation: Option<Mutation>,
    left: u32,
}

/// Reduces a plan that breaks `invariant`, in at most `budget` runs.
#[must_use]
pub fn shrink(plan: &Plan, invariant: Invariant, mutation: Option<Mutation>, budget: u32) -> Shrunk {
    let mut shrinker = Shrinker { invariant, mutation, left: budget };
    let mut plan = plan.clone();
    for kind in
        FaultKind::ALL.into_iter().filter(|kind| plan.scenario.faults.rate(*kind) > 0.0).collect::<Vec<_>>()
    {
        let mut calmer = plan.clone();
        calmer.scenario.faults.set(kind, 0.0);
        shrinker.keep_if_failing(&mut plan, calmer);
    }
    shrinker.drop_entries(&mut plan);
    shrinker.thin_bursts(&mut plan);
    Shrunk { plan, runs: budget - shrinker.left }
}

impl Shrinker {
    fn fails(&mut self, plan: &Plan) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        let found = run(plan, self.mutation, Journal::NONE).violation;
        found.is_some_and(|violation| violation.invariant == self.invariant)
    }

    fn keep_if_failing(&mut self, plan: &mut Plan, smaller: Plan) -> bool {
        let fails = self.fails(&smaller);
        if fails {
            *plan = smaller;
        }
        fails
    }

    fn drop_entries(&mut self, plan: &mut Plan) {
        let mut chunk = plan.entries.len().div_ceil(2);
        while chunk > 0 {
            let mut from = 0;
            while from < plan.entries.len() {
                let mut smaller = plan.clone();
                let to = (from + chunk).min(smaller.entries.len());
                smaller.entries.drain(from..to);
                if !self.keep_if_failing(plan, smaller) {
                    from = to;
                }
            }
            chunk /= 2;
        }
    }

    fn thin_bursts(&mut self, plan: &mut Plan) {
        for index in 0..plan.entries.len() {
            while let Decision::Submit { jobs } = plan.entries[index].what
                && jobs > 1
            {
                let mut smaller = plan.clone();
                smaller.entries[index].what = Decision::Submit { jobs: jobs / 2 };
                if !self.keep_if_failing(plan, smaller) {
                    break;
                }
            }
        }
    }
}

/// A plan in a few lines: what remains of it.
#[must_use]
pub fn describe(plan: &Plan) -> String {
    let faults: Vec<_> =
        plan.scenario.faults.on().map(|(kind, rate)| format!("{} {rate:.3}", kind.name())).collect();
    let faults = if plan.scenario.faults == Faults::NONE { "none".to_owned() } else { faults.join(", ") };
    let entries =
        plan.entries.iter().map(|entry| format!("  {:>12}  {:?}\n", entry.at.to_string(), entry.what));
    format!("faults: {faults}\n{}", entries.collect::<String>())
}
