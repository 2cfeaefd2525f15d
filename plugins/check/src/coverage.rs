//! What the verdicts say of each capability that a driver declares: [`Coverage`].
//!
//! A capability that is declared, but only in part, is one that some cases with it pass and others do not.

use plimsoll_core::capability::{Capabilities, Capability};
use serde::Serialize;

use crate::run::Checked;
use crate::verdict::Verdict;

/// A declared capability in the cases that used it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// The capability.
    pub capability: Capability,
    /// How far the driver has it.
    pub extent: Extent,
    /// Cases with it that passed.
    pub passed: usize,
    /// Cases with it that failed.
    pub failed: Vec<&'static str>,
}

/// How far a driver has what it declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// Every case with it passes.
    Whole,
    /// Some cases with it pass, some fail.
    InPart,
    /// No case with it passes.
    Nothing,
    /// No case came as far as using it, since each needs something else first that is not declared or fails.
    Untried,
}

/// The declared capabilities, in the order of declaration.
#[must_use]
pub fn coverage(declared: &Capabilities, cases: &[Checked]) -> Vec<Coverage> {
    declared.iter().map(|capability| of(capability, cases)).collect()
}

/// The declared capabilities that the driver has carried out in some case.
#[must_use]
pub fn exercised(cases: &[Checked]) -> Capabilities {
    cases.iter().flat_map(|case| case.uses.done.iter()).collect()
}

fn of(capability: Capability, cases: &[Checked]) -> Coverage {
    let with = || cases.iter().filter(|case| case.uses.asked.contains(capability));
    let passed = with().filter(|case| case.verdict == Verdict::Passed).count();
    let failed = with().filter(|case| matches!(case.verdict, Verdict::Failed { .. }));
    let failed: Vec<_> = failed.map(|case| case.case).collect();
    // A case that ended at something undeclared shows, too, what was carried out before.
    let done = cases.iter().any(|case| case.uses.done.contains(capability));
    let extent = match (passed, failed.is_empty()) {
        (0, true) if !done => Extent::Untried,
        (_, true) => Extent::Whole,
        (0, false) => Extent::Nothing,
        (_, false) => Extent::InPart,
    };
    Coverage { capability, extent, passed, failed }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::uses::Uses;

    fn case(name: &'static str, verdict: Verdict, asked: &[Capability], done: &[Capability]) -> Checked {
        let set = |all: &[Capability]| all.iter().copied().collect();
        let uses = Uses { asked: set(asked), done: set(done) };
        Checked { suite: "s", case: name, verdict, took: Duration::ZERO, uses }
    }

    #[test]
    fn what_is_declared_is_whole_in_part_nothing_or_untried() {
        use Capability::{Click, Extract, Fill, Pdf, Press};
        let failed = || Verdict::Failed { why: "no".to_owned() };
        let refused = Verdict::Refused { lacks: [Capability::Evaluate].into_iter().collect() };
        let cases = [
            case("a", Verdict::Passed, &[Extract, Click], &[Extract, Click]),
            case("b", failed(), &[Click], &[]),
            case("c", failed(), &[Fill], &[Fill]),
            case("d", refused, &[Press], &[Press]),
        ];
        let declared = [Extract, Click, Fill, Press, Pdf].into_iter().collect();
        let found = coverage(&declared, &cases);
        let found: Vec<_> =
            found.iter().map(|one| (one.capability, one.extent, one.passed, &*one.failed)).collect();
        assert_eq!(
            found,
            [
                (Click, Extent::InPart, 1, &["b"][..]),
                (Fill, Extent::Nothing, 0, &["c"][..]),
                (Press, Extent::Whole, 0, &[][..]),
                (Extract, Extent::Whole, 1, &[][..]),
                (Pdf, Extent::Untried, 0, &[][..]),
            ]
        );
    }
}
