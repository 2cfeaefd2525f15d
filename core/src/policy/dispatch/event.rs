//! The events that a fleet handles and the actions that follow from them.

use std::sync::Arc;

use super::DispatchConfig;
use crate::id::{BrowserId, JobSeq, SlotId};
use crate::outcome::{Failure, Fault, Outcome, Stage};
use crate::policy::admission::Announcement;
use crate::policy::pressure::{Reading, Trim};
use crate::units::Bytes;

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A job was submitted.
    Submitted {
        /// Which.
        job: JobSeq,
        /// The host and port of its first page, by which hosts have breakers.
        host: Option<Arc<str>>,
        /// The host and port of its proxy, by which proxies have breakers.
        proxy: Option<Arc<str>>,
    },
    /// The context of a slot is open.
    Opened(SlotId),
    /// The attempt of a slot ended; its context is being closed or gone.
    Ended(SlotId, AttemptEnd),
    /// The context of a slot is verified gone.
    Freed(SlotId),
    /// A browser is ready.
    Launched(BrowserId),
    /// A browser could not be started; nothing of it is left.
    LaunchFailed(BrowserId, Fault),
    /// A browser died, hangs or is no longer to be trusted.
    BrowserEnded(BrowserId),
    /// A browser is verified gone.
    BrowserGone(BrowserId),
    /// The machine was read.
    Read(Box<Reading>),
    /// All browsers together were measured.
    Measured(Bytes),
    /// Limits, pressure levels or breakers were given new rules.
    Configured(Box<DispatchConfig>),
    /// No more attempts begin; waiting jobs are cancelled.
    Stop,
    /// Nothing more will be submitted and nothing runs: every browser is closed.
    Finish,
    /// Time passed (see [`Dispatch::next_change`](super::Dispatch::next_change)).
    Tick,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptEnd {
    /// Every step was carried out.
    Succeeded,
    /// A step, or the creation of the context, failed.
    Failed(Failure),
    /// It was evicted to save the machine. The attempt is not counted, unless that keeps happening.
    Evicted,
    /// It was cancelled from outside.
    Cancelled,
}

impl AttemptEnd {
    /// Whether it ended in a way that is possible only with an open context.
    pub(super) const fn shows_a_context(&self) -> bool {
        match self {
            Self::Succeeded => true,
            Self::Failed(failure) => matches!(failure.stage, Stage::Step(_)),
            Self::Evicted | Self::Cancelled => false,
        }
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Action {
    /// Start an attempt: open a context on the browser and run the job's steps.
    Start {
        /// The slot it holds until [`Event::Freed`].
        slot: SlotId,
        /// Whose attempt.
        job: JobSeq,
        /// Where.
        browser: BrowserId,
        /// The attempt's number, from 1.
        attempt: u32,
    },
    /// End an attempt to save the machine; it answers [`AttemptEnd::Evicted`].
    Evict(SlotId),
    /// Start a browser.
    Launch(BrowserId),
    /// Close a browser and verify that it is gone.
    Close(BrowserId),
    /// Ask every browser to give memory back.
    Trim(Trim),
    /// The job has ended: record it.
    Settle {
        /// Which job.
        job: JobSeq,
        /// How it ended.
        outcome: Outcome,
        /// How many attempts were made.
        attempts: u32,
    },
    /// Pass this on to the observer.
    Announce(Announcement),
}
