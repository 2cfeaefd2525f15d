//! The cases, by suite, in the order of the table of drivers.

mod attacks;
mod cancelling;
mod crowds;
mod deadlines;
mod endings;
mod finding;
mod flows;
mod forms;
mod isolation;
mod pages;
mod pointing;
mod proxies;
mod refusals;
mod results;
mod scripts;
mod unicode;
mod waiting;
mod worlds;

use crate::case::Case;

/// A suite: its name and its cases.
pub type Suite = (&'static str, &'static [Case]);

/// Steps in a page; the next case reuses the context.
pub const STEPS: &[Suite] = &[
    ("refusals", refusals::CASES),
    ("pages", pages::CASES),
    ("proxies", proxies::CASES),
    ("finding", finding::CASES),
    ("pointing", pointing::CASES),
    ("forms", forms::CASES),
    ("waiting", waiting::CASES),
    ("worlds", worlds::CASES),
    ("scripts", scripts::CASES),
    ("results", results::CASES),
    ("unicode", unicode::CASES),
    ("flows", flows::CASES),
];
/// Concurrent and successive contexts, and time limits.
pub const CONTEXTS: &[Suite] =
    &[("isolation", isolation::CASES), ("attacks", attacks::CASES), ("deadlines", deadlines::CASES)];
/// Normal and abnormal ends. One case at a time, so that leftovers can be attributed.
pub const ENDINGS: &[Suite] =
    &[("cancelling", cancelling::CASES), ("crowds", crowds::CASES), ("endings", endings::CASES)];

/// The cases of some suites, each with the name of its suite.
pub fn cases(suites: &[Suite]) -> impl Iterator<Item = (&'static str, &'static Case)> {
    suites.iter().flat_map(|&(suite, cases)| cases.iter().map(move |case| (suite, case)))
}

/// Every suite.
#[must_use]
pub fn all() -> Vec<Suite> {
    [STEPS, CONTEXTS, ENDINGS].concat()
}
