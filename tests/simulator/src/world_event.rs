//! [`WorldEvent`]: an event of the simulated world for the fleet, small enough to be copied, hashed and repeated.

use std::sync::Arc;

use plimsoll_core::id::{BrowserId, JobSeq, SlotId};
use plimsoll_core::outcome::{FailureClass, Fault, Recurrence, Stage};
use plimsoll_core::policy::{AttemptEnd, Event, MemoryUse, Reading, Sensed, Stall};
use plimsoll_core::time::Moment;
use plimsoll_core::units::{Bytes, Ratio};

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WorldEvent {
    /// A job was submitted; its first page is on this host.
    Submitted(JobSeq, Host),
    /// The context of a slot is open.
    Opened(SlotId),
    /// The attempt of a slot ended.
    Ended(SlotId, End),
    /// The context of a slot is verified gone.
    Freed(SlotId),
    /// A browser is ready.
    Launched(BrowserId),
    /// A browser could not be started.
    LaunchFailed(BrowserId, Recurrence),
    /// A browser died or hangs.
    BrowserEnded(BrowserId),
    /// A browser is verified gone.
    BrowserGone(BrowserId),
    /// The machine was read.
    Read(Glance),
    /// All browsers together were measured.
    Measured(Bytes),
    /// Nothing begins any more.
    Stop,
    /// Every browser must end.
    Finish,
    /// Time passed.
    Tick,
}

/// A site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(pub u32);

impl Host {
    /// Its name, as breakers know it.
    #[must_use]
    pub fn name(self) -> Arc<str> {
        format!("host-{}:80", self.0).into()
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// Well.
    Succeeded,
    /// Not well.
    Failed(Stage, FailureClass, Recurrence),
    /// It was evicted.
    Evicted,
    /// It was cancelled.
    Cancelled,
}

impl End {
    /// A failure that may go away by itself.
    #[must_use]
    pub const fn transient(stage: Stage, class: FailureClass) -> Self {
        Self::Failed(stage, class, Recurrence::Transient)
    }
}

/// One reading of the machine's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Glance {
    /// Memory in use; `None` while it cannot be read.
    pub used: Option<Bytes>,
    /// The total memory.
    pub limit: Bytes,
    /// Share of time in which all tasks stalled, in hundredths of a percent.
    pub full: u32,
    /// Kills by the kernel so far.
    pub oom_kills: u64,
}

impl Glance {
    /// The share in use.
    #[must_use]
    pub fn share(self) -> Option<Ratio> {
        self.used.map(|used| used.share_of(self.limit))
    }

    /// The share of time in which all tasks stalled.
    #[must_use]
    pub fn stalled(self) -> Ratio {
        Ratio::new(f64::from(self.full) / 10_000.0)
    }

    fn reading(self, at: Moment) -> Reading {
        let Some(used) = self.used else { return Reading::default() };
        fn sensed<T>(value: T, at: Moment) -> Option<Sensed<T>> {
            Some(Sensed { value, source: "simulated", at })
        }
        let full10 = self.stalled();
        let some10 = Ratio::new((full10.value() * 1.5).min(1.0));
        Reading {
            memory: sensed(MemoryUse { used, limit: self.limit }, at),
            memory_stall: sensed(Stall { some10, full10 }, at),
            oom_kills: sensed(self.oom_kills, at),
            ..Reading::default()
        }
    }
}

impl WorldEvent {
    /// The same as an event of the fleet.
    #[must_use]
    pub fn event(self, now: Moment) -> Event {
        match self {
            Self::Submitted(job, host) => Event::Submitted { job, host: Some(host.name()), proxy: None },
            Self::Opened(slot) => Event::Opened(slot),
            Self::Ended(slot, end) => Event::Ended(slot, end.into()),
            Self::Freed(slot) => Event::Freed(slot),
            Self::Launched(id) => Event::Launched(id),
            Self::LaunchFailed(id, recurrence) => {
                Event::LaunchFailed(id, fault(FailureClass::BrowserCrash, recurrence))
            }
            Self::BrowserEnded(id) => Event::BrowserEnded(id),
            Self::BrowserGone(id) => Event::BrowserGone(id),
            Self::Read(glance) => Event::Read(Box::new(glance.reading(now))),
            Self::Measured(bytes) => Event::Measured(bytes),
            Self::Stop => Event::Stop,
            Self::Finish => Event::Finish,
            Self::Tick => Event::Tick,
        }
    }

    /// Whether it concerns a slot or a browser, so that it can arrive late or twice.
    #[must_use]
    pub const fn can_repeat(self) -> bool {
        use WorldEvent::{BrowserEnded, BrowserGone, Ended, Freed, LaunchFailed, Launched, Opened};
        matches!(
            self,
            Opened(_)
                | Ended(..)
                | Freed(_)
                | Launched(_)
                | LaunchFailed(..)
                | BrowserEnded(_)
                | BrowserGone(_)
        )
    }
}

impl From<End> for AttemptEnd {
    fn from(end: End) -> Self {
        match end {
            End::Succeeded => Self::Succeeded,
            End::Failed(stage, class, recurrence) => Self::Failed(fault(class, recurrence).at(stage)),
            End::Evicted => Self::Evicted,
            End::Cancelled => Self::Cancelled,
        }
    }
}

const fn fault(class: FailureClass, recurrence: Recurrence) -> Fault {
    // No message: no decision depends on it, and a run makes millions of them.
    Fault { class, recurrence, message: String::new() }
}
