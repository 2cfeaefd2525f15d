//! The incident that led to this project: one test for each requirement of its fix, with the original numbers.
//!
//! A bot crashed after 20 to 30 concurrent profiles: errors were discarded, tasks failed without a report, contexts
//! were created without limit, and resources were not monitored. Each test is named after one requirement.

use plimsoll_core::id::{BrowserId, SlotId};
use plimsoll_core::job::JobKeys;
use plimsoll_core::outcome::{FailureClass, Fault, Stage};
use plimsoll_core::policy::{
    Announcement, AttemptEnd, Change, DispatchConfig, Event, Level, LimitPolicy, MemoryUse, Scope, Wait,
};
use plimsoll_core::runtime::supervisor::{Supervisor, TaskFailure};
use plimsoll_core::time::Moment;
use plimsoll_core::units::Bytes;

use crate::harness::Fleet;

fn fleet(policy: LimitPolicy) -> Fleet {
    let mut config = DispatchConfig::default();
    config.admission.policy = policy;
    config.retry.attempts = 1;
    Fleet::new(config)
}

fn crash() -> AttemptEnd {
    AttemptEnd::Failed(Fault::transient(FailureClass::PageCrash, "crashed").at(Stage::Step(1)))
}

/// The memory of a machine with 10 GiB.
fn in_use(gib: u64) -> MemoryUse {
    MemoryUse { used: Bytes::gib(gib), limit: Bytes::gib(10) }
}

#[test]
fn creation_limiter_at_most_50_contexts_are_being_created_at_once() {
    let mut fleet = fleet(LimitPolicy::Fixed);
    fleet.submit(300);
    assert_eq!(fleet.dispatch.load().creating, 50);
    assert_eq!(fleet.dispatch.waiting_for(fleet.now), Some(Wait::Creating { in_flight: 50, limit: 50 }));
    let first = *fleet.slots.first().expect("50 were started");
    fleet.tell(Event::Opened(first));
    assert_eq!(fleet.dispatch.load().creating, 50, "one came up, the next began");
}

#[test]
fn total_limit_at_most_100_contexts_are_active() {
    let mut fleet = fleet(LimitPolicy::Fixed);
    fleet.submit(300);
    for _ in 0..5 {
        fleet.open_all();
    }
    assert_eq!(fleet.dispatch.load().active, 100);
    assert_eq!(fleet.dispatch.waiting_for(fleet.now), Some(Wait::Active { in_flight: 100, limit: 100 }));
    fleet.end_one(AttemptEnd::Succeeded);
    assert_eq!(fleet.dispatch.load().active, 100, "one left, the next came");
    assert_eq!(fleet.dispatch.peaks().active, 100);
}

#[test]
fn monitor_warns_from_80_percent_of_the_limit_at_most_once_in_30_seconds() {
    let mut fleet = fleet(LimitPolicy::Fixed);
    fleet.submit(79);
    fleet.open_all();
    fleet.submit(0);
    for _ in 0..5 {
        fleet.open_all();
    }
    let warnings = |fleet: &Fleet| {
        let nearing = fleet.announcements.iter().filter_map(|(at, announcement)| match announcement {
            Announcement::Nearing { active, suppressed, .. } => {
                Some((at.elapsed().as_secs(), *active, *suppressed))
            }
            _ => None,
        });
        nearing.collect::<Vec<_>>()
    };
    assert_eq!(warnings(&fleet), [], "79 of 100 are no reason");
    fleet.submit(10);
    assert_eq!(warnings(&fleet), [(0, 80, 0)], "the 80th is; the next nine are only counted");
    fleet.wait(29);
    fleet.submit(1);
    assert_eq!(warnings(&fleet).len(), 1);
    fleet.wait(1);
    assert_eq!(warnings(&fleet)[1], (30, 90, 10), "those that were only counted");
    fleet.submit(1);
    fleet.end_one(crash());
    let (load, counts) = (fleet.dispatch.load(), fleet.dispatch.counts());
    assert_eq!((load.active, counts.failed), (90, 1), "both counts are exact, warned or not");
    fleet.tell(Event::Finish);
    assert_eq!(warnings(&fleet)[2..], [(30, 91, 1)], "nothing is left unsaid at the end");
}

#[test]
fn failure_counter_trips_at_50_and_creation_stops_and_comes_back() {
    let mut fleet = fleet(LimitPolicy::Fixed);
    fleet.submit(200);
    fleet.open_all();
    fleet.end_one(AttemptEnd::Succeeded);
    // The counter is never below 0, so the first success has no effect. Each of the six later ones subtracts 1.
    for n in 0..61 {
        fleet.end_one(if n % 10 == 5 { AttemptEnd::Succeeded } else { crash() });
        fleet.open_all();
    }
    let open = |fleet: &Fleet| matches!(fleet.dispatch.waiting_for(fleet.now), Some(Wait::Breaker(_)));
    assert!(!open(&fleet), "49 are not 50");
    fleet.end_one(crash());
    assert!(open(&fleet), "{:?}", fleet.dispatch.waiting_for(fleet.now));
    let trips = fleet.announcements.iter().filter(|(_, announcement)| {
        matches!(announcement, Announcement::Breaker(Scope::Fuse, Change::Opened { .. }))
    });
    assert_eq!(trips.count(), 1, "announced once");
    let held = fleet.slots.len();
    fleet.end_one(AttemptEnd::Succeeded);
    assert_eq!(fleet.slots.len(), held - 1, "creation has stopped: nothing replaces what ends");
    // The recovery, which the incident's counter lacked: five successful probes.
    while !fleet.slots.is_empty() {
        fleet.end_one(AttemptEnd::Succeeded);
    }
    for _ in 0..60 {
        fleet.wait(1);
        fleet.open_all();
        while !fleet.slots.is_empty() && open(&fleet) {
            fleet.end_one(AttemptEnd::Succeeded);
        }
    }
    assert!(!open(&fleet), "{:?}", fleet.dispatch.waiting_for(fleet.now));
    assert!(fleet.slots.len() > 1, "creation goes on");
}

