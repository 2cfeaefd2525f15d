//! Every run ends, and no job is abandoned while a retry may help: fleets with failures that last or end late.

use std::time::Duration;

use plimsoll_core::outcome::{FailureClass, Fault, Outcome, Stage};
use plimsoll_core::policy::{AttemptEnd, DispatchConfig, LeakyConfig, LimitPolicy, MemoryUse, Rule};
use plimsoll_core::time::Moment;
use plimsoll_core::units::{Bytes, Ratio};

use crate::harness::Fleet;

fn fixed() -> DispatchConfig {
    let mut config = DispatchConfig::default();
    config.admission.policy = LimitPolicy::Fixed;
    config
}

fn adaptive() -> DispatchConfig {
    let mut config = DispatchConfig::default();
    config.admission.policy = LimitPolicy::Adaptive { cores: 2 };
    config
}

fn failed(class: FailureClass) -> AttemptEnd {
    AttemptEnd::Failed(Fault::transient(class, "it did").at(Stage::Step(1)))
}

/// The memory of a machine with this percentage in use.
fn in_use(percent: u64) -> MemoryUse {
    MemoryUse { used: Bytes::mib(percent * 100), limit: Bytes::mib(10_000) }
}

#[test]
fn a_retry_that_no_budget_pays_for_is_made_all_the_same() {
    for (floor, per_second) in [(0, Ratio::ONE), (0, Ratio::ZERO), (3, Ratio::ZERO)] {
        let mut config = fixed();
        (config.retry_budget.floor, config.retry_budget.per_second) = (floor, per_second);
        let longest = config.retry.cap;
        let mut fleet = Fleet::new(config);
        fleet.submit(50);
        fleet.run(|attempt| match attempt.number {
            1 => failed(FailureClass::Navigation),
            _ => AttemptEnd::Succeeded,
        });
        assert_eq!(fleet.settled.len(), 50);
        for job in &fleet.settled {
            assert_eq!((&job.outcome, job.attempts), (&Outcome::Succeeded, 2));
            assert!(job.at <= Moment::ZERO + longest, "{job:?}");
        }
    }
}

#[test]
fn a_page_that_is_too_heavy_for_the_machine_fails_in_the_end() {
    let mut fleet = Fleet::new(adaptive());
    fleet.submit(1);
    while !fleet.dispatch.is_idle() {
        assert!(
            fleet.now < Moment::after(Duration::from_secs(600)),
            "it was evicted {} times",
            fleet.evictions
        );
        fleet.pass(in_use(if fleet.running.is_empty() { 40 } else { 97 }));
    }
    let [job] = &fleet.settled[..] else { panic!("{:?}", fleet.settled) };
    let failure = job.outcome.failure().expect("there is no room for it");
    assert_eq!((failure.fault.class, failure.stage), (FailureClass::Overload, Stage::Queue));
    assert_eq!(failure.fault.message, "evicted 5 times to save the machine");
    assert_eq!((fleet.evictions, job.attempts), (5, 3), "two are forgiven, and three attempts are allowed");
}

#[test]
fn the_one_try_of_a_fleet_that_starves_may_end() {
    let mut fleet = Fleet::new(adaptive());
    fleet.pass(in_use(96));
    fleet.submit(2);
    let mut served = 0;
    while !fleet.dispatch.is_idle() {
        // Another program on the machine holds nearly all of the memory and does not free it.
        fleet.pass(in_use(96));
        if let [slot] = fleet.running[..] {
            served += 1;
            if served % 60 == 0 {
                fleet.end(slot, AttemptEnd::Succeeded);
            }
        }
        assert!(fleet.now < Moment::after(Duration::from_secs(600)), "{} evictions", fleet.evictions);
    }
    assert_eq!((fleet.evictions, fleet.dispatch.counts().succeeded), (0, 2));
}

#[test]
fn a_last_try_that_is_not_alone_any_more_may_have_to_give_way() {
    let mut fleet = Fleet::new(adaptive());
    fleet.pass(in_use(96));
    fleet.submit(1);
    while fleet.running.is_empty() {
        fleet.pass(in_use(96));
    }
    fleet.submit(1);
    while fleet.running.len() < 2 {
        fleet.pass(in_use(40));
    }
    let (first, second) = (fleet.running[0], fleet.running[1]);
    fleet.pass(in_use(96));
    assert_eq!(fleet.running, [first], "{second} is the younger one");
}

/// A grid that fails after its fleet has served a job, and works again after this time.
fn outage(lasts: Duration) -> Fleet {
    let mut fleet = Fleet::new(fixed());
    fleet.submit(1);
    fleet.run(|_| AttemptEnd::Succeeded);
    fleet.outage = fleet.now..fleet.now + lasts;
    fleet.die();
    fleet.submit(1_000);
    fleet.run(|_| AttemptEnd::Succeeded);
    fleet
}

