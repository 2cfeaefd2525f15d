//! The breaker's single cases, and random histories beside a model that knows only the rules.

use proptest::prelude::*;

use super::*;
use crate::policy::leaky::LeakyConfig;
use crate::policy::window::Counts;

/// A breaker with its own time and chance, driven step by step.
struct Bench {
    breaker: Breaker,
    rng: fastrand::Rng,
    now: Moment,
    changes: Vec<Change>,
}

impl Bench {
    fn new(config: BreakerConfig) -> Self {
        Self {
            breaker: Breaker::new(config),
            rng: fastrand::Rng::with_seed(3),
            now: Moment::ZERO,
            changes: vec![],
        }
    }

    /// Opens after three failures in a row; two probes close it.
    fn brittle() -> Self {
        let rates = Rates { in_a_row: Some(3), ..Rates::default() };
        Self::new(BreakerConfig { rule: Rule::Rates(rates), probes: 2, ..BreakerConfig::default() })
    }

    fn acquire(&mut self) -> Result<BreakerPermit, Refused> {
        let answer = self.breaker.try_acquire(self.now, &mut self.rng);
        self.changes.extend(answer.change);
        answer.permit
    }

    fn record(&mut self, permit: BreakerPermit, verdict: Verdict) {
        let change = self.breaker.record(self.now, permit, verdict, &mut self.rng);
        self.changes.extend(change);
    }

    fn call(&mut self, verdict: Verdict) {
        let permit = self.acquire().expect("a call was to go through");
        self.record(permit, verdict);
    }

    fn trip(&mut self) {
        for _ in 0..3 {
            self.call(Verdict::Failure);
        }
        assert!(matches!(self.breaker.state(self.now), State::Open { .. }));
    }

    fn rest(&mut self) -> Duration {
        let State::Open { until, .. } = self.breaker.state(self.now) else { panic!("it is not open") };
        let rest = until.since(self.now);
        self.now = until;
        rest
    }
}

#[test]
fn it_opens_rests_probes_and_closes() {
    let mut bench = Bench::brittle();
    bench.trip();
    assert!(matches!(bench.acquire(), Err(Refused::Open { why: TripReason::InARow(3), .. })));
    let rest = bench.rest();
    assert!((4.0..=6.0).contains(&rest.as_secs_f64()), "{rest:?}");
    assert_eq!(bench.breaker.state(bench.now), State::HalfOpen { good: 0, needed: 2 });

    let probe = bench.acquire().expect("the first probe is due at once");
    assert!(matches!(bench.acquire(), Err(Refused::Probing { .. })), "one probe at a time");
    bench.record(probe, Verdict::Success);
    let Err(Refused::Probing { until }) = bench.acquire() else { panic!("probes are spaced") };
    assert!((0.8..=1.2).contains(&until.since(bench.now).as_secs_f64()));
    bench.now = until;
    bench.call(Verdict::Success);

    assert!(matches!(bench.changes[..], [Change::Opened { .. }, Change::HalfOpened, Change::Closed]));
    assert_eq!(bench.breaker.state(bench.now), State::Closed { counts: Counts::default() });
}

#[test]
fn rests_grow_while_it_flaps_and_shrink_again_after_a_quiet_time() {
    let mut bench = Bench::brittle();
    bench.trip();
    for expected in [5.0, 10.0, 20.0, 40.0, 60.0, 60.0] {
        let rest = bench.rest().as_secs_f64();
        assert!((expected * 0.8..=expected * 1.2).contains(&rest), "{rest} instead of {expected}");
        bench.call(Verdict::Failure);
    }
    bench.rest();
    bench.call(Verdict::Success);
    bench.now += Duration::from_secs(2);
    bench.call(Verdict::Success);
    bench.now += Duration::from_secs(299);
    bench.trip();
    assert!(bench.rest() >= Duration::from_secs(48), "closed for less than the quiet time");
    bench.call(Verdict::Success);
    bench.now += Duration::from_secs(2);
    bench.call(Verdict::Success);
    bench.now += Duration::from_secs(300);
    bench.trip();
    assert!(bench.rest() <= Duration::from_secs(6));
}

