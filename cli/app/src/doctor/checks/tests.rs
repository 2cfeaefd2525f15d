//! Each fault gives exactly its own finding, with the remedy.

use super::super::finding::State;
use super::super::sample::{self, CASES};
use super::*;

#[test]
fn a_machine_that_is_well_has_nothing_to_mend() {
    let found = findings(&sample::facts());
    assert!(
        found.iter().all(|finding| finding.state == State::Good && finding.remedy.is_none()),
        "{found:#?}"
    );
}

#[test]
fn each_fault_is_found_alone_with_its_remedy() {
    for (number, (change, what, state, detail, remedy)) in CASES.iter().enumerate() {
        let mut found = findings(&sample::changed(*change));
        found.retain(|finding| finding.state != State::Good);
        let [finding] = found.as_slice() else { panic!("case {number}, {what}: {found:#?}") };
        assert_eq!((finding.what, finding.state), (*what, *state), "case {number}: {finding:?}");
        assert!(finding.detail.contains(detail), "case {number}: {finding:?}");
        assert!(
            finding.remedy.as_deref().is_some_and(|mend| mend.contains(remedy)),
            "case {number}: {finding:?}"
        );
    }
}

#[test]
fn a_browser_that_was_not_tried_is_not_reported_as_tried() {
    let untried = sample::changed(|facts| facts.trial = Trial::NotTried);
    assert!(findings(&untried).iter().all(|finding| finding.what != "start"));
}

#[test]
fn what_only_browsers_on_this_machine_need_is_not_asked_of_other_drivers() {
    let remote = findings(&sample::changed(|facts| {
        facts.driver = "webdriver".to_owned();
        facts.target = Target::Driver(Ok(Some("http://grid:4444".to_owned())));
        (facts.cost, facts.sandbox) = (ContextCost::Light, None);
        (facts.shared_memory, facts.fonts) = (None, 0);
        // Too few for any browser.
        facts.reading.fds.as_mut().expect("a sensor").value.limit = 64;
    }));
    assert!(remote.iter().all(|finding| finding.state == State::Good), "{remote:#?}");
    assert!(remote.iter().any(|finding| finding.detail == "webdriver: http://grid:4444"), "{remote:#?}");
}