#[test]
fn an_outage_of_what_makes_browsers_costs_no_job() {
    for seconds in [10, 40, 59] {
        let fleet = outage(Duration::from_secs(seconds));
        assert_eq!(fleet.dispatch.counts().succeeded, 1_001, "it lasted {seconds} s");
    }
}

#[test]
fn an_outage_that_lasts_ends_the_run() {
    let fleet = outage(Duration::MAX);
    assert_eq!((fleet.dispatch.counts().succeeded, fleet.dispatch.counts().failed), (1, 1_000));
    let lasted = fleet.now.since(fleet.outage.start);
    assert!((60..140).contains(&lasted.as_secs()), "{lasted:?}");
}

#[test]
fn browsers_that_never_came_up_are_not_waited_for() {
    let mut fleet = Fleet::new(fixed());
    fleet.outage = Moment::ZERO..Moment::NEVER;
    fleet.submit(1_000);
    fleet.run(|_| AttemptEnd::Succeeded);
    assert_eq!(fleet.dispatch.counts().failed, 1_000);
    assert!(fleet.now <= Moment::after(Duration::from_secs(20)), "{}", fleet.now);
}

#[test]
fn a_machine_on_which_nothing_works_does_not_hold_a_batch_for_days() {
    let mut config = fixed();
    config.retry.attempts = 1;
    let mut fleet = Fleet::new(config);
    fleet.submit(1_000);
    fleet.run(|_| failed(FailureClass::PageCrash));
    assert!(fleet.now <= Moment::after(Duration::from_secs(600)), "{}", fleet.now);
    let unserved: Vec<_> = fleet.settled.iter().filter(|job| job.attempts == 0).collect();
    assert!(unserved.len() > 800, "{}", unserved.len());
    for job in unserved {
        assert!(job.at >= Moment::after(Duration::from_secs(300)), "{job:?}");
        let failure = job.outcome.failure().expect("it could not be served");
        assert_eq!((failure.fault.class, failure.stage), (FailureClass::Overload, Stage::Queue));
        assert!(failure.fault.message.contains("fuse"), "{failure}");
    }

    let before = fleet.now;
    fleet.submit(5);
    fleet.run(|_| AttemptEnd::Succeeded);
    assert_eq!((fleet.now, fleet.dispatch.counts().failed), (before, 1_005), "it still refuses");

    fleet.now += Duration::from_secs(600);
    fleet.submit(100);
    fleet.run(|_| AttemptEnd::Succeeded);
    assert_eq!(fleet.dispatch.counts().succeeded, 100, "a probe found out that it is well again");
}

#[test]
fn jobs_wait_for_a_slow_probe_of_the_fleet() {
    let mut config = fixed();
    config.retry.attempts = 1;
    config.admission.max_contexts = 1;
    let leaky = LeakyConfig { trips_at: 1, eased_to: 0, ..LeakyConfig::default() };
    config.admission.scopes.fuse.rule = Rule::Leaky(leaky);
    let mut fleet = Fleet::new(config);
    fleet.submit(1);
    fleet.answer(|_| failed(FailureClass::PageCrash));
    fleet.submit(20);
    while fleet.now < Moment::after(Duration::from_secs(900)) {
        fleet.pass(in_use(40));
    }
    let [probe] = fleet.running[..] else { panic!("{:?}", fleet.running) };
    fleet.end(probe, AttemptEnd::Succeeded);
    fleet.run(|_| AttemptEnd::Succeeded);
    assert_eq!((fleet.dispatch.counts().failed, fleet.dispatch.counts().succeeded), (1, 20));
}

/// The jobs take hours, so only the age of a browser can show that it was healthy.
#[test]
fn a_browser_that_lives_long_clears_the_record_of_those_before_it() {
    let mut config = fixed();
    config.retry.attempts = 1;
    config.admission.max_contexts = 1;
    let mut fleet = Fleet::new(config);
    fleet.submit(100);
    // The browser exits and its job fails. The result is the time until the next job has a browser.
    let rest_after_death = |fleet: &mut Fleet| {
        fleet.die();
        let running = fleet.running.clone();
        running.into_iter().for_each(|slot| fleet.end(slot, failed(FailureClass::BrowserCrash)));
        let died = fleet.now;
        while fleet.running.is_empty() {
            fleet.pass(in_use(40));
        }
        fleet.now.since(died)
    };
    let rests: Vec<_> = (0..14).map(|_| rest_after_death(&mut fleet)).collect();
    assert!(rests[13] > Duration::from_secs(45), "who dies young is replaced ever more slowly: {rests:?}");
    fleet.now += DispatchConfig::default().restarts.healthy_after;
    assert_eq!(rest_after_death(&mut fleet), Duration::from_secs(1), "the next reading comes in a second");
}