#[test]
fn an_outcome_from_before_the_trip_is_late_and_moves_nothing() {
    let mut bench = Bench::brittle();
    let old: Vec<_> = (0..5).map(|_| bench.acquire().expect("closed")).collect();
    bench.trip();
    bench.rest();
    let probe = bench.acquire().expect("half-open");
    for (permit, verdict) in old.into_iter().zip([Verdict::Failure, Verdict::Success].into_iter().cycle()) {
        bench.record(permit, verdict);
    }
    assert_eq!(bench.breaker.state(bench.now), State::HalfOpen { good: 0, needed: 2 });
    bench.record(probe, Verdict::Success);
    assert_eq!(bench.breaker.state(bench.now), State::HalfOpen { good: 1, needed: 2 });
}

#[test]
fn a_dropped_probe_gives_its_place_back() {
    let mut bench = Bench::brittle();
    bench.trip();
    bench.rest();
    for _ in 0..5 {
        bench.call(Verdict::Ignored);
        bench.now += Duration::from_secs(2);
    }
    assert_eq!(bench.breaker.state(bench.now), State::HalfOpen { good: 0, needed: 2 });
    bench.call(Verdict::Success);
}

#[test]
fn a_silent_probe_holds_up_the_next_for_a_while_and_its_answer_counts() {
    let mut bench = Bench::brittle();
    bench.trip();
    bench.rest();
    let silent = bench.acquire().expect("half-open");
    bench.now += Duration::from_secs(59);
    assert!(matches!(bench.acquire(), Err(Refused::Probing { .. })));
    bench.now += Duration::from_secs(1);
    let second = bench.acquire().expect("the first has had its time");
    bench.record(silent, Verdict::Success);
    bench.now += Duration::from_secs(2);
    assert!(matches!(bench.acquire(), Err(Refused::Probing { .. })), "the second is still out");
    assert_eq!(bench.breaker.state(bench.now), State::HalfOpen { good: 1, needed: 2 });
    bench.record(second, Verdict::Success);
    assert!(matches!(bench.breaker.state(bench.now), State::Closed { .. }));
    assert_eq!(bench.changes.len(), 3, "opened, half-open, closed");
}

#[test]
fn too_few_callers_close_it_if_what_they_saw_was_good() {
    let mut bench = Bench::brittle();
    bench.trip();
    bench.rest();
    bench.call(Verdict::Success);
    bench.now += Duration::from_secs(3600);
    assert!(matches!(bench.breaker.state(bench.now), State::Closed { .. }));
    bench.call(Verdict::Success);
    assert_eq!(bench.changes.last(), Some(&Change::Closed));
}

#[test]
fn a_slow_probe_is_bad_only_where_slowness_matters() {
    for (slow_rate, closes) in [(None, true), (Some(crate::units::Ratio::percent(80)), false)] {
        let rates = Rates { in_a_row: Some(3), slow_rate, ..Rates::default() };
        let config = BreakerConfig { rule: Rule::Rates(rates), probes: 1, ..BreakerConfig::default() };
        let mut bench = Bench::new(config);
        bench.trip();
        bench.rest();
        bench.call(Verdict::Slow);
        assert_eq!(matches!(bench.breaker.state(bench.now), State::Closed { .. }), closes);
    }
}

#[test]
fn the_leaky_fuse_finds_its_way_back() {
    let mut bench = Bench::new(BreakerConfig {
        rule: Rule::Leaky(LeakyConfig::default()),
        open: Backoff::doubling(Duration::from_secs(30), Duration::from_secs(300)),
        probes: 5,
        ..BreakerConfig::default()
    });
    for _ in 0..50 {
        bench.call(Verdict::Failure);
    }
    assert!(matches!(bench.acquire(), Err(Refused::Open { why: TripReason::Leaky(50), .. })));
    assert!(bench.rest() >= Duration::from_secs(24));
    for _ in 0..5 {
        bench.call(Verdict::Success);
        bench.now += Duration::from_secs(2);
    }
    let State::Closed { counts } = bench.breaker.state(bench.now) else {
        panic!("five good probes close it")
    };
    assert_eq!(counts.failures, 25);
}

#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Acquire,
    Record(usize, Verdict),
    Tick,
}

