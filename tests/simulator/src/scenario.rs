//! [`Scenario`]: the machine, the load, the fleet's rules and the faults of one run.
//!
//! Drawn from a seed, *swarm* style: each seed first decides which kinds of fault exist for it and how often they
//! happen. A run with every fault on finds less than many runs with a few each, because one fault hides another.

use std::time::Duration;

use plimsoll_core::policy::{
    AdmissionConfig, DispatchConfig, LeakyConfig, LimitPolicy, PlacementConfig, RetryPolicy, Rule,
};
use plimsoll_core::units::Bytes;

use crate::fault::{FaultKind, Faults};
use plimsoll_sim::chance::Chance;

/// One run's circumstances.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// The rules under test.
    pub fleet: DispatchConfig,
    /// The machine.
    pub machine: Machine,
    /// The load.
    pub load: Load,
    /// The faults.
    pub faults: Faults,
    /// The moment after which there are no faults.
    pub calm_at: Duration,
    /// When the fleet is stopped, and the delay after which running attempts are cancelled.
    pub stop: Option<(Duration, Duration)>,
}

/// A machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Machine {
    /// Its cores.
    pub cores: f64,
    /// Its memory.
    pub memory: Bytes,
    /// Memory in use before the first browser.
    pub base: Bytes,
}

/// The load of the fleet and its cost. Values are medians of log-normal distributions unless stated otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Jobs in all.
    pub jobs: u32,
    /// Jobs that arrive at the same moment.
    pub burst: u32,
    /// The average time between bursts.
    pub every: Duration,
    /// Sites.
    pub hosts: u32,
    /// Processor time of a browser's start.
    pub launch_cpu: Duration,
    /// Processor time of a context's creation, least and most.
    pub create_cpu: (Duration, Duration),
    /// Processor time of a page.
    pub page_cpu: Duration,
    /// How long a page is kept after it has loaded.
    pub hold: Duration,
    /// The peak memory of a page.
    pub page_memory: Bytes,
    /// The spread of the peak: the sigma of its logarithm.
    pub memory_spread: f64,
    /// How long a page takes to reach its peak.
    pub growth: Duration,
    /// The memory of a browser without contexts.
    pub browser_memory: Bytes,
    /// How long an attempt may take.
    pub attempt_timeout: Duration,
}

impl Load {
    /// The greatest multiple of the median time or memory that a page takes.
    pub const LONGEST: f64 = 2.5;
}

impl Default for Load {
    /// Figures of a light page in headless-shell, and the toy plant of the adaptive law's first study.
    fn default() -> Self {
        Self {
            jobs: 100,
            burst: 1,
            every: Duration::from_millis(500),
            hosts: 1,
            launch_cpu: Duration::from_millis(1000),
            create_cpu: (Duration::from_millis(110), Duration::from_millis(280)),
            page_cpu: Duration::from_secs(1),
            hold: Duration::from_secs(2),
            page_memory: Bytes::mib(120),
            memory_spread: 0.5,
            growth: Duration::from_secs(5),
            browser_memory: Bytes::mib(150),
            attempt_timeout: Duration::from_secs(30),
        }
    }
}

impl Default for Scenario {
    /// The fleet's defaults on two cores and 24 GiB, a hundred light jobs, and nothing goes wrong.
    fn default() -> Self {
        Self {
            fleet: DispatchConfig::default(),
            machine: Machine { cores: 2.0, memory: Bytes::gib(24), base: Bytes::mib(700) },
            load: Load::default(),
            faults: Faults::NONE,
            calm_at: Duration::from_secs(60),
            stop: None,
        }
    }
}