#[tokio::test]
async fn task_supervision_every_end_is_seen_and_cancellation_is_not_a_failure() {
    let root = Supervisor::root();
    let done = root.spawn("done", async { 1 });
    let panics = root.spawn("panics", async { panic!("seen") });
    let (done, panics): (_, Result<(), _>) = (done.await, panics.await);
    assert_eq!((done, panics), (Ok(1), Err(TaskFailure::Panicked("seen".into()))));
    let cancelled = root.spawn("cancelled", std::future::pending::<()>());
    root.stop().await;
    assert_eq!(cancelled.await, Err(TaskFailure::Cancelled));
    assert_eq!(root.panics(), 1, "the panic, not the cancellation");
}

#[test]
fn what_is_never_swallowed_shutdown_reaches_every_job() {
    let mut fleet = fleet(LimitPolicy::Fixed);
    fleet.submit(300);
    fleet.tell(Event::Stop);
    assert_eq!(fleet.settled.len(), 250, "what waited is cancelled at once");
    while !fleet.slots.is_empty() {
        fleet.end_one(AttemptEnd::Cancelled);
    }
    assert_eq!(fleet.dispatch.counts().cancelled, 300);
    fleet.submit(1);
    assert_eq!(fleet.dispatch.counts().cancelled, 301, "and so is what comes later");
    assert_eq!(fleet.dispatch.counts().lost(), 0);
}

#[test]
fn what_is_never_swallowed_exits_and_exhausted_memory_are_told() {
    let mut fleet = fleet(LimitPolicy::Adaptive { cores: 2 });
    fleet.read(in_use(2), Some(0));
    fleet.submit(2);
    fleet.tell(Event::BrowserEnded(BrowserId(0)));
    assert_eq!(fleet.closed, [BrowserId(0)], "what is left of a browser that exited is cleared away");
    fleet.end_one(crash());
    fleet.read(in_use(2), Some(1));
    let emergency = |(_, announcement): &(Moment, Announcement)| matches!(announcement, Announcement::Pressure(change) if change.to == Level::Emergency);
    assert_eq!(
        fleet.announcements.iter().filter(|said| emergency(said)).count(),
        1,
        "a kill is an emergency"
    );
    fleet.submit(50);
    assert_eq!(fleet.slots.len(), 1, "nothing new begins");
}

#[test]
fn cleanup_closed_crashed_and_failed_contexts_give_their_slots_back() {
    let mut fleet = fleet(LimitPolicy::Fixed);
    fleet.submit(4);
    let [closed, crashed, vanished, lost] = [0, 1, 2, 3].map(SlotId);
    fleet.tell(Event::Opened(closed));
    fleet.tell(Event::Ended(closed, AttemptEnd::Succeeded));
    fleet.tell(Event::Ended(crashed, crash()));
    assert_eq!(fleet.dispatch.load().active, 4, "an ended attempt still holds its slot");
    for slot in [closed, crashed, vanished] {
        fleet.tell(Event::Freed(slot));
    }
    fleet.tell(Event::BrowserEnded(BrowserId(0)));
    fleet.tell(Event::Ended(lost, crash()));
    fleet.tell(Event::Freed(lost));
    assert_eq!(fleet.dispatch.load().active, 0);
    assert_eq!((fleet.dispatch.counts().succeeded, fleet.dispatch.counts().failed), (1, 3));
}

#[test]
fn cleanup_everything_can_be_closed_now() {
    let mut fleet = fleet(LimitPolicy::Fixed);
    fleet.submit(100);
    fleet.open_all();
    fleet.submit(1);
    let browsers = fleet.dispatch.placement().len();
    fleet.tell(Event::Finish);
    assert!(browsers >= 5);
    assert_eq!(fleet.closed.len(), browsers);
}

#[test]
fn two_modes_of_work_a_list_of_urls_and_steps() {
    for job in [
        r#"{"url":"http://site/"}"#,
        r##"{"url":"http://site/","steps":[{"click":"#go"},{"extract":{"a":"b"}}]}"##,
    ] {
        let keys: JobKeys = serde_json::from_str(job).expect("both are jobs");
        assert!(keys.into_job(|| "1".to_owned().try_into().expect("an id")).is_ok());
    }
}

#[test]
fn left_for_later_limits_follow_the_resources_and_admission_the_memory() {
    let mut fleet = fleet(LimitPolicy::Adaptive { cores: 2 });
    fleet.read(in_use(2), Some(0));
    fleet.submit(300);
    fleet.open_all();
    let before = fleet.dispatch.admission().active_limit();
    fleet.read(in_use(8), Some(0));
    assert!(matches!(fleet.dispatch.waiting_for(fleet.now), Some(Wait::Memory(_) | Wait::Creating { .. })));
    fleet.read(in_use(9), Some(0));
    assert_eq!(fleet.dispatch.admission().level(), Level::Critical);
    assert!(fleet.dispatch.admission().active_limit() < before, "the limit follows");
    fleet.open_all();
    let held = fleet.slots.len();
    fleet.end_one(AttemptEnd::Succeeded);
    assert_eq!(fleet.slots.len(), held - 1, "degraded, not dead: what runs ends well, nothing new begins");
    for _ in 0..60 {
        fleet.read(in_use(2), Some(0));
        fleet.open_all();
    }
    assert_eq!(fleet.dispatch.admission().level(), Level::Nominal);
    assert!(fleet.slots.len() > held, "and back");
}
