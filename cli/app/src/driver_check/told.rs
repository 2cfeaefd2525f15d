//! What a check found, as lines of text and as one JSON object.

use std::fmt::Write as _;

use plimsoll_check::coverage::{Coverage, Extent};
use plimsoll_check::run::Checked;
use plimsoll_check::verdict::Verdict;
use serde::Serialize;

/// What a check found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    driver: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    runs_on: Option<String>,
    summary: Summary,
    /// How far the driver has what it declares.
    declared: Vec<Coverage>,
    cases: Vec<Checked>,
    /// What was left when all browsers were closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<String>,
}

/// The numbers of cases.
#[derive(Debug, Default, Serialize)]
struct Summary {
    passed: usize,
    failed: usize,
    refused: usize,
    not_applicable: usize,
    not_reached: usize,
}

/// A case with its verdict, as a line; a failure's reason has lines of its own.
pub(super) fn line(case: &Checked) -> String {
    let (suite, name) = (case.suite, sentence(case.case));
    match &case.verdict {
        Verdict::Passed => format!("pass     {suite}: {name}\n"),
        Verdict::Refused { lacks } => format!("refused  {suite}: {name}: it does not declare {lacks}\n"),
        Verdict::NotApplicable { why } => format!("n/a      {suite}: {name}: {why}\n"),
        Verdict::NotReached => format!("FAIL     {suite}: {name}: not reached in the time for all cases\n"),
        Verdict::Failed { why } => {
            format!("FAIL     {suite}: {name}\n           {}\n", why.replace('\n', "\n           "))
        }
    }
}

impl Report {
    pub(super) fn new(
        driver: String,
        runs_on: Option<String>,
        declared: Vec<Coverage>,
        cases: Vec<Checked>,
        left: Option<String>,
    ) -> Self {
        let mut summary = Summary::default();
        for case in &cases {
            *match case.verdict {
                Verdict::Passed => &mut summary.passed,
                Verdict::Failed { .. } => &mut summary.failed,
                Verdict::Refused { .. } => &mut summary.refused,
                Verdict::NotApplicable { .. } => &mut summary.not_applicable,
                Verdict::NotReached => &mut summary.not_reached,
            } += 1;
        }
        Self { driver, runs_on, summary, declared, cases, left }
    }

    /// Whether everything that the driver declares passes.
    pub(super) const fn is_good(&self) -> bool {
        self.summary.failed == 0 && self.summary.not_reached == 0 && self.left.is_none()
    }

    /// What follows the lines of the cases.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        if let Some(left) = &self.left {
            let _infallible = writeln!(text, "FAIL     something is left after the last case: {left}");
        }
        text.push('\n');
        self.declared.iter().for_each(|one| text.push_str(&extent(one)));
        let Summary { passed, failed, refused, not_applicable, not_reached } = self.summary;
        let runs_on = self.runs_on.as_ref().map(|on| format!(" on {on}")).unwrap_or_default();
        let _infallible = writeln!(
            text,
            "{}{runs_on}: {passed} passed, {failed} failed, {refused} refused as not declared, {not_applicable} not \
             applicable, {not_reached} not reached",
            self.driver
        );
        text.push_str(if self.is_good() {
            "all that it declares passes\n"
        } else {
            "it does not keep what it declares\n"
        });
        text
    }
}

/// What a capability that is not whole lacks.
fn extent(Coverage { capability, extent, passed, failed }: &Coverage) -> String {
    let (all, names) = (passed + failed.len(), failed.iter().map(|name| sentence(name)));
    let names = names.collect::<Vec<_>>().join("; ");
    match extent {
        Extent::Whole => String::new(),
        Extent::InPart => {
            format!(
                "declared, but only in part: {capability}: {passed} of {all} cases with it pass, not these: {names}\n"
            )
        }
        Extent::Nothing => format!("declared, but no case with it passes: {capability}: {names}\n"),
        Extent::Untried => format!("declared, but no case used it: {capability}\n"),
    }
}

fn sentence(case: &str) -> String {
    case.replace('_', " ")
}
