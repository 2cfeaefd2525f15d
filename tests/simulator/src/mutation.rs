//! [`Mutation`]: bugs that are planted between the fleet and its policies. A harness that does not find planted bugs
//! proves nothing.
//!
//! A runtime could make these mistakes around correct policies: it drops an event, passes it on twice, too early or
//! under a wrong name, or uses a wrong configuration. (Bugs inside the policies are planted in a copy of their
//! source, by `cargo xtask sim --plant-table`.)

use std::collections::{BTreeSet, VecDeque};

use plimsoll_core::id::{BrowserId, SlotId};
use plimsoll_core::outcome::{FailureClass, Outcome};
use plimsoll_core::policy::{Action, DispatchConfig};
use plimsoll_core::units::Bytes;

use crate::world_event::{End, Glance, WorldEvent};

macro_rules! mutations {
    ($($name:ident $text:literal,)*) => {
        /// A planted bug.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
        pub enum Mutation {
            $(#[doc = $text] $name,)*
        }

        impl Mutation {
            /// Every bug.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// What is wrong.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

mutations! {
    PermitLeakedOnTimeout "the permit of an attempt that ran out of time never comes back",
    CheckThenAwait "a creation is counted only between the check and the first wait",
    LimitOffByOne "the limit on contexts is compared with > instead of >=",
    CeilingForgotten "the ceiling of creations is not passed on",
    DoubleFinish "a retried job that fails is settled twice",
    StaleGeneration "news of a browser's end is taken for the newest browser's",
    UnverifiedKill "a slot is given back when its attempt ends, not when its context is gone",
    HalfMadeFreed "the slot of a context that was not opened is given back when its attempt ends, not when what was half made is gone",
    BrowserGoneTooSoon "a browser counts as gone as soon as it is told to close",
    RetryWithoutLimit "the number of attempts is not passed on",
    JobLostOnBrowserDeath "a job whose browser died is forgotten instead of settled",
    SlotFreedTwice "giving a slot back gives the oldest slot back as well",
    QueueOverflowIgnored "the queue's capacity is not passed on",
    PatienceForgotten "the queue's patience is not passed on",
    PressureIgnored "the reading says that half of the memory is free",
    OomIgnored "kills by the kernel are not read",
    TimerForgotten "nobody wakes the fleet when time has passed",
    DeathUnseen "nobody watches the browsers",
    StopForgotten "the stop is not passed on",
    CloseForgotten "a browser that is to be closed is left running",
    LaunchedTwice "a browser is started twice under two names",
    FailureSwallowed "an attempt that fails by navigation is reported as a success",
    EvictionUnheard "an evicted attempt is reported as failed",
}

impl Mutation {
    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> String {
        use clap::ValueEnum;
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// The configuration after the bug has changed it.
    #[must_use]
    pub fn bend(self, rules: &DispatchConfig) -> DispatchConfig {
        let mut bent = rules.clone();
        match self {
            Self::LimitOffByOne => bent.admission.max_contexts += 1,
            Self::CeilingForgotten => bent.admission.max_creating = u32::MAX,
            Self::RetryWithoutLimit => bent.retry.attempts = u32::MAX,
            Self::QueueOverflowIgnored => bent.queue_capacity = usize::MAX,
            Self::PatienceForgotten => bent.queue_timeout = None,
            _ => {}
        }
        bent
    }
}

/// An active bug.
#[derive(Debug)]
pub(crate) struct Mutant {
    mutation: Mutation,
    pending: VecDeque<WorldEvent>,
    live: BTreeSet<SlotId>,
    condemned: BTreeSet<SlotId>,
    newest: Option<BrowserId>,
}

impl Mutant {
    pub(crate) const fn new(mutation: Mutation) -> Self {
        Self {
            mutation,
            pending: VecDeque::new(),
            live: BTreeSet::new(),
            condemned: BTreeSet::new(),
            newest: None,
        }
    }

    /// Takes an event, and queues the events that the bug makes of it.
    pub(crate) fn observe(&mut self, event: WorldEvent) {
        match (self.mutation, event) {
            (
                Mutation::PermitLeakedOnTimeout,
                WorldEvent::Ended(slot, End::Failed(_, FailureClass::Timeout, _)),
            ) => {
                self.condemned.insert(slot);
                self.pass(event);
            }
            (Mutation::PermitLeakedOnTimeout, WorldEvent::Freed(slot)) if self.condemned.contains(&slot) => {}
            (Mutation::StaleGeneration, WorldEvent::BrowserEnded(id)) => {
                self.pass(WorldEvent::BrowserEnded(self.newest.unwrap_or(id)));
            }
            (Mutation::UnverifiedKill, WorldEvent::Ended(slot, _)) => {
                self.pass(event);
                self.pass(WorldEvent::Freed(slot));
            }
            (Mutation::HalfMadeFreed, WorldEvent::Opened(slot)) => {
                self.live.insert(slot);
                self.pass(event);
            }
            (Mutation::HalfMadeFreed, WorldEvent::Ended(slot, _)) if !self.live.contains(&slot) => {
                self.pass(event);
                self.pass(WorldEvent::Freed(slot));
            }
            (Mutation::SlotFreedTwice, WorldEvent::Freed(slot)) => {
                self.live.remove(&slot);
                self.pass(event);
                if let Some(other) = self.live.pop_first() {
                    self.pass(WorldEvent::Freed(other));
                }
            }
            (Mutation::PressureIgnored, WorldEvent::Read(glance)) => {
                let used = glance.used.map(|_| Bytes(glance.limit.0 / 2));
                self.pass(WorldEvent::Read(Glance { used, full: 0, oom_kills: 0, ..glance }));
            }
            (Mutation::OomIgnored, WorldEvent::Read(glance)) => {
                self.pass(WorldEvent::Read(Glance { oom_kills: 0, ..glance }));
            }
            (Mutation::TimerForgotten, WorldEvent::Tick) | (Mutation::StopForgotten, WorldEvent::Stop) => {}
            (Mutation::DeathUnseen, WorldEvent::BrowserEnded(_)) => {}
            (
                Mutation::FailureSwallowed,
                WorldEvent::Ended(slot, End::Failed(_, FailureClass::Navigation, _)),
            ) => {
                self.pass(WorldEvent::Ended(slot, End::Succeeded));
            }
            (Mutation::EvictionUnheard, WorldEvent::Ended(slot, End::Evicted)) => {
                let stage = plimsoll_core::outcome::Stage::Step(0);
                self.pass(WorldEvent::Ended(slot, End::transient(stage, FailureClass::PageCrash)));
            }
            _ => self.pass(event),
        }
    }

    /// The next event for the policies.
    pub(crate) fn next(&mut self) -> Option<WorldEvent> {
        self.pending.pop_front()
    }

    /// Takes an action of the policies, and appends the actions that the bug makes of it.
    pub(crate) fn observe_action(&mut self, action: Action, answer: &mut Vec<Action>) {
        match (self.mutation, &action) {
            (Mutation::CheckThenAwait, Action::Start { slot, .. }) => self.pass(WorldEvent::Opened(*slot)),
            (Mutation::SlotFreedTwice, Action::Start { slot, .. }) => {
                self.live.insert(*slot);
            }
            (Mutation::StaleGeneration, Action::Launch(id)) => self.newest = Some(*id),
            (Mutation::BrowserGoneTooSoon, Action::Close(id)) => self.pass(WorldEvent::BrowserGone(*id)),
            (Mutation::CloseForgotten, Action::Close(_)) => return,
            (Mutation::LaunchedTwice, Action::Launch(id)) => {
                answer.push(Action::Launch(BrowserId(id.0 + (1 << 40))));
            }
            (Mutation::DoubleFinish, Action::Settle { outcome: Outcome::Failed(_), attempts: 2.., .. }) => {
                answer.push(action.clone());
            }
            (Mutation::JobLostOnBrowserDeath, Action::Settle { outcome: Outcome::Failed(failure), .. })
                if failure.fault.class == FailureClass::BrowserCrash =>
            {
                return;
            }
            _ => {}
        }
        answer.push(action);
    }

    fn pass(&mut self, event: WorldEvent) {
        self.pending.push_back(event);
    }
}
