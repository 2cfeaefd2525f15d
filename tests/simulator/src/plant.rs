//! [`Plant`]: bugs that are put between the fleet and its policies on purpose. A harness that finds none of the bugs it
//! was given proves nothing.
//!
//! These are the mistakes a runtime could make around correct policies: it forgets to pass something on, passes it on
//! twice, too early or under a wrong name, or configures something else than it was told. (Bugs inside the policies are
//! planted in a copy of their source, by `cargo xtask sim --plant-table`.)

use std::collections::{BTreeSet, VecDeque};

use plimsoll_core::id::{BrowserId, SlotId};
use plimsoll_core::outcome::{FailureClass, Outcome};
use plimsoll_core::policy::dispatch::{Action, DispatchConfig};
use plimsoll_core::units::Bytes;

use crate::news::{End, Glance, News};

macro_rules! plants {
    ($($name:ident $text:literal,)*) => {
        /// A planted bug.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
        pub enum Plant {
            $(#[doc = $text] $name,)*
        }

        impl Plant {
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

plants! {
    PermitLeakedOnTimeout "the permit of an attempt that ran out of time never comes back",
    CheckThenAwait "a creation is counted only between the check and the first wait",
    LimitOffByOne "the limit on contexts is compared with > instead of >=",
    CeilingForgotten "the ceiling of creations is not passed on",
    DoubleFinish "a retried job that fails is settled twice",
    StaleGeneration "news of a browser's end is taken for the newest browser's",
    UnverifiedKill "a slot is given back when its attempt ends, not when its context is gone",
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

impl Plant {
    /// Its name: as on the command line.
    #[must_use]
    pub fn name(self) -> String {
        use clap::ValueEnum;
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// The rules as the bug passes them on.
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

/// A bug at work.
#[derive(Debug)]
pub(crate) struct Planted {
    plant: Plant,
    pending: VecDeque<News>,
    live: BTreeSet<SlotId>,
    condemned: BTreeSet<SlotId>,
    newest: Option<BrowserId>,
}

impl Planted {
    pub(crate) const fn new(plant: Plant) -> Self {
        Self {
            plant,
            pending: VecDeque::new(),
            live: BTreeSet::new(),
            condemned: BTreeSet::new(),
            newest: None,
        }
    }

    /// Takes in what happened, and passes on what the bug makes of it.
    pub(crate) fn hear(&mut self, news: News) {
        match (self.plant, news) {
            (Plant::PermitLeakedOnTimeout, News::Ended(slot, End::Failed(_, FailureClass::Timeout, _))) => {
                self.condemned.insert(slot);
                self.pass(news);
            }
            (Plant::PermitLeakedOnTimeout, News::Freed(slot)) if self.condemned.contains(&slot) => {}
            (Plant::StaleGeneration, News::BrowserEnded(id)) => {
                self.pass(News::BrowserEnded(self.newest.unwrap_or(id)));
            }
            (Plant::UnverifiedKill, News::Ended(slot, _)) => {
                self.pass(news);
                self.pass(News::Freed(slot));
            }
            (Plant::SlotFreedTwice, News::Freed(slot)) => {
                self.live.remove(&slot);
                self.pass(news);
                if let Some(other) = self.live.pop_first() {
                    self.pass(News::Freed(other));
                }
            }
            (Plant::PressureIgnored, News::Read(glance)) => {
                let used = glance.used.map(|_| Bytes(glance.limit.0 / 2));
                self.pass(News::Read(Glance { used, full: 0, oom_kills: 0, ..glance }));
            }
            (Plant::OomIgnored, News::Read(glance)) => {
                self.pass(News::Read(Glance { oom_kills: 0, ..glance }));
            }
            (Plant::TimerForgotten, News::Tick) | (Plant::StopForgotten, News::Stop) => {}
            (Plant::DeathUnseen, News::BrowserEnded(_)) => {}
            (Plant::FailureSwallowed, News::Ended(slot, End::Failed(_, FailureClass::Navigation, _))) => {
                self.pass(News::Ended(slot, End::Succeeded));
            }
            (Plant::EvictionUnheard, News::Ended(slot, End::Evicted)) => {
                let stage = plimsoll_core::outcome::Stage::Step(0);
                self.pass(News::Ended(slot, End::transient(stage, FailureClass::PageCrash)));
            }
            _ => self.pass(news),
        }
    }

    /// The next thing the policies hear.
    pub(crate) fn next(&mut self) -> Option<News> {
        self.pending.pop_front()
    }

    /// Takes in what the policies decided, and passes on what the bug makes of it.
    pub(crate) fn say(&mut self, action: Action, answer: &mut Vec<Action>) {
        match (self.plant, &action) {
            (Plant::CheckThenAwait, Action::Start { slot, .. }) => self.pass(News::Opened(*slot)),
            (Plant::SlotFreedTwice, Action::Start { slot, .. }) => {
                self.live.insert(*slot);
            }
            (Plant::StaleGeneration, Action::Launch(id)) => self.newest = Some(*id),
            (Plant::BrowserGoneTooSoon, Action::Close(id)) => self.pass(News::BrowserGone(*id)),
            (Plant::CloseForgotten, Action::Close(_)) => return,
            (Plant::LaunchedTwice, Action::Launch(id)) => {
                answer.push(Action::Launch(BrowserId(id.0 + (1 << 40))));
            }
            (Plant::DoubleFinish, Action::Settle { outcome: Outcome::Failed(_), attempts: 2.., .. }) => {
                answer.push(action.clone());
            }
            (Plant::JobLostOnBrowserDeath, Action::Settle { outcome: Outcome::Failed(failure), .. })
                if failure.fault.class == FailureClass::BrowserCrash =>
            {
                return;
            }
            _ => {}
        }
        answer.push(action);
    }

    fn pass(&mut self, news: News) {
        self.pending.push_back(news);
    }
}
