//! Bugs that the simulator found, each with the smallest scenario in which it happened. Each failed the invariant
//! that its name or its comment gives.

use std::time::Duration;

use plimsoll_core::policy::{LeakyConfig, LimitPolicy, Rule};
use plimsoll_core::time::Moment;
use plimsoll_core::units::Bytes;
use plimsoll_simulator::fault::FaultKind;
use plimsoll_simulator::journal::Journal;
use plimsoll_simulator::plan::{Decision, Entry, Plan};
use plimsoll_simulator::run::run;
use plimsoll_simulator::scenario::Scenario;

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn calm_scenario(jobs: u32, page: Duration) -> Scenario {
    let mut scenario = Scenario::default();
    (scenario.load.jobs, scenario.load.burst) = (jobs, jobs);
    (scenario.load.page_cpu, scenario.load.hold) = (Duration::from_millis(100), page);
    scenario.load.attempt_timeout = page * 3 + secs(30);
    scenario
}

#[track_caller]
fn holds(scenario: &Scenario, incidents: &[(u64, Decision)]) {
    for seed in 0..5 {
        let mut plan = Plan::of(seed, scenario.clone());
        plan.entries
            .extend(incidents.iter().map(|(at, what)| Entry { at: Moment::after(secs(*at)), what: *what }));
        let done = run(&plan, None, Journal::last(60));
        assert_eq!(done.violation, None, "seed {seed}\n{}", done.journal);
    }
}

/// Half-open lasted 60 s for all five probes together, so a fleet whose jobs take longer than 12 s never came back.
#[test]
fn five_slow_probes_close_the_fuse() {
    let mut scenario = calm_scenario(3, secs(20));
    let leaky = LeakyConfig { trips_at: 3, eased_to: 1, ..LeakyConfig::default() };
    scenario.fleet.admission.scopes.fuse.rule = Rule::Leaky(leaky);
    scenario.calm_at = secs(120);
    let deaths: Vec<_> = [5, 15, 25, 35].map(|at| (at, Decision::KillBrowser(0))).to_vec();
    holds(&scenario, &deaths);
}

/// The same for a host, whose jobs then failed although it had answered each of them.
#[test]
fn three_slow_probes_close_a_hosts_breaker() {
    let mut scenario = calm_scenario(40, secs(25));
    scenario.load.every = secs(4);
    scenario.load.burst = 10;
    scenario.calm_at = secs(400);
    holds(&scenario, &[(0, Decision::HostDown(0, secs(15)))]);
}

/// Browsers were started for the whole demand, and left no memory for the contexts they were started for.
#[test]
fn browsers_leave_room_for_contexts() {
    let mut scenario = calm_scenario(60, secs(3));
    scenario.machine.memory = Bytes::gib(2);
    scenario.fleet.placement.contexts_per_browser = 1;
    holds(&scenario, &[]);
}

/// A dying browser was replaced at once for ever, while the fuse let nothing start on any of them.
#[test]
fn browsers_that_keep_dying_are_replaced_ever_more_slowly() {
    let mut scenario = calm_scenario(60, secs(3));
    scenario.machine.memory = Bytes::gib(2);
    scenario.fleet.admission.policy = LimitPolicy::Fixed;
    scenario.fleet.placement.contexts_per_browser = 1;
    let hog = Decision::Neighbour { takes: Bytes::mib(1_300), over: secs(0), lasts: secs(240) };
    scenario.calm_at = secs(300);
    holds(&scenario, &[(1, hog)]);
}

/// A job that was held back because of its host came due behind retries, and expired late.
#[test]
fn jobs_that_were_held_back_expire_in_time() {
    let mut scenario = calm_scenario(60, secs(1));
    scenario.fleet.queue_timeout = Some(secs(8));
    scenario.fleet.admission.max_contexts = 2;
    scenario.fleet.retry.attempts = 4;
    scenario.faults.set(FaultKind::PageFails, 0.6);
    scenario.load.hosts = 3;
    holds(&scenario, &[(2, Decision::HostDown(0, secs(30)))]);
}

/// A browser that was told to close while it was starting, and then failed to start, stayed in the model of the fleet for ever.
#[test]
fn a_start_that_fails_after_the_end_is_forgotten() {
    let mut scenario = calm_scenario(5, secs(1));
    scenario.faults.set(FaultKind::LaunchHangs, 1.0);
    scenario.stop = Some((secs(10), secs(1)));
    holds(&scenario, &[]);
}

/// The end of an attempt came before the event of its context, and its success was not counted.
#[test]
fn a_success_counts_even_if_its_context_is_told_later() {
    let mut scenario = calm_scenario(50, secs(1));
    scenario.faults.set(FaultKind::OpenedLate, 0.5);
    scenario.faults.set(FaultKind::PageCrashes, 0.3);
    holds(&scenario, &[]);
}

/// A launch event that was repeated long after cleared all failed starts in between.
#[test]
fn late_news_of_a_start_changes_nothing() {
    let scenario = calm_scenario(40, secs(2));
    let late = |at| (at, Decision::Repeat(3, secs(20)));
    holds(
        &scenario,
        &[(5, Decision::LaunchOutage(secs(50))), late(2), late(3), late(4), (6, Decision::KillBrowser(0))],
    );
}

/// Memory that stood at 87 % until a moment ago counted as calm for as long as it had been below the emergency's line:
/// `pressure-heeded`.
#[test]
fn a_critical_level_below_an_emergency_is_held_for_its_own_time() {
    let mut scenario = calm_scenario(100, secs(1));
    (scenario.load.burst, scenario.load.every) = (1, secs(1));
    scenario.machine.memory = Bytes::gib(2);
    scenario.calm_at = secs(120);
    holds(
        &scenario,
        &[(30, Decision::Neighbour { takes: Bytes::mib(1_082), over: secs(0), lasts: secs(12) })],
    );
}

/// A probe that took longer than 60 s was called silent, so a healthy host whose jobs take that long stayed shut, and its
/// jobs were given up: `recovers`.
#[test]
fn probes_that_take_longer_than_a_minute_close_a_hosts_breaker() {
    let mut scenario = calm_scenario(40, secs(70));
    (scenario.load.burst, scenario.load.every) = (10, secs(4));
    scenario.calm_at = secs(400);
    holds(&scenario, &[(0, Decision::HostDown(0, secs(15)))]);
}
