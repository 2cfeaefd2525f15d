//! Needles against a model that remembers every value, and the cases that cost contexts when they go wrong.

use proptest::prelude::*;

use super::*;
use crate::policy::pressure::{Disk, MemoryUse, Stall, Tally};
use crate::units::Bytes;

struct Bench {
    gauge: Gauge,
    now: Moment,
    active: u32,
}

impl Bench {
    fn new() -> Self {
        Self { gauge: Gauge::new(PressureConfig::default()), now: Moment::ZERO, active: 100 }
    }

    fn read(&mut self, reading: &Reading) -> Option<LevelChange> {
        self.gauge.on_reading(self.now, reading, self.active)
    }

    fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    fn memory(&self, percent: u64) -> Reading {
        let value = MemoryUse { used: Bytes::mib(percent), limit: Bytes::mib(100) };
        Reading { memory: Some(self.sensed(value)), ..Reading::default() }
    }

    fn sensed<T>(&self, value: T) -> Sensed<T> {
        Sensed { value, source: "test", at: self.now }
    }
}

fn step(change: Option<LevelChange>) -> Option<(Level, Level)> {
    change.map(|change| (change.from, change.to))
}

#[test]
fn danger_counts_at_once_and_relief_only_when_it_lasts() {
    let mut bench = Bench::new();
    assert_eq!(step(bench.read(&bench.memory(50))), None);
    assert_eq!(step(bench.read(&bench.memory(90))), Some((Level::Nominal, Level::Critical)));
    assert_eq!(step(bench.read(&bench.memory(90))), None, "announced once");
    for _ in 0..2 {
        bench.wait(1);
        assert_eq!(step(bench.read(&bench.memory(84))), None);
        bench.wait(9);
        assert_eq!(step(bench.read(&bench.memory(85))), None, "at the line is not below it");
    }
    bench.wait(1);
    assert_eq!(step(bench.read(&bench.memory(84))), None);
    bench.wait(10);
    assert_eq!(step(bench.read(&bench.memory(84))), Some((Level::Critical, Level::Elevated)));
    assert_eq!(step(bench.read(&bench.memory(20))), None, "each level is held for its own time");
    bench.wait(10);
    assert_eq!(step(bench.read(&bench.memory(20))), Some((Level::Elevated, Level::Nominal)));
}

#[test]
fn an_emergency_that_is_left_uncovers_a_critical_level_that_is_not() {
    let mut bench = Bench::new();
    let _ = bench.read(&bench.memory(96));
    bench.wait(1);
    let _ = bench.read(&bench.memory(90));
    bench.wait(9);
    assert_eq!(step(bench.read(&bench.memory(90))), None);
    bench.wait(1);
    assert_eq!(step(bench.read(&bench.memory(20))), Some((Level::Emergency, Level::Critical)));
    bench.wait(9);
    assert_eq!(step(bench.read(&bench.memory(20))), None);
    bench.wait(1);
    assert_eq!(step(bench.read(&bench.memory(20))), Some((Level::Critical, Level::Nominal)));
}

#[test]
fn the_cause_is_the_needle_that_must_fall() {
    let mut bench = Bench::new();
    let mut reading = bench.memory(86);
    reading.memory_stall =
        Some(bench.sensed(Stall { some10: Ratio::percent(40), full10: Ratio::percent(12) }));
    let change = bench.read(&reading).expect("the level rises");
    let cause = change.cause.expect("a raised level has a cause");
    assert_eq!(
        (change.to, cause.signal, cause.line),
        (Level::Critical, Signal::MemoryFull, Ratio::percent(2))
    );
    assert_eq!(cause.to_string(), "all stalled for memory 12.0% of the time, must fall below 2.0%");
}

#[test]
fn nobody_is_evicted_for_a_danger_that_is_past_or_out_of_sight() {
    let mut bench = Bench::new();
    let _ = bench.read(&bench.memory(96));
    assert_eq!(bench.gauge.eviction_pace(), Some(Pace::at(Ratio::percent(96))));
    let _ = bench.read(&bench.memory(94));
    assert!(bench.gauge.eviction_pace().is_some(), "between the lines it is still urgent");
    let _ = bench.read(&bench.memory(92));
    assert_eq!(bench.gauge.level(), Level::Emergency);
    assert_eq!(bench.gauge.eviction_pace(), None);
    let _ = bench.read(&bench.memory(98));
    assert_eq!(bench.gauge.eviction_pace(), Some(Pace::at(Ratio::percent(98))));
    bench.wait(11);
    let _ = bench.read(&Reading::default());
    assert_eq!(bench.gauge.eviction_pace(), None);
    assert_eq!(bench.gauge.level(), Level::Elevated, "blind to memory: no growth");
}

#[test]
fn a_stall_counts_one_level_less_while_memory_is_to_spare() {
    let level = |memory: Option<u64>, full: u32| {
        let mut bench = Bench::new();
        let stall = Stall { some10: Ratio::percent(full + full / 2), full10: Ratio::percent(full) };
        let mut reading = Reading { memory_stall: Some(bench.sensed(stall)), ..Reading::default() };
        if let Some(percent) = memory {
            reading.memory = bench.memory(percent).memory;
        }
        let _ = bench.read(&reading);
        bench.gauge.level()
    };
    assert_eq!(level(Some(79), 9), Level::Nominal, "processes start; 21 % of memory is free");
    assert_eq!(level(Some(79), 10), Level::Elevated);
    assert_eq!(level(Some(10), 20), Level::Critical, "a large stall counts however much is free");
    assert_eq!(level(Some(80), 9), Level::Elevated);
    assert_eq!(level(Some(80), 20), Level::Emergency);
    assert_eq!(level(None, 20), Level::Emergency, "memory that is not seen is not to spare");
}

