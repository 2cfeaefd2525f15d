//! A browser that ends takes attempts along: they count against the job that ended it, and against no other.

use std::collections::BTreeSet;

use plimsoll_core::id::JobSeq;
use plimsoll_core::outcome::{FailureClass, Fault, Outcome, Stage};
use plimsoll_core::policy::{AttemptEnd, DispatchConfig, Event, LimitPolicy};

use crate::harness::{Fleet, Settled};

fn fleet(attempts: u32) -> Fleet {
    let mut config = DispatchConfig::default();
    config.admission.policy = LimitPolicy::Fixed;
    config.retry.attempts = attempts;
    Fleet::new(config)
}

/// Runs a fleet whose jobs below `guilty` end their browser. Returns the number of browsers that ended.
fn run(fleet: &mut Fleet, guilty: u64) -> usize {
    let mut ended = BTreeSet::new();
    while !fleet.dispatch.is_idle() {
        let started = fleet.take_started();
        if started.is_empty() {
            fleet.now = fleet.dispatch.next_change().expect("jobs wait, and no moment is asked for");
            fleet.tell(Event::Tick);
            continue;
        }
        for attempt in &started {
            fleet.tell(Event::Opened(attempt.slot));
        }
        for attempt in started.iter().filter(|attempt| attempt.job.0 < guilty) {
            if ended.insert(attempt.browser) {
                fleet.tell(Event::BrowserEnded(attempt.browser));
            }
        }
        for attempt in started {
            let lost = Fault::transient(FailureClass::BrowserCrash, "its process ended").at(Stage::Step(1));
            let is_lost = ended.contains(&attempt.browser);
            fleet.end(attempt.slot, if is_lost { AttemptEnd::Failed(lost) } else { AttemptEnd::Succeeded });
        }
    }
    ended.len()
}

#[test]
fn jobs_that_end_browsers_are_stopped_by_name_and_cost_their_neighbours_no_attempt() {
    let mut fleet = fleet(3);
    fleet.submit(13);
    let ended = run(&mut fleet, 3);
    assert_eq!(fleet.settled.len(), 13);
    assert!(ended <= 9, "{ended} browsers ended: each job that is guilty has three");
    for Settled { job, outcome, attempts, .. } in &fleet.settled {
        match outcome {
            Outcome::Succeeded => assert!(job.0 >= 3 && *attempts == 1, "{job:?} after {attempts}"),
            Outcome::Failed(failure) => {
                assert!(job.0 < 3 && *attempts == 3, "{job:?} after {attempts}: {failure}");
                let named = "this job ends browsers, the last one with no other job in it";
                assert!(failure.fault.message.starts_with(named), "{failure}");
            }
            other => panic!("{job:?}: {other:?}"),
        }
    }
}

#[test]
fn a_job_alone_in_its_browser_has_its_usual_attempts() {
    let mut fleet = fleet(3);
    fleet.submit(1);
    assert_eq!(run(&mut fleet, 1), 3);
    assert_eq!(fleet.settled[0].attempts, 3);
}

#[test]
fn a_job_that_must_not_be_repeated_is_not() {
    let mut fleet = fleet(1);
    fleet.submit(4);
    assert_eq!(run(&mut fleet, 1), 1);
    assert!(fleet.settled.iter().all(|job| job.attempts == 1 && matches!(job.outcome, Outcome::Failed(_))));
}

#[test]
fn a_suspect_waits_for_no_browser_that_others_keep_busy() {
    let mut fleet = fleet(3);
    fleet.submit(2);
    // A job that never ends stays in the first browser; the suspect gets another.
    for _ in 0..2 {
        let mut started = fleet.take_started();
        while started.len() < 2 {
            fleet.now = fleet.dispatch.next_change().expect("they wait");
            fleet.tell(Event::Tick);
            started.extend(fleet.take_started());
        }
        fleet.tell(Event::BrowserEnded(started[0].browser));
        for attempt in started {
            fleet.tell(Event::Opened(attempt.slot));
            let lost = Fault::transient(FailureClass::BrowserCrash, "its process ended").at(Stage::Step(1));
            fleet.end(attempt.slot, AttemptEnd::Failed(lost));
        }
    }
    let mut browsers = BTreeSet::new();
    while browsers.len() < 2 {
        browsers.extend(fleet.take_started().iter().map(|attempt| (attempt.job, attempt.browser)));
        fleet.now = fleet.dispatch.next_change().unwrap_or(fleet.now);
        fleet.tell(Event::Tick);
    }
    let [(first, one), (second, other)] = browsers.into_iter().collect::<Vec<_>>()[..] else { panic!() };
    assert!(one != other && (first, second) == (JobSeq(0), JobSeq(1)));
}
