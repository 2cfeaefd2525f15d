//! [`Fate`]: what will become of one attempt, drawn when it begins; and [`LaunchFate`], the same for a browser.

use std::time::Duration;

use plimsoll_core::id::{BrowserId, JobSeq};
use plimsoll_core::outcome::FailureClass;
use plimsoll_core::units::Bytes;

use crate::fault::{FaultKind, Faults, Injected};
use crate::news::Host;
use crate::scenario::Load;
use plimsoll_sim::chance::Chance;

/// What one attempt will need, and how it will end if nothing else happens to it.
#[derive(Debug, Clone, Copy)]
pub struct Fate {
    /// Processor time of its creation.
    pub create_cpu: Duration,
    /// What its creation waits for besides the processor.
    pub create_wait: Duration,
    /// Processor time of its page.
    pub page_cpu: Duration,
    /// How long it is kept after that.
    pub hold: Duration,
    /// How long its closing takes.
    pub close: Duration,
    /// What its page takes at its peak.
    pub peak: Bytes,
    /// What it takes more each second after that.
    pub leak: Bytes,
    /// How its creation ends.
    pub creation: Way,
    /// How its page ends.
    pub page: Way,
    /// How its closing ends.
    pub closing: Closing,
    /// The news of its creation arrives after the news of its end.
    pub opened_late: bool,
}

/// How a stage ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Well.
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
    /// Nobody can say.
    Unverified,
    /// The task was torn down: it is gone, and nobody says how the attempt ended.
    Silent,
}

/// The luck that faults depend on.
pub(crate) struct Luck<'a> {
    /// Decides everything.
    pub(crate) seed: u64,
    /// How often things go wrong now.
    pub(crate) faults: &'a Faults,
    /// Where that is counted.
    pub(crate) injected: &'a mut Injected,
}

impl Luck<'_> {
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

impl Fate {
    /// No page takes longer, or more memory, than so many times the median.
    pub const LONGEST: f64 = 2.5;

    /// The fate of an attempt; `weight` scales what pages take.
    pub(crate) fn drawn(luck: &mut Luck<'_>, job: JobSeq, attempt: u32, load: &Load, weight: f64) -> Self {
        let mut chance = Chance::of(luck.seed, &[0xfa7e, job.0, u64::from(attempt)]);
        let median = |chance: &mut Chance, of: Duration, sigma| {
            Duration::from_secs_f64(chance.log_normal(of.as_secs_f64(), sigma)).min(of.mul_f64(Self::LONGEST))
        };
        let peak = load.page_memory.0 as f64
            * chance.log_normal(1.0, load.memory_spread).min(Self::LONGEST)
            * weight;
        let mut fate = Self {
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
        fate.spoil(luck, &mut chance);
        fate
    }

    fn spoil(&mut self, luck: &mut Luck<'_>, chance: &mut Chance) {
        let ways = [
            (FaultKind::CreateFails, Way::Fails(FailureClass::BrowserCrash)),
            (FaultKind::CreateHangs, Way::Hangs),
            (FaultKind::PageFails, Way::Fails(FailureClass::Navigation)),
            (FaultKind::PageRefused, Way::Refused(FailureClass::Navigation)),
            (FaultKind::PageCrashes, Way::Fails(FailureClass::PageCrash)),
            (FaultKind::PageHangs, Way::Hangs),
        ];
        for (kind, way) in ways {
            if luck.strikes(chance, kind) {
                let of_creation = matches!(kind, FaultKind::CreateFails | FaultKind::CreateHangs);
                *(if of_creation { &mut self.creation } else { &mut self.page }) = way;
            }
        }
        if luck.strikes(chance, FaultKind::PageLeaks) {
            self.leak = Bytes::mib(u64::from(chance.count(1, 40)));
        }
        if luck.strikes(chance, FaultKind::CloseFails) {
            self.closing = Closing::Unverified;
        }
        if luck.strikes(chance, FaultKind::CloseDrags) {
            self.close = Duration::from_secs_f64(chance.log_between(1.0, 40.0));
        }
        if luck.strikes(chance, FaultKind::TaskVanishes) {
            self.closing = Closing::Silent;
        }
        self.opened_late = luck.strikes(chance, FaultKind::OpenedLate);
    }
}

/// What becomes of a browser's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaunchFate {
    /// It comes up.
    Up,
    /// It does not, this time.
    Fails,
    /// It never will.
    Refused,
    /// It neither comes up nor fails.
    Hangs,
}

impl LaunchFate {
    /// The fate of a browser's start.
    pub(crate) fn drawn(luck: &mut Luck<'_>, browser: BrowserId) -> Self {
        let mut chance = Chance::of(luck.seed, &[0x1a, browser.0]);
        let kinds = [
            (FaultKind::LaunchFails, Self::Fails),
            (FaultKind::LaunchRefused, Self::Refused),
            (FaultKind::LaunchHangs, Self::Hangs),
        ];
        let struck = kinds.into_iter().find(|(kind, _)| luck.strikes(&mut chance, *kind));
        struck.map_or(Self::Up, |(_, fate)| fate)
    }
}
