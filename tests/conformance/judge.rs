//! The verdicts on a driver, with its known differences applied.

use plimsoll_check::coverage::exercised;
use plimsoll_check::machine::Machine;
use plimsoll_check::rig::Rig;
use plimsoll_check::run::{AMPLE, Pace, run};
use plimsoll_check::suites::{Suite, cases};
use plimsoll_check::verdict::Verdict;
use plimsoll_kit::berth::Berth;

use crate::driver::{Known, Subject};
use crate::table::{self, Row};

/// What a case shows of a driver.
enum Judged {
    /// The verdict, which is no failure.
    As(Verdict),
    /// The driver is known to differ, for this reason.
    Differs(&'static str),
    /// The driver did something else than it is known to do.
    Wrong(String),
}

/// Runs a group of cases on a driver.
#[expect(clippy::print_stderr, reason = "what whoever runs the test wants to see when it fails or is slow")]
pub(crate) async fn judge(subject: &Subject, group: &'static str, suites: &[Suite]) {
    let without = std::env::var("PLIMSOLL_TESTS_WITHOUT").unwrap_or_default();
    if without.split(',').any(|driver| driver == subject.name) {
        eprintln!("skipped: this platform has no {}", subject.name);
        return;
    }
    // Models need no memory and have no deadlines.
    let _berth = subject.models.is_empty().then(Berth::take_all);
    let rig = started(subject).await;
    let (modelled, real): (Vec<Suite>, Vec<Suite>) =
        suites.iter().partition(|(suite, _)| subject.models.contains(suite));
    let side_by_side = if group == "endings" { 1 } else { subject.side_by_side };
    let whole = AMPLE * suites.iter().map(|(_, cases)| cases.len() as u32).sum();
    let checked = run(&rig, cases(&real), Pace { side_by_side, each: AMPLE, whole }, |checked| {
        let (seconds, cell) = (checked.took.as_secs_f64(), checked.verdict.cell());
        eprintln!("{seconds:>6.2} s  {}: {}: {cell}", checked.suite, checked.case);
    })
    .await;
    let capabilities = rig.capabilities.clone();
    let clean = rig.close().await;

    let (mut rows, mut failed) = (Vec::new(), Vec::new());
    for case in &checked {
        match judged(subject, case.case, case.verdict.clone()) {
            Judged::As(verdict) => rows.push(Row::of(case.suite, case.case, verdict.cell())),
            Judged::Differs(why) => rows.push(Row::of(case.suite, case.case, format!("differs: {why}"))),
            Judged::Wrong(how) => failed.push(format!("{}: {}: {how}", case.suite, case.case)),
        }
    }
    for (suite, cases) in modelled {
        rows.extend(cases.iter().map(|case| Row::of(suite, case.name, "modelled".to_owned())));
    }
    assert!(failed.is_empty(), "{} cases failed\n{}", failed.len(), failed.join("\n"));
    assert_eq!(clean, Ok(()), "every case passed, but something was left");
    let declared = (group == "steps").then_some(&capabilities);
    if declared.is_some() && subject.models.is_empty() {
        let unproved = exercised(&checked).missing(&capabilities);
        assert!(unproved.is_empty(), "declared, but no case that passed needed it: {unproved}");
    }
    table::keep(subject, group, rows, declared);
}

async fn started(subject: &Subject) -> Rig {
    let machine = Machine::open().expect("a place for files, a user for browsers, a thread");
    let source = (subject.source)();
    let driver = source.make(&machine).await.expect("a driver");
    Rig::start(machine, driver, source, subject.measures).expect("a port")
}

fn judged(subject: &Subject, case: &str, verdict: Verdict) -> Judged {
    let known = subject.differs.iter().find(|(differs, _)| *differs == case).map(|(_, known)| *known);
    match (known, verdict) {
        (None, Verdict::Failed { why }) => Judged::Wrong(why),
        (None, verdict) => Judged::As(verdict),
        (Some(Known::Always(why)), Verdict::Failed { .. })
        | (Some(Known::AtTimes(why, _)), Verdict::Passed) => Judged::Differs(why),
        (Some(Known::AtTimes(why, texts)), Verdict::Failed { why: how }) => {
            if texts.iter().any(|text| how.contains(text)) {
                Judged::Differs(why)
            } else {
                Judged::Wrong(format!("it fails otherwise than it is known to: {how}"))
            }
        }
        (Some(_), other) => Judged::Wrong(format!("it is listed as known to differ, but: {}", other.cell())),
    }
}
