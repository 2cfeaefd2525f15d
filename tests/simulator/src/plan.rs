//! [`Plan`]: all external events, decided before the run: jobs, incidents, the stop.
//!
//! The outcome of an attempt or launch is drawn when it begins, from its own random stream. So an entry can be
//! removed from a plan without changing the random numbers of the rest, and a failing plan can be reduced.

use std::time::Duration;

use plimsoll_core::time::Moment;
use plimsoll_core::units::Bytes;

use crate::fault::FaultKind;
use crate::scenario::Scenario;
use plimsoll_sim::chance::Chance;

/// A run before it happens.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The seed of all random numbers.
    pub seed: u64,
    /// The circumstances.
    pub scenario: Scenario,
    /// The external events, in order.
    pub entries: Vec<Entry>,
}

/// An external event and its moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    /// The moment.
    pub at: Moment,
    /// The event.
    pub what: Decision,
}

/// An external event. A `pick` chooses among the objects that exist at the moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decision {
    /// Jobs are submitted.
    Submit {
        /// How many.
        jobs: u32,
    },
    /// A renderer is killed.
    KillRenderer(u64),
    /// A browser is killed.
    KillBrowser(u64),
    /// A browser stops answering.
    HangBrowser(u64),
    /// Another program takes memory.
    Neighbour {
        /// The memory that it takes.
        takes: Bytes,
        /// The time in which its memory grows.
        over: Duration,
        /// When it gives all of it back.
        lasts: Duration,
    },
    /// Only this share of the cores is left.
    Cores(f64, Duration),
    /// A site does not answer.
    HostDown(u64, Duration),
    /// The memory cannot be read.
    Blind(Duration),
    /// The fleet is frozen.
    Freeze(Duration),
    /// An earlier event, counted back from the last, is repeated after this time.
    Repeat(u64, Duration),
    /// The fleet is woken.
    Wake,
    /// No browser starts.
    LaunchOutage(Duration),
    /// Pages take this multiple of their memory from now on.
    Heavier(f64),
    /// Nothing begins any more.
    Stop,
    /// Everything that runs is cancelled.
    Cancel,
}

impl Plan {
    /// The plan of a seed.
    #[must_use]
    pub fn drawn(seed: u64) -> Self {
        Self::of(seed, Scenario::drawn(seed))
    }

    /// A plan for a scenario.
    #[must_use]
    pub fn of(seed: u64, scenario: Scenario) -> Self {
        let mut entries = submissions(seed, &scenario);
        for (kind, per_minute) in scenario.faults.on().filter(|(kind, _)| kind.is_incident()) {
            let mut chance = Chance::of(seed, &[0x1c1, kind as u64]);
            let mut at = Duration::ZERO;
            loop {
                let gap = -(1.0 - chance.share()).ln() * 60.0 / per_minute;
                at += Duration::from_secs_f64(gap.max(0.001));
                if at >= scenario.calm_at {
                    break;
                }
                let what = incident(kind, &mut chance, &scenario);
                entries.extend(what.map(|what| Entry { at: Moment::after(at), what }));
            }
        }
        if let Some((at, grace)) = scenario.stop {
            entries.push(Entry { at: Moment::after(at), what: Decision::Stop });
            entries.push(Entry { at: Moment::after(at + grace), what: Decision::Cancel });
        }
        entries.sort_by_key(|entry| entry.at);
        Self { seed, scenario, entries }
    }

    /// Jobs in all.
    #[must_use]
    pub fn jobs(&self) -> u64 {
        let jobs =
            |entry: &Entry| if let Decision::Submit { jobs } = entry.what { u64::from(jobs) } else { 0 };
        self.entries.iter().map(jobs).sum()
    }
}

fn submissions(seed: u64, scenario: &Scenario) -> Vec<Entry> {
    let mut chance = Chance::of(seed, &[0x5b]);
    let load = scenario.load;
    let mut left = load.jobs;
    let mut at = Moment::ZERO;
    let mut entries = Vec::new();
    while left > 0 {
        let jobs = load.burst.clamp(1, left);
        entries.push(Entry { at, what: Decision::Submit { jobs } });
        left -= jobs;
        at += load.every.mul_f64(chance.between(0.0, 2.0));
    }
    entries
}

fn incident(kind: FaultKind, chance: &mut Chance, scenario: &Scenario) -> Option<Decision> {
    let mut secs = |low, high| Duration::from_secs_f64(chance.log_between(low, high));
    let span = secs(1.0, 60.0);
    let short = secs(0.1, 20.0);
    let pick = chance.number();
    Some(match kind {
        FaultKind::RendererKilled => Decision::KillRenderer(pick),
        FaultKind::BrowserKilled => Decision::KillBrowser(pick),
        FaultKind::BrowserHangs => Decision::HangBrowser(pick),
        FaultKind::Neighbour => {
            let share = chance.between(0.1, 0.95);
            let takes = Bytes((scenario.machine.memory.0 as f64 * share) as u64);
            let over = if chance.happens(0.5) { Duration::ZERO } else { short.mul_f64(chance.share()) };
            Decision::Neighbour { takes, over, lasts: short }
        }
        FaultKind::CpuDip => Decision::Cores(chance.between(0.1, 0.8), span),
        FaultKind::HostDown => Decision::HostDown(pick, span),
        FaultKind::Blind => Decision::Blind(span),
        FaultKind::Frozen => Decision::Freeze(short),
        FaultKind::Repeated => Decision::Repeat(pick % 8, Duration::ZERO),
        FaultKind::Late => Decision::Repeat(pick % 64, span),
        FaultKind::Woken => Decision::Wake,
        FaultKind::LaunchOutage => Decision::LaunchOutage(span),
        _ => return None,
    })
}
