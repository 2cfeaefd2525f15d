//! Ranges for the adaptive limits: they must not overshoot, oscillate, or do worse than the fixed limits.

use plimsoll_core::policy::Level;
use plimsoll_simulator::control::table::Row;
use plimsoll_simulator::control::{
    CASES, Case, Course, Kind, LONG_LIVED, LONG_LIVED_AND_HEAVY, LONG_LIVED_BESIDE_A_HOG, TURN,
};

fn case(name: &str) -> &'static Case {
    CASES.iter().find(|case| case.name.contains(name)).expect("the case is in the list")
}

fn both(name: &str) -> (Row, Row) {
    (Row::of(case(name), Kind::Fixed), Row::of(case(name), Kind::Adaptive))
}

#[test]
fn on_two_cores_fifty_creations_at_once_cost_a_quarter_of_the_work() {
    let (fixed, adaptive) = both("24 GiB, 2 cores, 45 s");
    assert!(adaptive.per_minute > 1.25 * fixed.per_minute, "{adaptive:?} {fixed:?}");
    assert!(adaptive.creation_p95 < 0.4 * fixed.creation_p95, "{adaptive:?} {fixed:?}");
    assert!(adaptive.ramp <= 100.0 && adaptive.timeouts == 0.0, "{adaptive:?}");
}

#[test]
fn short_memory_kills_nobody_who_was_admitted_by_the_ledger() {
    let (fixed, adaptive) = both("8 GiB, 2 cores");
    assert!(fixed.oom_kills > 50.0, "without kills there is nothing to compare: {fixed:?}");
    assert!(adaptive.oom_kills == 0.0 && adaptive.evicted == 0.0, "{adaptive:?}");
    assert!(adaptive.per_minute > 1.2 * fixed.per_minute, "{adaptive:?} {fixed:?}");
}

#[test]
fn heavier_pages_are_learnt_without_a_kill() {
    let (fixed, adaptive) = both("2.5 times");
    assert!(fixed.oom_kills > 50.0 && adaptive.oom_kills < 1.0, "{adaptive:?} {fixed:?}");
    assert!(adaptive.last < 0.6 * adaptive.before, "{adaptive:?}");
}

#[test]
fn a_neighbour_that_takes_three_gib_within_half_a_minute_costs_no_kill_and_is_made_good() {
    let (fixed, adaptive) = both("within 30 s");
    assert!(fixed.oom_kills > 50.0 && adaptive.oom_kills == 0.0, "{adaptive:?} {fixed:?}");
    assert!(adaptive.last > 0.9 * adaptive.before, "{adaptive:?}");
}

/// More than there is, between two looks: the kernel has killed before anybody could act.
#[test]
fn a_neighbour_that_takes_three_gib_at_once_costs_a_few_pages_and_is_made_good() {
    let (fixed, adaptive) = both("at once");
    assert!(adaptive.oom_kills < 0.05 * fixed.oom_kills, "{adaptive:?} {fixed:?}");
    assert!(adaptive.last > 0.9 * adaptive.before, "{adaptive:?}");
}

#[test]
fn a_dip_of_the_processor_is_made_good_within_a_minute() {
    let dip = case("cores 2 -> 0.7");
    for seed in 0..5 {
        let course = dip.run(Kind::Adaptive, seed);
        let turn = TURN.as_secs() as usize;
        let before = course.active(turn - 50, turn);
        let back = course.reaches(turn + 60, 0.9 * before).map(|second| second - turn - 60);
        assert!(back.is_some_and(|seconds| seconds <= 60), "seed {seed}: {back:?}");
    }
}

/// Each living context kept the promise of an unknown one, so that admission stood at 101 with a tenth of the memory used.
#[test]
fn contexts_that_live_are_known_without_one_that_ends() {
    for seed in 0..3 {
        let course = LONG_LIVED.run(Kind::Adaptive, seed);
        let after = course.active(175, 180);
        // The simulated browsers take twice the memory of real ones: the machine has room for some 800.
        assert!(after >= 550.0, "seed {seed}: {after} of 1,000 after three minutes");
        assert!(course.highest_level() <= Level::Elevated, "seed {seed}: {:?}", course.highest_level());
        assert_eq!((course.oom_kills(), course.evicted), (0, 0), "seed {seed}");
    }
}

#[test]
fn a_memory_hog_beside_long_lived_contexts_stops_admission_in_time() {
    for seed in 0..3 {
        let course = LONG_LIVED_BESIDE_A_HOG.run(Kind::Adaptive, seed);
        let turn = TURN.as_secs() as usize;
        let (before, beside) = (course.active(turn - 5, turn), course.active(turn + 60, turn + 120));
        assert_eq!(course.oom_kills(), 0, "seed {seed}: {:?}", course.highest_level());
        assert!(before > 500.0 && beside <= before + 20.0, "seed {seed}: {before}, then {beside}");
    }
}

#[test]
fn heavy_pages_that_live_are_not_mistaken_for_light_ones_while_they_grow() {
    for seed in 0..3 {
        let course = LONG_LIVED_AND_HEAVY.run(Kind::Adaptive, seed);
        assert_eq!((course.oom_kills(), course.evicted), (0, 0), "seed {seed}: {:?}", course.highest_level());
        let held = course.active(350, 450);
        assert!(held > 100.0, "seed {seed}: {held}");
    }
}

#[test]
fn with_cores_to_spare_nothing_is_lost() {
    let (fixed, adaptive) = both("8 cores");
    assert!(adaptive.per_minute > 0.95 * fixed.per_minute, "{adaptive:?} {fixed:?}");
    assert!(adaptive.ramp <= fixed.ramp + 10.0, "{adaptive:?} {fixed:?}");
}

#[test]
fn no_case_overshoots_or_swings() {
    for case in &CASES {
        for seed in 0..3 {
            let course = case.run(Kind::Adaptive, seed);
            calm(case, seed, &course);
        }
    }
}

fn calm(case: &Case, seed: u64, course: &Course) {
    let most = course.samples.iter().map(|sample| sample.active).max().unwrap_or(0);
    assert!(most <= 100, "{}, seed {seed}: {most} contexts", case.name);
    let (low, high) = course.creation_limits();
    let mean = f64::from(low + high) / 2.0;
    let swing = f64::from(high - low);
    assert!(
        low >= 1 && high <= 50 && swing <= 0.5 * mean + 2.0,
        "{}, seed {seed}: {low} to {high}",
        case.name
    );
    assert!(course.level_changes() <= 4.0, "{}, seed {seed}: {} a minute", case.name, course.level_changes());
}
