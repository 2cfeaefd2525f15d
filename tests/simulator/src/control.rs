//! Control: compares the adaptive limits with fixed limits under unlimited demand.
//!
//! Each [`Case`] is one machine with one change. A case is run with both policies on the same seeds: the same jobs,
//! the same pages, the same random numbers.

pub mod figure;
pub mod table;

use std::time::Duration;

use plimsoll_core::id::SlotId;
use plimsoll_core::policy::{Action, AdmissionConfig, DispatchConfig, Level, LimitPolicy, MAX_CONTEXTS};
use plimsoll_core::time::Moment;
use plimsoll_core::units::Bytes;

use crate::fault::Faults;
use crate::plan::{Decision, Entry, Plan};
use crate::scenario::{Load, Machine, Scenario};
use crate::subject::Subject;
use crate::world::World;
use crate::world_event::{End, WorldEvent};

/// The duration of a case.
pub const WATCHED: Duration = Duration::from_secs(450);
/// The time of the change, if the case has one.
pub const TURN: Duration = Duration::from_secs(150);

/// A machine, a load, and a change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Case {
    /// Its name in tables.
    pub name: &'static str,
    /// Memory.
    pub memory: Bytes,
    /// Cores.
    pub cores: u32,
    /// Contexts that may be active; the same number of further jobs waits.
    pub ceiling: u32,
    /// The peak memory of a page.
    pub page_memory: Bytes,
    /// Processor time of a page.
    pub page_cpu: Duration,
    /// How long a page is kept.
    pub hold: Duration,
    /// The change at [`TURN`].
    pub turn: Option<Decision>,
}

const fn case(name: &'static str, gib: u64, cores: u32, hold: u64, turn: Option<Decision>) -> Case {
    let (memory, page_memory, page_cpu) = (Bytes::gib(gib), Bytes::mib(120), Duration::from_secs(1));
    let hold = Duration::from_secs(hold);
    Case { name, memory, cores, ceiling: MAX_CONTEXTS, page_memory, page_cpu, hold, turn }
}

const fn neighbour(over: u64) -> Decision {
    let (over, lasts) = (Duration::from_secs(over), Duration::from_secs(120));
    Decision::Neighbour { takes: Bytes::gib(3), over, lasts }
}

/// Every case.
pub const CASES: [Case; 8] = [
    case("24 GiB, 2 cores, 45 s a job", 24, 2, 45, None),
    case("24 GiB, 2 cores, 600 s a job", 24, 2, 600, None),
    case("8 GiB, 2 cores, 45 s a job", 8, 2, 45, None),
    case("8 GiB, a neighbour takes 3 GiB within 30 s", 8, 2, 45, Some(neighbour(30))),
    case("8 GiB, a neighbour takes 3 GiB at once", 8, 2, 45, Some(neighbour(0))),
    case("24 GiB, cores 2 -> 0.7 for 60 s", 24, 2, 45, Some(Decision::Cores(0.35, Duration::from_secs(60)))),
    case("8 GiB, pages grow to 2.5 times", 8, 2, 45, Some(Decision::Heavier(2.5))),
    case("24 GiB, 8 cores, 45 s a job", 24, 8, 45, None),
];

/// A thousand contexts that hold a light page for longer than the case lasts: the machine can hold most of them, and
/// none ends, so their memory cannot be learnt from ends.
pub const LONG_LIVED: Case = Case {
    ceiling: 1_000,
    page_memory: Bytes::mib(17),
    page_cpu: Duration::from_millis(100),
    ..case("24 GiB, 2 cores, 1,000 light pages for 600 s", 24, 2, 600, None)
};

/// The same beside a program that takes 3 GiB within 60 s.
pub const LONG_LIVED_BESIDE_A_HOG: Case = Case { turn: Some(neighbour(60)), ..LONG_LIVED };

/// A thousand contexts whose pages grow to 120 MiB: more than fit the machine.
pub const LONG_LIVED_AND_HEAVY: Case = Case { page_memory: Bytes::mib(120), ..LONG_LIVED };

/// The policy of the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 50 in creation, and the ceiling active.
    Fixed,
    /// The same numbers as ceilings.
    Adaptive,
}

/// One second of a case.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Contexts held.
    pub active: u32,
    /// The limit on them.
    pub limit: u32,
    /// Contexts in creation.
    pub creating: u32,
    /// The limit on those.
    pub creation_limit: u32,
    /// The share of memory in use.
    pub used: f64,
    /// Kills by the kernel so far.
    pub oom_kills: u64,
    /// Attempts that succeeded so far.
    pub done: u64,
    /// The level of pressure.
    pub level: Level,
}

/// The results of a case.
#[derive(Debug, Clone, Default)]
pub struct Course {
    /// One sample a second.
    pub samples: Vec<Sample>,
    /// The durations of successful creations.
    pub creations: Vec<Duration>,
    /// Attempts that ran out of time.
    pub timeouts: u64,
    /// Attempts that were evicted.
    pub evicted: u64,
}

