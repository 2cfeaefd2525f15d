//! [`OutcomePlan`]: the outcome of an attempt, drawn when it begins; and [`LaunchPlan`], the same for a browser.

use std::time::Duration;

use plimsoll_core::id::{BrowserId, JobSeq};
use plimsoll_core::outcome::FailureClass;
use plimsoll_core::units::Bytes;

use crate::fault::{FaultKind, Faults, Injected};
use crate::scenario::Load;
use crate::world_event::Host;
use plimsoll_sim::chance::Chance;

/// The needs of an attempt, and its end if no other fault happens.
#[derive(Debug, Clone, Copy)]
pub struct OutcomePlan {
    /// Processor time of its creation.
    pub create_cpu: Duration,
    /// The waiting time of its creation besides processor time.
    pub create_wait: Duration,
    /// Processor time of its page.
    pub page_cpu: Duration,
    /// How long the page is kept after it has loaded.
    pub hold: Duration,
    /// How long its closing takes.
    pub close: Duration,
    /// The peak memory of its page.
    pub peak: Bytes,
    /// The growth of its memory per second after the peak.
    pub leak: Bytes,
    /// How its creation ends.
    pub creation: Way,
    /// How its page ends.
    pub page: Way,
    /// How its closing ends.
    pub closing: Closing,
    /// The event of its creation arrives after the event of its end.
    pub opened_late: bool,
}

/// How a stage ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It succeeds.
    Well,
    /// With this fault, which may go away.
    Fails(FailureClass),
    /// With this fault, every time.
    Refused(FailureClass),
    /// Never.
    Hangs,
}

/// How closing a context ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// It is gone.
    Well,
    /// The close cannot be verified.
    Unverified,
    /// The task was aborted: the context is gone, and the attempt has no result.
    Silent,
}

/// The random numbers that faults depend on.
pub(crate) struct FaultRng<'a> {
    /// The seed of the run.
    pub(crate) seed: u64,
    /// The current rates of faults.
    pub(crate) faults: &'a Faults,
    /// The counts of faults.
    pub(crate) injected: &'a mut Injected,
}

impl FaultRng<'_> {
    fn strikes(&mut self, chance: &mut Chance, kind: FaultKind) -> bool {
        let strikes = chance.happens(self.faults.rate(kind));
        if strikes {
            self.injected.count(kind);
        }
        strikes
    }
}

/// The site of a job.
#[must_use]
pub fn host_of(seed: u64, job: JobSeq, load: &Load) -> Host {
    Host((Chance::of(seed, &[0x405, job.0]).number() % u64::from(load.hosts.max(1))) as u32)
}

impl OutcomePlan {
    /// The outcome of an attempt; `weight` multiplies the memory of pages.
    pub(crate) fn drawn(rng: &mut FaultRng<'_>, job: JobSeq, attempt: u32, load: &Load, weight: f64) -> Self {
        let mut chance = Chance::of(rng.seed, &[0xfa7e, job.0, u64::from(attempt)]);
        let median = |chance: &mut Chance, of: Duration, sigma| {
            Duration::from_secs_f64(chance.log_normal(of.as_secs_f64(), sigma)).min(of.mul_f64(Load::LONGEST))
        };
        let peak = load.page_memory.0 as f64
            * chance.log_normal(1.0, load.memory_spread).min(Load::LONGEST)
            * weight;
        let mut outcome = Self {
            create_cpu: chance.span(load.create_cpu.0, load.create_cpu.1),
            create_wait: Duration::from_millis(u64::from(chance.count(1, 20))),
            page_cpu: median(&mut chance, load.page_cpu, 0.5),
            hold: median(&mut chance, load.hold, 0.3),
            close: Duration::from_millis(u64::from(chance.count(5, 200))),
            peak: Bytes(peak as u64),
            leak: Bytes::ZERO,
            creation: Way::Well,
            page: Way::Well,
            closing: Closing::Well,
            opened_late: false,
        };
        outcome.spoil(rng, &mut chance);
        outcome
    }

    fn spoil(&mut self, rng: &mut FaultRng<'_>, chance: &mut Chance) {
        let ways = [
            (FaultKind::CreateFails, Way::Fails(FailureClass::BrowserCrash)),
            (FaultKind::CreateHangs, Way::Hangs),
            (FaultKind::PageFails, Way::Fails(FailureClass::Navigation)),
            (FaultKind::PageRefused, Way::Refused(FailureClass::Navigation)),
            (FaultKind::PageCrashes, Way::Fails(FailureClass::PageCrash)),
            (FaultKind::PageHangs, Way::Hangs),
        ];
        for (kind, way) in ways {
            if rng.strikes(chance, kind) {
                let of_creation = matches!(kind, FaultKind::CreateFails | FaultKind::CreateHangs);
                *(if of_creation { &mut self.creation } else { &mut self.page }) = way;
            }
        }
        if rng.strikes(chance, FaultKind::PageLeaks) {
            self.leak = Bytes::mib(u64::from(chance.count(1, 40)));
        }
        if rng.strikes(chance, FaultKind::CloseFails) {
            self.closing = Closing::Unverified;
        }
        if rng.strikes(chance, FaultKind::CloseDrags) {
            self.close = Duration::from_secs_f64(chance.log_between(1.0, 40.0));
        }
        if rng.strikes(chance, FaultKind::TaskVanishes) {
            self.closing = Closing::Silent;
        }
        self.opened_late = rng.strikes(chance, FaultKind::OpenedLate);
    }
}

/// How a browser's start ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaunchPlan {
    /// The browser starts.
    Up,
    /// It fails this time.
    Fails,
    /// It fails every time.
    Refused,
    /// It never ends.
    Hangs,
}

impl LaunchPlan {
    /// The outcome of a browser's start.
    pub(crate) fn drawn(rng: &mut FaultRng<'_>, browser: BrowserId) -> Self {
        let mut chance = Chance::of(rng.seed, &[0x1a, browser.0]);
        let kinds = [
            (FaultKind::LaunchFails, Self::Fails),
            (FaultKind::LaunchRefused, Self::Refused),
            (FaultKind::LaunchHangs, Self::Hangs),
        ];
        let struck = kinds.into_iter().find(|(kind, _)| rng.strikes(&mut chance, *kind));
        struck.map_or(Self::Up, |(_, outcome)| outcome)
    }
}