fn step() -> impl Strategy<Value = Step> {
    let verdict = prop_oneof![
        2 => Just(Verdict::Success), 1 => Just(Verdict::Slow), 3 => Just(Verdict::Failure),
        1 => Just(Verdict::TimedOut), 1 => Just(Verdict::Ignored),
    ];
    prop_oneof![
        4 => (0u64..3_000).prop_map(Step::Wait),
        1 => (0u64..200_000).prop_map(Step::Wait),
        8 => Just(Step::Acquire),
        8 => (any::<usize>(), verdict).prop_map(|(which, verdict)| Step::Record(which, verdict)),
        1 => Just(Step::Tick),
    ]
}

proptest! {
    /// The model keeps every answer given since the breaker last closed, and knows which permits are current.
    #[test]
    fn no_history_breaks_the_rules(steps in prop::collection::vec(step(), 1..300), seed: u64) {
        let mut bench = Bench::new(BreakerConfig { probes: 2, ..BreakerConfig::default() });
        bench.rng = fastrand::Rng::with_seed(seed);
        let mut out: Vec<(u64, Moment, BreakerPermit)> = Vec::new();
        let mut era = 0u64;
        let mut is_closed = true;
        let mut heard: Vec<(u64, Verdict)> = Vec::new();
        for step in steps {
            let before = bench.changes.len();
            let mut reported = None;
            match step {
                Step::Wait(millis) => bench.now += Duration::from_millis(millis),
                Step::Tick => {
                    let change = bench.breaker.on_timeout(bench.now);
                    bench.changes.extend(change);
                }
                Step::Acquire => {
                    let foreseen = bench.breaker.refusal(bench.now);
                    let answer = bench.acquire();
                    prop_assert_eq!(foreseen.is_some(), answer.is_err(), "reader and asker agree");
                    if let Ok(permit) = answer {
                        let era = era + (bench.changes.len() - before) as u64;
                        out.push((era, bench.now, permit));
                    }
                }
                Step::Record(which, verdict) if !out.is_empty() => {
                    let (of, _, permit) = out.swap_remove(which % out.len());
                    bench.record(permit, verdict);
                    reported = Some((of, verdict));
                }
                Step::Record(..) => {}
            }
            if let Some((of, verdict)) = reported
                && of == era
                && is_closed
                && verdict != Verdict::Ignored
            {
                heard.push((bench.now.elapsed().as_secs() / 3, verdict));
                let recent = || heard.iter().filter(|h| h.0 + 10 > bench.now.elapsed().as_secs() / 3);
                let calls = recent().count();
                let failures = recent().filter(|h| h.1.is_failure()).count();
                let slow = recent().filter(|h| h.1.is_slow()).count();
                let must_open = verdict != Verdict::Success && calls >= 10
                    && (failures * 2 >= calls || slow * 10 >= calls * 8);
                prop_assert_eq!(bench.changes.len() > before, must_open, "{} of {}", failures, calls);
            }
            prop_assert!(bench.changes.len() - before <= 1, "one call makes at most one change");
            if let Some(change) = bench.changes.get(before) {
                match (bench.changes[..before].last(), change) {
                    (None | Some(Change::Closed | Change::HalfOpened), Change::Opened { .. }) => {}
                    (Some(Change::Opened { .. }), Change::HalfOpened) => {}
                    (Some(Change::HalfOpened), Change::Closed) => {}
                    illegal => prop_assert!(false, "{:?}", illegal),
                }
                era += 1;
                is_closed = matches!(change, Change::Closed);
                heard.clear();
            }
            let probes = out.iter().filter(|(of, since, _)| {
                *of == era && bench.now.since(*since) < BreakerConfig::default().half_open_for
            });
            let probes_out = probes.count();
            prop_assert!(is_closed || probes_out <= 1, "{} probes at once", probes_out);
        }
        // Liveness: once every call succeeds, it closes, whatever came before.
        out.clear();
        let deadline = bench.now + Duration::from_secs(400);
        while bench.now < deadline {
            if let Ok(permit) = bench.acquire() {
                bench.record(permit, Verdict::Success);
            }
            bench.now += Duration::from_secs(1);
        }
        let has_closed = matches!(bench.breaker.state(bench.now), State::Closed { .. });
        prop_assert!(has_closed, "{:?}", bench.breaker.state(bench.now));
    }
}
