//! Scale: the cost of a decision and the memory of a context, with very many contexts.

use std::time::Duration;

use plimsoll_core::id::{BrowserId, JobSeq, SlotId};
use plimsoll_core::policy::{
    Action, AdmissionConfig, Dispatch, DispatchConfig, LimitPolicy, PlacementConfig,
};
use plimsoll_core::time::Moment;
use plimsoll_core::units::Bytes;

use crate::fault::Faults;
use crate::plan::Plan;
use crate::scenario::{Load, Machine, Scenario};
use crate::world_event::{End, Glance, Host, WorldEvent};

/// Decisions that are timed.
const TIMED: usize = 20_000;

/// The cost of decisions with this number of contexts open.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Contexts open.
    pub contexts: u32,
    /// The median duration of an admission.
    pub p50: Duration,
    /// The 99th percentile.
    pub p99: Duration,
    /// Memory the policies hold for each context.
    pub each: Bytes,
    /// The time to handle a reading of the machine.
    pub read: Duration,
    /// The time to handle a measurement of all browsers.
    pub measured: Duration,
}

/// Clock and memory readings, which the program provides.
pub trait Meter {
    /// Time since some beginning.
    fn time(&self) -> Duration;
    /// Memory of this process.
    fn memory(&self) -> Bytes;
}

/// Fills a fleet with contexts, then times admissions as others end.
#[must_use]
pub fn cost(contexts: u32, meter: &impl Meter) -> Cost {
    let before = meter.memory();
    let mut fleet = Fleet::new(contexts);
    fleet.fill(contexts);
    let each = Bytes((meter.memory() - before).0 / u64::from(contexts));
    let mut times: Vec<_> = (0..TIMED).map(|_| fleet.cycle(meter)).collect();
    times.sort_unstable();
    let glance = Glance { used: Some(Bytes::gib(1)), limit: Bytes::gib(1 << 20), full: 0, oom_kills: 0 };
    let mut timed = |event| {
        let start = meter.time();
        fleet.deliver(event);
        meter.time().saturating_sub(start)
    };
    let read = timed(WorldEvent::Read(glance));
    let measured = timed(WorldEvent::Measured(Bytes::mib(20 * u64::from(contexts))));
    Cost { contexts, p50: times[TIMED / 2], p99: times[TIMED * 99 / 100], each, read, measured }
}

/// The production policies, with a driver that succeeds immediately.
struct Fleet {
    dispatch: Dispatch,
    now: Moment,
    jobs: u64,
    oldest: u64,
    started: Vec<SlotId>,
    launched: Vec<BrowserId>,
}

impl Fleet {
    fn new(contexts: u32) -> Self {
        Self {
            dispatch: Dispatch::new(rules(contexts), 1),
            now: Moment::ZERO,
            jobs: 0,
            oldest: 0,
            started: Vec::new(),
            launched: Vec::new(),
        }
    }

    fn fill(&mut self, contexts: u32) {
        for _ in 0..contexts {
            self.submit();
            self.settle_in();
        }
    }

    /// Ends one context and admits another in its place; returns the time of the admission.
    fn cycle(&mut self, meter: &impl Meter) -> Duration {
        self.submit();
        let slot = SlotId(self.oldest);
        self.oldest += 1;
        self.deliver(WorldEvent::Ended(slot, End::Succeeded));
        let start = meter.time();
        self.deliver(WorldEvent::Freed(slot));
        let took = meter.time().saturating_sub(start);
        self.settle_in();
        took
    }

    fn submit(&mut self) {
        let host = Host((self.jobs % 100) as u32);
        self.deliver(WorldEvent::Submitted(JobSeq(self.jobs), host));
        self.jobs += 1;
    }

    /// Completes all starts.
    fn settle_in(&mut self) {
        while let Some(id) = self.launched.pop() {
            self.deliver(WorldEvent::Launched(id));
        }
        while let Some(slot) = self.started.pop() {
            self.deliver(WorldEvent::Opened(slot));
        }
    }

    fn deliver(&mut self, event: WorldEvent) {
        self.now += Duration::from_micros(10);
        self.dispatch.handle(self.now, event.event(self.now));
        while let Some(action) = self.dispatch.next_action() {
            match action {
                Action::Start { slot, .. } => self.started.push(slot),
                Action::Launch(id) => self.launched.push(id),
                _ => {}
            }
        }
    }
}

fn rules(contexts: u32) -> DispatchConfig {
    DispatchConfig {
        admission: AdmissionConfig {
            max_contexts: contexts,
            max_creating: contexts,
            policy: LimitPolicy::Fixed,
            ..AdmissionConfig::default()
        },
        placement: PlacementConfig {
            max_launching: 64,
            recycle_after_contexts: u64::MAX,
            ..PlacementConfig::default()
        },
        queue_capacity: contexts as usize * 4,
        ..DispatchConfig::default()
    }
}

/// A run that opens this number of contexts and keeps them busy.
#[must_use]
pub fn plan(contexts: u32) -> Plan {
    let jobs = contexts * 3;
    let load = Load {
        jobs,
        burst: (contexts / 100).max(1),
        every: Duration::from_millis(250),
        hosts: 100,
        page_cpu: Duration::from_millis(100),
        hold: Duration::from_secs(20),
        page_memory: Bytes::mib(30),
        attempt_timeout: Duration::from_secs(120),
        ..Load::default()
    };
    let scenario = Scenario {
        fleet: rules(contexts),
        machine: Machine { cores: f64::from(contexts), memory: Bytes::gib(1 << 14), base: Bytes::gib(1) },
        load,
        faults: Faults::NONE,
        calm_at: Duration::from_secs(60),
        stop: None,
    };
    Plan::of(u64::from(contexts), scenario)
}
