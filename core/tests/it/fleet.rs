//! The fleet's loop with a scripted driver and store, on paused time: without browsers and without real waiting.

pub(crate) mod scripted;

use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::outcome::{FailureClass, Outcome, Stage};
use plimsoll_core::policy::{DispatchConfig, LimitPolicy};
use plimsoll_core::port::Blindfold;
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::fleet::{Fleet, FleetConfig, FleetReport, Stop, Surroundings};
use plimsoll_core::runtime::supervisor::Supervisor;

use scripted::{ScriptedDriver, ScriptedStore};

/// Runs jobs whose URLs decide their results (see [`scripted`]); `then` may act on the fleet during the run.
async fn run<F: AsyncFnOnce(&Fleet, &ScriptedDriver)>(
    urls: &[&str],
    adjust: impl FnOnce(&mut DispatchConfig),
    then: F,
) -> (FleetReport, ScriptedStore, ScriptedDriver) {
    let mut dispatch = DispatchConfig::default();
    dispatch.admission.policy = LimitPolicy::Fixed;
    adjust(&mut dispatch);
    let config = FleetConfig {
        dispatch,
        attempt_timeout: Duration::from_secs(30),
        launch_timeout: Duration::from_secs(30),
        seed: 1,
    };
    let (mut store, driver) = (ScriptedStore::of(urls), ScriptedDriver::default());
    store.room = urls.iter().position(|url| *url == "disk full").unwrap_or(usize::MAX);
    let supervisor = Supervisor::root();
    let (probe, observer) = (Box::new(Blindfold), Arc::new(()));
    let (name, driver_of_fleet, store_of_fleet) = ("scripted".into(), driver.shared(), store.shared());
    let surroundings = Surroundings { name, driver: driver_of_fleet, store: store_of_fleet, probe, observer };
    let mut fleet = Fleet::start(config, surroundings, Clock::start(), &supervisor);
    then(&fleet, &driver).await;
    let report = fleet.ended().await.expect("the fleet's own task does not fail");
    assert_eq!(report.jobs.lost(), 0);
    assert_eq!(driver.open_contexts(), 0, "a context was left open");
    assert_eq!(driver.open_browsers(), 0, "a browser was left open");
    let ended = store.tickets().len() as u64;
    assert!(store.tickets().is_sorted_by(|one, other| one < other), "no job ends twice");
    let never_taken = store.given_and_released().1 - report.released;
    assert!(never_taken <= 1, "only the job that was between the store and the fleet");
    let submitted = report.jobs.submitted + never_taken;
    assert_eq!(ended + report.unrecorded, submitted, "each job is recorded or released once");
    assert!(report.store_error.is_some() || report.unrecorded == 0);
    (report, store, driver)
}

async fn undisturbed(_: &Fleet, _: &ScriptedDriver) {}

fn class(store: &ScriptedStore, index: u64) -> Option<(FailureClass, Stage)> {
    let outcome = store.outcome(index);
    outcome.failure().map(|failure| (failure.fault.class, failure.stage))
}

