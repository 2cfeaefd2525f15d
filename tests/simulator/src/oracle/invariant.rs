//! [`Invariant`]: what must hold after every event, by name.

use std::fmt;

use plimsoll_core::time::Moment;

use crate::dashed::dashed;

macro_rules! invariants {
    ($($name:ident $text:literal,)*) => {
        /// A condition that must hold after every event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Invariant {
            $(#[doc = $text] $name,)*
        }

        impl Invariant {
            /// Every invariant.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// What it requires.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

invariants! {
    Conservation "submitted = queued + running + ended, and each as counted from outside",
    NothingLost "no job's token was dropped",
    SettlesOnce "a job is settled once",
    OutcomeTrue "the outcome is what happened",
    AttemptsCounted "attempts are numbered without gap, and the outcome names their number",
    AttemptsBounded "no job has more attempts than allowed",
    RetriesJust "only a failure that may be retried is followed by another attempt, and within its wait",
    FirstComeFirstServed "first attempts begin in the order of submission",
    StartsInTime "no first attempt begins after the job's patience has run out",
    ExpiresInTime "a job that waits beyond its patience is told so at once",
    QueueBounded "no more jobs wait for a first attempt than the queue holds",
    RejectsJustly "a job is rejected only when the queue is full",
    ContextsBounded "no more contexts are held than the limit at each grant",
    CreationsBounded "no more contexts are in creation than the limit at each grant",
    LimitsInRange "each limit lies between one and its ceiling",
    LoadAgrees "the load is the number of slots that were given and not given back",
    PeaksAgree "the peaks are the highest load",
    BrowserRoom "a browser holds no more contexts than it may",
    BrowserUp "an attempt starts on a browser that is up and neither ended nor closed",
    BrowsersAgree "the fleet's browsers are those that were started and are not gone",
    LaunchesBounded "no more browsers are starting than may be",
    LaunchBackoff "after failed starts the next one waits",
    ClosesOnce "a browser is closed once, and only one that is there",
    WornReplaced "a worn browser gets nothing new once its replacement is up",
    NothingAfterStop "nothing starts after the stop",
    NoIdleRoom "a job that could start does not wait (fixed limits)",
    PressureHeeded "nothing is admitted while the memory is critical, unless nothing has run for 30 s (120 s in an emergency)",
    MemoryBooked "the ledger's bookings add up to what a recount says",
    EvictsSparingly "one attempt at a time gives way, and only one that runs, in an emergency; the next when it is gone",
    FuseAgrees "the last fuse counts as the plain counter does",
    HostsSpared "nothing starts on a host whose breaker is open, and one at a time while it is half-open",
    HostsBlamedJustly "no job is given up for a host that answered last, unless the whole fleet fails for long",
    ProbesJudge "a half-open breaker is judged by its own probes, not by calls of a state that is gone",
    NoChurn "browsers are not started and closed over and over without use while jobs wait and pressure stays the same",
    RestartsPaced "browsers that die unused are not replaced at full speed for ever",
    WakesLater "the next wake-up lies in the future",
    Drains "when nothing goes wrong any more, everything ends in time",
    Recovers "jobs that come long after the last fault succeed",
    BrowsersLeave "in the end every browser is closed and gone",
}

impl Invariant {
    /// Its name: as in the code, with dashes.
    #[must_use]
    pub fn name(self) -> String {
        dashed(&self)
    }
}

/// An invariant that did not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {name} ({text}): {detail}", name = invariant.name(), text = invariant.text())]
pub struct Violation {
    /// The invariant.
    pub invariant: Invariant,
    /// The moment.
    pub at: Moment,
    /// The observed values.
    pub detail: String,
}

/// Whether an invariant held.
pub(super) type Check = Result<(), Broken>;

/// A violation without its moment.
#[derive(Debug)]
pub(super) struct Broken(pub(super) Invariant, pub(super) String);

/// Fails with the invariant unless it holds.
pub(super) fn hold(invariant: Invariant, holds: bool, detail: impl FnOnce() -> String) -> Check {
    if holds { Ok(()) } else { Err(Broken(invariant, detail())) }
}

/// Fails with the invariant unless the two are the same.
pub(super) fn same<T: PartialEq + fmt::Debug + Copy>(invariant: Invariant, fleet: T, model: T) -> Check {
    if fleet == model {
        Ok(())
    } else {
        Err(Broken(invariant, format!("the fleet says {fleet:?}, the model {model:?}")))
    }
}
