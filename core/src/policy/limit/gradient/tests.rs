//! The law on a toy machine whose cores are shared by all creations, and its promises under arbitrary traces.

use proptest::prelude::*;

use super::*;

/// A machine on which each creation needs 280 ms of processor time, divided fairly, with endless demand: the plant of the
/// simulation from which the law's constants come.
struct Machine {
    cores: f64,
    limit: GradientLimit,
    now: Moment,
    /// Age and processor time still needed, in seconds.
    creating: Vec<(f64, f64)>,
    timeouts: u32,
    done: u32,
}

impl Machine {
    const STEP: f64 = 0.02;

    fn new(cores: f64) -> Self {
        let limit = GradientLimit::new(GradientConfig { start: cores as u32, ..GradientConfig::default() });
        Self { cores, limit, now: Moment::ZERO, creating: vec![], timeouts: 0, done: 0 }
    }

    fn run(&mut self, seconds: f64) -> Vec<u32> {
        let mut limits = vec![];
        for step in 0..(seconds / Self::STEP) as usize {
            while (self.creating.len() as u32) < self.limit.current() {
                // Sizes differ by ± 20 %, in a fixed pattern.
                let size = 0.28 * (0.8 + 0.1 * ((step + self.creating.len()) % 5) as f64);
                self.creating.push((0.0, size));
                self.limit.on_started(self.creating.len() as u32);
            }
            self.now += Duration::from_secs_f64(Self::STEP);
            let share = Self::STEP * (self.cores / self.creating.len() as f64).min(1.0);
            for (age, left) in &mut self.creating {
                *age += Self::STEP;
                *left -= share;
            }
            let limit = &mut self.limit;
            let (done, timeouts) = (&mut self.done, &mut self.timeouts);
            self.creating.retain(|(age, left)| {
                if *left <= 0.0 {
                    limit.on_created(Duration::from_secs_f64(*age));
                    *done += 1;
                } else if *age >= 30.0 {
                    limit.on_timed_out();
                    *timeouts += 1;
                }
                *left > 0.0 && *age < 30.0
            });
            self.limit.on_tick(self.now, self.creating.len() as u32);
            limits.push(self.limit.current());
        }
        limits
    }
}

#[test]
fn two_cores_settle_at_a_few_creations_without_a_timeout_or_idle_cores() {
    let mut machine = Machine::new(2.0);
    machine.run(100.0);
    let settled = machine.run(100.0);
    let (least, most) = (settled.iter().min().copied(), settled.iter().max().copied());
    assert!(least >= Some(3) && most <= Some(8), "{least:?} to {most:?}");
    assert_eq!(machine.timeouts, 0);
    assert!(machine.done > 1_200, "{} creations in 200 s; 1 262 when this was written", machine.done);
}

#[test]
fn a_dip_of_the_processor_is_survived_and_recovered_from() {
    let mut machine = Machine::new(2.0);
    machine.run(100.0);
    machine.cores = 0.7;
    machine.run(60.0);
    assert!(machine.limit.current() <= 4, "{}", machine.limit.current());
    machine.cores = 2.0;
    let before = machine.done;
    machine.run(60.0);
    assert_eq!(machine.timeouts, 0);
    assert!(machine.done - before > 380, "{} of at most 428", machine.done - before);
}

#[test]
fn many_cores_are_soon_used_to_the_full() {
    let mut machine = Machine::new(32.0);
    let limits = machine.run(30.0);
    assert!(limits.last() >= Some(&40), "{:?}", limits.last());
}

/// One window of a second with these samples and this peak.
fn window(limit: &mut GradientLimit, now: &mut Moment, samples: &[u64], peak: u32) -> u32 {
    limit.on_started(peak);
    for millis in samples {
        limit.on_created(Duration::from_millis(*millis));
    }
    *now += LONG_WINDOW;
    limit.on_tick(*now, 0);
    limit.current()
}

#[test]
fn fast_failures_and_an_unused_limit_never_raise_it() {
    let mut limit = GradientLimit::new(GradientConfig { start: 8, ..GradientConfig::default() });
    let mut now = Moment::ZERO;
    for _ in 0..100 {
        assert_eq!(window(&mut limit, &mut now, &[], 50), 8, "failures only: no samples");
        assert_eq!(window(&mut limit, &mut now, &[100; 5], 7), 8, "the limit was not reached");
        assert_eq!(window(&mut limit, &mut now, &[0; 5], 8), 8, "a clock that stands still");
    }
    assert_eq!(window(&mut limit, &mut now, &[100; 5], 8), 12);
}

#[test]
fn one_timeout_ends_the_exploration_and_cuts_even_an_unused_limit() {
    let mut limit = GradientLimit::new(GradientConfig { start: 20, ..GradientConfig::default() });
    let mut now = Moment::ZERO;
    limit.on_timed_out();
    assert_eq!(window(&mut limit, &mut now, &[100; 9], 1), 18);
    assert!(window(&mut limit, &mut now, &[100; 9], 20) < 27, "no longer × 1.5");
}

#[test]
fn a_machine_that_became_slower_for_good_is_believed_in_the_end() {
    let mut limit = GradientLimit::new(GradientConfig { start: 4, ..GradientConfig::default() });
    let mut now = Moment::ZERO;
    window(&mut limit, &mut now, &[100; 5], 1);
    let mut lowest = u32::MAX;
    for _ in 0..60 {
        let peak = limit.current();
        lowest = lowest.min(window(&mut limit, &mut now, &[1_000; 5], peak));
    }
    assert_eq!(lowest, 1);
    assert!(limit.current() > 4, "the old base was forgotten: {}", limit.current());
}

#[derive(Debug, Clone)]
enum Event {
    Wait(u64),
    Start(u32),
    Created(u64),
    TimedOut,
    Tick(u32),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0u64..4_000).prop_map(Event::Wait),
        (0u32..120).prop_map(Event::Start),
        (0u64..40_000).prop_map(Event::Created),
        Just(Event::TimedOut),
        (0u32..120).prop_map(Event::Tick),
    ]
}

proptest! {
    #[test]
    fn it_stays_in_bounds_grows_only_when_reached_and_is_deaf_to_idle_ticks(
        start: u32, max in 0u32..60, events in prop::collection::vec(event(), 1..400),
    ) {
        let mut limit = GradientLimit::new(GradientConfig { start, max, ..GradientConfig::default() });
        let mut eager = limit.clone();
        let mut now = Moment::ZERO;
        let mut peak = 0;
        for event in events {
            let before = limit.current();
            match event {
                Event::Wait(millis) => now += Duration::from_millis(millis),
                Event::Start(n) => {
                    peak = peak.max(n);
                    limit.on_started(n);
                    eager.on_started(n);
                }
                Event::Created(millis) => {
                    limit.on_created(Duration::from_millis(millis));
                    eager.on_created(Duration::from_millis(millis));
                }
                Event::TimedOut => {
                    limit.on_timed_out();
                    eager.on_timed_out();
                }
                Event::Tick(n) => {
                    let closes = now >= limit.poll_timeout();
                    limit.on_tick(now, n);
                    (0..3).for_each(|_| eager.on_tick(now, n));
                    prop_assert_eq!(limit.current(), eager.current());
                    prop_assert!(limit.current() <= before || peak.max(n) >= before, "grew unused");
                    peak = if closes { n } else { peak.max(n) };
                }
            }
            prop_assert!((1..=max.max(1)).contains(&limit.current()));
        }
    }
}