impl Case {
    /// Runs the case.
    #[must_use]
    pub fn run(&self, kind: Kind, seed: u64) -> Course {
        let plan = self.plan(kind, seed);
        let mut world = World::new(&plan);
        let mut subject = Subject::new(&plan.scenario.fleet, seed, None);
        let mut course = Course::default();
        let mut started: std::collections::BTreeMap<SlotId, Moment> = std::collections::BTreeMap::new();
        let (mut now, mut next_sample, mut done) = (Moment::ZERO, Moment::ZERO, 0);
        let mut answer = Vec::new();
        while now < Moment::after(WATCHED) {
            let change = subject.dispatch().next_change();
            now =
                world.next_due().into_iter().chain(change).chain([next_sample]).min().unwrap_or(now).max(now);
            world.step(now);
            let ticks = change.is_some_and(|at| at <= now).then_some(WorldEvent::Tick);
            for event in
                ticks.into_iter().chain(std::iter::from_fn(|| world.take_event(now))).collect::<Vec<_>>()
            {
                subject.handle(now, event, &mut answer);
                match event {
                    WorldEvent::Opened(slot) => {
                        course.creations.extend(started.remove(&slot).map(|at| now.since(at)));
                    }
                    WorldEvent::Ended(_, End::Succeeded) => done += 1,
                    WorldEvent::Ended(_, End::Evicted) => course.evicted += 1,
                    WorldEvent::Ended(
                        _,
                        End::Failed(_, plimsoll_core::outcome::FailureClass::Timeout, _),
                    ) => {
                        course.timeouts += 1;
                    }
                    _ => {}
                }
                for action in answer.drain(..) {
                    if let Action::Start { slot, .. } = action {
                        started.insert(slot, now);
                    }
                    world.apply(now, &action);
                }
            }
            if now >= next_sample {
                next_sample += Duration::from_secs(1);
                course.samples.push(sample(&subject, &world, done, self.memory));
            }
        }
        course
    }

    fn plan(&self, kind: Kind, seed: u64) -> Plan {
        let policy = match kind {
            Kind::Fixed => LimitPolicy::Fixed,
            Kind::Adaptive => LimitPolicy::Adaptive { cores: self.cores },
        };
        let load = Load {
            jobs: 5_000,
            burst: 5_000,
            hold: self.hold,
            page_memory: self.page_memory,
            page_cpu: self.page_cpu,
            attempt_timeout: self.hold.mul_f64(2.5) + Duration::from_secs(60),
            ..Load::default()
        };
        let scenario = Scenario {
            fleet: DispatchConfig {
                admission: AdmissionConfig {
                    policy,
                    max_contexts: self.ceiling,
                    ..AdmissionConfig::default()
                },
                queue_capacity: 10_000,
                ..DispatchConfig::default()
            },
            machine: Machine { cores: f64::from(self.cores), memory: self.memory, base: Bytes::mib(700) },
            load,
            faults: Faults::NONE,
            calm_at: WATCHED,
            stop: None,
        };
        let mut plan = Plan::of(seed, scenario);
        plan.entries.extend(self.turn.map(|what| Entry { at: Moment::after(TURN), what }));
        plan
    }
}

fn sample(subject: &Subject, world: &World, done: u64, memory: Bytes) -> Sample {
    let fleet = subject.dispatch();
    let (load, gates) = (fleet.load(), fleet.admission());
    Sample {
        active: load.active,
        limit: gates.active_limit(),
        creating: load.creating,
        creation_limit: gates.creation_limit(),
        used: world.memory().used.share_of(memory).value(),
        oom_kills: world.memory().oom_kills,
        done,
        level: gates.level(),
    }
}

impl Course {
    /// Attempts that succeeded in a minute.
    #[must_use]
    pub fn per_minute(&self) -> f64 {
        self.samples.last().map_or(0.0, |last| last.done as f64) * 60.0 / WATCHED.as_secs_f64()
    }

    /// Kills by the kernel.
    #[must_use]
    pub fn oom_kills(&self) -> u64 {
        self.samples.last().map_or(0, |last| last.oom_kills)
    }

    /// The 95th percentile of creation times.
    #[must_use]
    pub fn creation_p95(&self) -> Duration {
        let mut creations = self.creations.clone();
        creations.sort_unstable();
        creations.get(creations.len() * 95 / 100).copied().unwrap_or_default()
    }

    /// Contexts held on average between two seconds.
    #[must_use]
    pub fn active(&self, from: usize, to: usize) -> f64 {
        let span = &self.samples[from.min(self.samples.len())..to.min(self.samples.len())];
        span.iter().map(|sample| f64::from(sample.active)).sum::<f64>() / span.len().max(1) as f64
    }

    /// The second after `from` at which the contexts reach `wanted`, averaged over five seconds.
    #[must_use]
    pub fn reaches(&self, from: usize, wanted: f64) -> Option<usize> {
        (from..self.samples.len().saturating_sub(5)).find(|second| self.active(*second, second + 5) >= wanted)
    }

    /// The lowest and the highest limit on creations in the last 100 s.
    #[must_use]
    pub fn creation_limits(&self) -> (u32, u32) {
        let last = self.samples.iter().rev().take(100).map(|sample| sample.creation_limit);
        (last.clone().min().unwrap_or(0), last.max().unwrap_or(0))
    }

    /// The highest level of pressure.
    #[must_use]
    pub fn highest_level(&self) -> Level {
        self.samples.iter().map(|sample| sample.level).max().unwrap_or_default()
    }

    /// Changes of level in a minute.
    #[must_use]
    pub fn level_changes(&self) -> f64 {
        let changes = self.samples.windows(2).filter(|pair| pair[0].level != pair[1].level).count();
        changes as f64 * 60.0 / WATCHED.as_secs_f64()
    }
}