#[tokio::test(start_paused = true)]
async fn every_job_ends_and_the_limits_hold() {
    let urls = vec!["http://ok/"; 500];
    let adjust = |config: &mut DispatchConfig| {
        config.admission.max_contexts = 30;
        config.admission.max_creating = 7;
        config.queue_capacity = 10;
    };
    let (report, store, driver) = run(&urls, adjust, undisturbed).await;
    assert_eq!(report.jobs.succeeded, 500);
    assert_eq!(report.peaks.active, 30);
    assert!(driver.peak_creating() <= 7 && report.peaks.creating <= 7);
    assert!(driver.peak_contexts() <= 30);
    assert!(store.records().iter().all(|record| record.attempts == 1 && record.data["seen"] == true));
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_step_fails_that_job_alone() {
    let (report, store, _) = run(&["http://ok/", "http://panic/", "http://ok/"], |_| {}, undisturbed).await;
    assert_eq!((report.jobs.succeeded, report.jobs.failed), (2, 1));
    assert_eq!(class(&store, 1), Some((FailureClass::Internal, Stage::Step(0))));
}

#[tokio::test(start_paused = true)]
async fn a_step_that_never_answers_ends_with_the_attempt() {
    let (report, store, _) = run(&["http://hang/", "http://ok/"], |_| {}, undisturbed).await;
    assert_eq!(class(&store, 0), Some((FailureClass::Timeout, Stage::Step(0))));
    assert_eq!(report.jobs.succeeded, 1);
    assert!(report.wall < Duration::from_secs(35), "{:?}", report.wall);
}

#[tokio::test(start_paused = true)]
async fn a_status_fails_a_job_unless_it_is_accepted() {
    let (_, store, _) =
        run(&["http://status-404/", "http://status-404/?accept=404"], |_| {}, undisturbed).await;
    assert_eq!(class(&store, 0), Some((FailureClass::HttpStatus, Stage::Step(0))));
    assert_eq!(store.outcome(1), Outcome::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn a_crash_is_tried_again_and_a_persistent_fault_is_not() {
    let (report, store, _) =
        run(&["http://crash-2/", "http://crash-9/", "http://unresolved/"], |_| {}, undisturbed).await;
    assert_eq!(store.outcome(0), Outcome::Succeeded);
    assert_eq!(class(&store, 1), Some((FailureClass::PageCrash, Stage::Step(0))));
    assert_eq!(class(&store, 2), Some((FailureClass::Navigation, Stage::Step(0))));
    let attempts: Vec<_> = (0..3).map(|index| store.record_of(index).attempts).collect();
    assert_eq!(attempts, [3, 3, 1]);
    assert_eq!(report.attempts, 7);
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_fails_holds_its_own_jobs_back_and_nobody_else_s() {
    let urls = [vec!["http://proxied/"; 100], vec!["http://ok/"; 100]].concat();
    let (report, store, _) = run(&urls, |config| config.admission.max_contexts = 10, undisturbed).await;
    assert_eq!((report.jobs.succeeded, report.jobs.failed), (100, 100));
    let failures = store.records().into_iter().filter_map(|record| record.outcome.failure().cloned());
    assert!(failures.clone().all(|failure| failure.fault.class == FailureClass::Proxy));
    assert!(failures.clone().any(|failure| failure.stage == Stage::Queue), "some were never tried");
    assert!(report.attempts < 150, "{} attempts: its breaker opens", report.attempts);
}

#[tokio::test(start_paused = true)]
async fn a_browser_that_dies_is_replaced_and_its_jobs_are_tried_again() {
    let urls = vec!["http://slow/"; 40];
    let kill = async |_: &Fleet, driver: &ScriptedDriver| {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        driver.kill_a_browser();
    };
    let (report, store, _) = run(&urls, |_| {}, kill).await;
    assert_eq!(report.jobs.succeeded, 40);
    assert_eq!(report.browser_restarts, 1);
    assert_eq!(report.attempts, 60, "the contexts of one browser again, and no others");
    assert!(
        store.records().iter().all(|record| record.attempts == 1),
        "what was lost with it does not count"
    );
}

#[tokio::test(start_paused = true)]
async fn a_context_that_does_not_close_costs_its_browser_and_nothing_else() {
    let (report, store, driver) = run(&["http://stuck/", "http://slow/"], |_| {}, undisturbed).await;
    assert_eq!(report.jobs.succeeded, 2, "{:?}", store.records());
    assert_eq!(driver.browsers_closed(), driver.browsers_launched());
}

#[tokio::test(start_paused = true)]
async fn a_context_that_does_not_close_is_named_where_its_browser_is_missed() {
    let urls = ["http://stuck/", "http://long/"];
    let (report, store, _) = run(&urls, |config| config.retry.attempts = 1, undisturbed).await;
    assert_eq!((report.jobs.succeeded, report.browser_restarts), (1, 1));
    let Outcome::Failed(failure) = store.outcome(1) else { panic!("{:?}", store.records()) };
    assert_eq!(failure.fault.class, FailureClass::BrowserCrash);
    let named = "the context of another job was not verified gone: closing a context took longer than 15s";
    assert!(failure.fault.message.contains(named), "{failure}");
    let (report, store, _) = run(&urls, |_| {}, undisturbed).await;
    assert_eq!((report.jobs.succeeded, report.browser_restarts), (2, 1));
    assert_eq!(store.record_of(1).attempts, 1, "{:?}", store.records());
}

#[tokio::test(start_paused = true)]
async fn when_no_browser_starts_every_job_fails_with_the_reason() {
    let broken = async |_: &Fleet, driver: &ScriptedDriver| driver.refuse_launches();
    let (report, store, _) = run(&["http://ok/"; 50], |_| {}, broken).await;
    assert_eq!(report.jobs.failed, 50);
    assert_eq!(class(&store, 49), Some((FailureClass::BrowserCrash, Stage::Launch)));
    assert_eq!(report.launch_error.as_deref(), Some("refused by the script"));
}

#[tokio::test(start_paused = true)]
async fn stopping_cancels_what_waits_and_lets_what_runs_end_within_its_grace() {
    let mut urls = vec!["http://slow/"; 20];
    urls.extend(["http://hang/"; 5]);
    urls.extend(["http://ok/"; 2000]);
    let stop = async |fleet: &Fleet, _: &ScriptedDriver| {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        fleet.stop(Stop::After(Duration::from_secs(10)));
    };
    let (report, _, _) = run(&urls, |config| config.admission.max_contexts = 25, stop).await;
    assert_eq!(report.jobs.submitted, 2025, "every job has a line");
    assert_eq!((report.jobs.succeeded, report.jobs.cancelled), (20, 2005));
    assert!(report.wall < Duration::from_secs(13), "{:?}", report.wall);
}

#[tokio::test(start_paused = true)]
async fn draining_gives_back_what_did_not_finish_and_records_the_rest() {
    let mut urls = vec!["http://slow/"; 20];
    urls.extend(["http://hang/"; 5]);
    urls.extend(["http://ok/"; 2000]);
    let drain = async |fleet: &Fleet, _: &ScriptedDriver| {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        fleet.stop(Stop::Drain(Duration::from_secs(10)));
    };
    let adjust = |config: &mut DispatchConfig| {
        config.admission.max_contexts = 25;
        config.queue_capacity = 100;
    };
    let (report, store, _) = run(&urls, adjust, drain).await;
    assert_eq!((report.jobs.succeeded, report.jobs.cancelled), (20, report.released));
    assert!(store.records().iter().all(|record| record.outcome == Outcome::Succeeded));
    let (given, released) = store.given_and_released();
    assert_eq!(given, released + 20, "a job that was given out is recorded or comes back");
    assert!(given < 500, "{given} given out: a drain reads no more");
    assert!(report.wall < Duration::from_secs(13), "{:?}", report.wall);
}

#[tokio::test(start_paused = true)]
async fn stopping_now_waits_for_nobody() {
    let stop = async |fleet: &Fleet, _: &ScriptedDriver| {
        tokio::time::sleep(Duration::from_secs(3)).await;
        fleet.stop(Stop::After(Duration::from_secs(10)));
        fleet.stop(Stop::Now);
        fleet.stop(Stop::After(Duration::from_secs(99)));
    };
    let (report, _, _) = run(&["http://hang/"; 30], |_| {}, stop).await;
    assert_eq!(report.jobs.cancelled, 30);
    assert!(report.wall < Duration::from_secs(4), "{:?}", report.wall);
}

#[tokio::test(start_paused = true)]
async fn jobs_that_cannot_be_read_end_the_run_with_what_there_was() {
    let (report, _, _) = run(&["http://ok/", "broken", "http://ok/"], |_| {}, undisturbed).await;
    assert_eq!(report.jobs.submitted, 1);
    assert!(report.store_error.is_some_and(|error| error.to_string().contains("reading jobs")));
}

#[tokio::test(start_paused = true)]
async fn results_that_cannot_be_written_end_the_run() {
    let mut urls = vec!["http://ok/"; 10];
    urls.push("disk full");
    urls.extend(["http://slow/"; 500]);
    let (report, store, _) = run(&urls, |_| {}, undisturbed).await;
    assert_eq!(store.records().len(), 10);
    assert!(report.store_error.is_some_and(|error| error.to_string().contains("writing results")));
    assert!(report.unrecorded > 400, "{}", report.unrecorded);
    assert!(report.wall < Duration::from_secs(5), "{:?}", report.wall);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_stands_still_ends_the_attempt_at_its_deadline() {
    let once = |config: &mut DispatchConfig| config.retry.attempts = 1;
    let (report, store, _) = run(&["http://unstored/", "http://ok/"], once, undisturbed).await;
    assert_eq!(class(&store, 0), Some((FailureClass::Overload, Stage::Step(1))));
    assert_eq!(report.jobs.succeeded, 1);
    assert!((30..40).contains(&report.wall.as_secs()), "{:?}", report.wall);
}

#[tokio::test(start_paused = true)]
async fn a_picture_that_the_store_never_keeps_is_taken_once() {
    let (report, store, _) = run(&["http://pictured/"], |_| {}, undisturbed).await;
    assert_eq!(report.attempts, 1);
    assert_eq!(class(&store, 0), Some((FailureClass::Unsupported, Stage::Step(1))));
}
