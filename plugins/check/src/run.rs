//! Cases on a driver: one after another, or side by side.
//!
//! ```text
//!   case ──► judged within its time ──► its contexts closed ──► Checked, told at once
//! ```
//!
//! A case that hangs, or whose driver ends, fails and the next one begins. When the time for all cases is over, the rest
//! is not reached.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde::{Serialize, Serializer};

use crate::case::Case;
use crate::rig::Rig;
use crate::suites::ENDINGS;
use crate::uses::Uses;
use crate::verdict::Verdict;

/// The time limit of a case, even on a busy machine.
pub const AMPLE: Duration = Duration::from_secs(100);

/// How cases are run.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Cases at a time. If a driver ends in one of them, the others suffer too.
    pub side_by_side: usize,
    /// The time limit of a case.
    pub each: Duration,
    /// The time limit of all cases.
    pub whole: Duration,
}

/// A case with its verdict.
#[derive(Debug, Clone, Serialize)]
pub struct Checked {
    /// The suite of the case.
    pub suite: &'static str,
    /// The name of the case, with `_` between its words.
    pub case: &'static str,
    /// How the case ended.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The time that the case took.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub took: Duration,
    /// What the case used.
    #[serde(skip)]
    pub uses: Uses,
}

/// Runs these cases, each given with the name of its suite, and reports each to `tell` when it has ended.
pub async fn run(
    rig: &Rig,
    cases: impl IntoIterator<Item = (&'static str, &'static Case)>,
    pace: Pace,
    mut tell: impl FnMut(&Checked),
) -> Vec<Checked> {
    let clock = rig.machine.clock;
    let start = clock.now();
    let checked = stream::iter(cases).map(async |(suite, case)| {
        let began = clock.now();
        let left = pace.whole.saturating_sub(began.since(start));
        let (verdict, uses) = if left.is_zero() {
            (Verdict::NotReached, Uses::default())
        } else {
            let is_alone = ENDINGS.iter().any(|(ending, _)| *ending == suite);
            match if is_alone { rig.close_shared().await } else { Ok(()) } {
                Ok(()) => judged(rig, case, pace.each.min(left)).await,
                Err(why) => (Verdict::Failed { why }, Uses::default()),
            }
        };
        Checked { suite, case: case.name, verdict, took: clock.now().since(began), uses }
    });
    checked.buffer_unordered(pace.side_by_side).inspect(|checked| tell(checked)).collect().await
}

async fn judged(rig: &Rig, case: &Case, within: Duration) -> (Verdict, Uses) {
    let (verdict, uses) = case.judge(rig, within).await;
    let cleared = rig.clear().await;
    match (verdict, cleared) {
        (Verdict::Passed, Err(why)) => (Verdict::Failed { why }, uses),
        (verdict, _) => (verdict, uses),
    }
}

fn seconds<S: Serializer>(took: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64((took.as_secs_f64() * 1000.0).round() / 1000.0)
}