impl Scenario {
    /// The scenario of a seed.
    #[must_use]
    pub fn drawn(seed: u64) -> Self {
        let mut chance = Chance::of(seed, &[0x5ce]);
        let calm_at = Duration::from_secs(u64::from(chance.count(60, 400)));
        let machine = Machine {
            cores: chance.one_of(&[1.0, 2.0, 2.0, 4.0, 8.0]),
            memory: Bytes::gib(chance.one_of(&[2, 2, 4, 8, 24])),
            base: Bytes::mib(700),
        };
        let load = load(&mut chance, calm_at, machine);
        let stop = chance.happens(0.2).then(|| {
            let at = calm_at.mul_f64(chance.between(0.2, 1.1));
            (at, Duration::from_secs(u64::from(chance.count(1, 30))))
        });
        let mut fleet = fleet(&mut chance, machine);
        if fleet.admission.policy == LimitPolicy::Fixed {
            // Fixed limits protect the machine only if they fit it: here they fit without faults.
            let each = load.page_memory.0 * 2 + load.browser_memory.0;
            let room = (machine.memory - machine.base).0 * 8 / 10;
            let fits = u32::try_from(room / each).unwrap_or(u32::MAX).max(1);
            fleet.admission.max_contexts = fleet.admission.max_contexts.min(fits);
        }
        Self { fleet, machine, load, faults: faults(&mut chance), calm_at, stop }
    }
}

fn load(chance: &mut Chance, storm: Duration, machine: Machine) -> Load {
    let jobs = chance.count(20, 800);
    let burst = chance.count(1, 50);
    let bursts = jobs.div_ceil(burst);
    let page_cpu = Duration::from_millis(u64::from(chance.count(20, 1500)));
    // Some jobs last longer than a breaker stays open.
    let (shortest, longest) = if chance.happens(0.25) { (5_000, 60_000) } else { (10, 20_000) };
    let hold = Duration::from_millis(u64::from(chance.count(shortest, longest)));
    // A healthy page on an idle machine is never late: only then is a timeout a fault.
    let healthy = (page_cpu + hold).mul_f64(Load::LONGEST) + Duration::from_secs(5);
    Load {
        jobs,
        burst,
        every: (storm / bursts).mul_f64(chance.between(0.1, 1.0)),
        hosts: chance.count(1, 6),
        page_cpu,
        hold,
        // One page alone never fills the machine.
        page_memory: Bytes::mib(u64::from(chance.count(20, 400))).min(Bytes(machine.memory.0 / 16)),
        memory_spread: chance.between(0.1, 0.8),
        growth: Duration::from_secs(u64::from(chance.count(1, 20))),
        attempt_timeout: healthy.mul_f64(chance.between(1.0, 3.0)),
        ..Load::default()
    }
}

fn fleet(chance: &mut Chance, machine: Machine) -> DispatchConfig {
    let policy = if chance.happens(0.5) {
        LimitPolicy::Fixed
    } else {
        LimitPolicy::Adaptive { cores: machine.cores as u32 }
    };
    let mut admission = AdmissionConfig {
        max_creating: chance.count(1, 50),
        max_contexts: chance.count(1, 100),
        policy,
        ..AdmissionConfig::default()
    };
    let trips_at = chance.count(3, 50);
    admission.scopes.fuse.rule =
        Rule::Leaky(LeakyConfig { trips_at, eased_to: trips_at / 2, ..LeakyConfig::default() });
    DispatchConfig {
        admission,
        placement: PlacementConfig {
            contexts_per_browser: chance.count(1, 25),
            max_launching: chance.count(1, 4),
            recycle_after_contexts: u64::from(chance.count(1, 500)),
            recycle_after: Duration::from_secs(u64::from(chance.count(10, 1800))),
        },
        retry: RetryPolicy { attempts: chance.count(1, 6), ..RetryPolicy::default() },
        queue_capacity: chance.count(1, 400) as usize,
        queue_timeout: chance.happens(0.4).then(|| Duration::from_secs(u64::from(chance.count(5, 90)))),
        ..DispatchConfig::default()
    }
}

fn faults(chance: &mut Chance) -> Faults {
    let mut faults = Faults::NONE;
    let appetite = chance.between(0.0, 0.5);
    for kind in FaultKind::ALL {
        let (low, high) = match kind {
            _ if kind.is_incident() => (0.2, 12.0),
            _ if kind.is_of_launch() => (0.02, 0.9),
            // Visible only if a context is evicted, which is rare enough.
            FaultKind::CloseDrags => (0.1, 1.0),
            _ => (0.005, 0.5),
        };
        // A launch that can never work ends every job that waits: rare, or nothing else is tested.
        let high = if kind == FaultKind::LaunchRefused { 0.1 } else { high };
        let rate = chance.log_between(low, high);
        if chance.happens(appetite) {
            faults.set(kind, rate);
        }
    }
    faults
}