#[test]
fn blindness_is_listed_and_one_missed_reading_is_not_blindness() {
    let mut bench = Bench::new();
    assert_eq!(bench.gauge.blind().count(), Signal::ALL.len());
    let _ = bench.read(&bench.memory(91));
    bench.wait(10);
    assert_eq!(step(bench.read(&Reading::default())), None);
    assert_eq!(bench.gauge.level(), Level::Critical);
    let mut stale = bench.memory(91);
    bench.wait(11);
    stale.memory_stall = Some(bench.sensed(Stall { some10: Ratio::ZERO, full10: Ratio::ZERO }));
    assert_eq!(
        step(bench.read(&stale)),
        Some((Level::Critical, Level::Nominal)),
        "the other sensor sees no stall"
    );
    assert!(bench.gauge.blind().any(|signal| signal == Signal::MemoryUse));
    assert!(bench.gauge.blind().all(|signal| signal != Signal::MemoryFull));
}

#[test]
fn only_a_new_kill_is_an_emergency() {
    let mut bench = Bench::new();
    for (kills, expected) in [(7, Level::Nominal), (7, Level::Nominal), (8, Level::Emergency)] {
        let mut reading = bench.memory(50);
        reading.oom_kills = Some(bench.sensed(kills));
        let _ = bench.read(&reading);
        assert_eq!(bench.gauge.level(), expected);
    }
    let mut reading = bench.memory(50);
    reading.oom_kills = Some(bench.sensed(0));
    let _ = bench.read(&reading);
    assert_eq!(bench.gauge.eviction_pace(), None, "the kernel has already taken one");
    bench.wait(10);
    reading.oom_kills = Some(bench.sensed(0));
    reading.memory = bench.memory(50).memory;
    assert_eq!(step(bench.read(&reading)), Some((Level::Emergency, Level::Nominal)));
}

#[test]
fn crashes_count_only_when_memory_is_short() {
    for (memory, crashes, expected) in
        [(79, 50, Level::Nominal), (81, 2, Level::Nominal), (81, 3, Level::Critical)]
    {
        let mut bench = Bench::new();
        (0..crashes).for_each(|_| bench.gauge.on_crash(bench.now));
        let _ = bench.read(&bench.memory(memory));
        assert_eq!(bench.gauge.level(), expected, "{crashes} crashes at {memory} %");
    }
}

#[test]
fn a_disk_is_full_where_little_is_free_however_large_it_is() {
    for (free, total, expected) in [
        (Bytes::gib(1_000), Bytes::gib(1_000), Level::Nominal),
        (Bytes::mib(2_100), Bytes::gib(1_000), Level::Nominal),
        (Bytes::mib(2_000), Bytes::gib(1_000), Level::Elevated),
        (Bytes::mib(1_000), Bytes::gib(1_000), Level::Critical),
        (Bytes::mib(6), Bytes::mib(50), Level::Nominal),
        (Bytes::mib(4), Bytes::mib(50), Level::Elevated),
        (Bytes::mib(1), Bytes::mib(50), Level::Critical),
        (Bytes::ZERO, Bytes::ZERO, Level::Nominal),
    ] {
        let mut bench = Bench::new();
        let mut reading = bench.memory(10);
        reading.disk = Some(bench.sensed(Disk { free, total }));
        let _ = bench.read(&reading);
        assert_eq!(bench.gauge.level(), expected, "{free} of {total}");
    }
}

#[test]
fn an_unlimited_or_nonsensical_tally_raises_nothing() {
    let mut bench = Bench::new();
    let mut reading = bench.memory(10);
    reading.fds = Some(bench.sensed(Tally { used: 1 << 40, limit: 0 }));
    reading.loop_lag = Some(bench.sensed(Duration::from_millis(49)));
    assert_eq!(step(bench.read(&reading)), None);
    reading.loop_lag = Some(bench.sensed(Duration::from_millis(50)));
    assert_eq!(step(bench.read(&reading)), Some((Level::Nominal, Level::Elevated)));
}

proptest! {
    /// The model asks the whole history: a level holds if it was entered and no 10 s below its line followed.
    #[test]
    fn levels_follow_from_the_history(values in prop::collection::vec((1u64..6, 70u64..100), 1..150)) {
        let config = PressureConfig::default();
        let mut bench = Bench::new();
        let mut history: Vec<(Moment, Ratio)> = Vec::new();
        for (wait, percent) in values {
            bench.wait(wait);
            let before = bench.gauge.level();
            let change = bench.read(&bench.memory(percent));
            history.push((bench.now, Ratio::percent(percent as u32)));
            prop_assert_eq!(step(change), (before != bench.gauge.level()).then_some((before, bench.gauge.level())));

            let value = Ratio::percent(percent as u32);
            let entered = Lines::highest(config.memory_use.enter, value);
            prop_assert!(bench.gauge.level() >= entered, "a danger counts at once");
            for left in bench.gauge.level() as usize..before as usize {
                let line = config.memory_use.leave[left];
                let calm = history.iter().rev().take_while(|(_, value)| *value < line).last();
                let calm_for = calm.map_or(Duration::ZERO, |(since, _)| bench.now.since(*since));
                prop_assert!(calm_for >= config.hold, "left after {calm_for:?}");
            }
            if bench.gauge.level() > before {
                prop_assert_eq!(bench.gauge.level(), entered);
            }
            if bench.gauge.eviction_pace().is_some() {
                prop_assert!(value >= config.memory_use.leave[2]);
            }
        }
        bench.wait(1);
        for _ in 0..4 {
            let _ = bench.read(&bench.memory(0));
            bench.wait(10);
        }
        prop_assert_eq!(bench.gauge.level(), Level::Nominal);
    }
}
