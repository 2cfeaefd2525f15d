//! The model's browsers: which are starting, up, retired, ended, closed; and when the next may start.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use plimsoll_core::id::BrowserId;
use plimsoll_core::policy::{DispatchConfig, Placement};
use plimsoll_core::time::Moment;

use super::invariant::{Check, Invariant, hold, same};

/// The number of browsers closed unused within a minute that is too high.
const CHURN: usize = 20;

/// The number of browsers that died unused within a minute that is too high.
const CRASH_LOOP: usize = 20;

/// Every browser that may have a process.
#[derive(Debug)]
pub(super) struct Browsers {
    rules: DispatchConfig,
    browsers: BTreeMap<BrowserId, Browser>,
    failures: u32,
    not_before: Moment,
    unused: VecDeque<Moment>,
    died_unused: VecDeque<Moment>,
    /// Since when the level of pressure is what it is.
    level_since: Moment,
    finishing: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Browser {
    up_since: Option<Moment>,
    held: u32,
    sharing: Sharing,
    served: u64,
    retired: bool,
    ended: bool,
    closed: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Sharing {
    #[default]
    Any,
    /// The browser holds a job that lost two browsers beside others, and takes no other.
    Alone,
}

impl Browser {
    const fn is_starting(&self) -> bool {
        self.up_since.is_none() && !self.closed
    }

    const fn is_open(&self) -> bool {
        self.up_since.is_some() && !self.ended && !self.closed
    }
}

impl Browsers {
    pub(super) const fn new(rules: DispatchConfig) -> Self {
        Self {
            rules,
            browsers: BTreeMap::new(),
            failures: 0,
            not_before: Moment::ZERO,
            unused: VecDeque::new(),
            died_unused: VecDeque::new(),
            level_since: Moment::ZERO,
            finishing: false,
        }
    }

    pub(super) fn launch(&mut self, now: Moment, id: BrowserId) -> Check {
        self.browsers.insert(id, Browser::default());
        let crashes = within_a_minute(now, &mut self.died_unused);
        hold(Invariant::RestartsPaced, crashes <= CRASH_LOOP, || {
            format!("{id} starts; {crashes} died unused within a minute")
        })?;
        let starting = self.starting();
        let most = self.rules.placement.max_launching;
        hold(Invariant::LaunchesBounded, starting <= most, || {
            format!("{starting} are starting; the limit is {most}")
        })?;
        let waits = now < self.not_before;
        hold(Invariant::LaunchBackoff, !waits, || {
            format!("{id} starts after {} failures; not before {}", self.failures, self.not_before)
        })
    }

    pub(super) fn launched(&mut self, now: Moment, id: BrowserId) {
        let Some(browser) = self.browsers.get_mut(&id).filter(|browser| browser.up_since.is_none()) else {
            return;
        };
        self.failures = 0;
        self.not_before = Moment::ZERO;
        browser.up_since = Some(now);
        if browser.closed {
            return;
        }
        // It replaces the oldest worn browser. Only the fleet decides which browsers are worn by age, because it
        // checks when it considers a launch; where this could matter the model does not check.
        let rules = &self.rules.placement;
        let (served, age) = (rules.recycle_after_contexts, rules.recycle_after);
        let candidates = || self.browsers.iter().filter(|(_, b)| b.is_open() && !b.retired);
        let worn = candidates().find(|(_, b)| b.served >= served).map(|(id, _)| *id);
        let aged =
            candidates().find(|(_, b)| b.up_since.is_some_and(|up| now.since(up) >= age)).map(|(id, _)| *id);
        if let Some(worn) = worn
            && aged.is_none_or(|aged| worn <= aged)
            && let Some(browser) = self.browsers.get_mut(&worn)
        {
            browser.retired = true;
        }
    }

    pub(super) fn launch_failed(&mut self, now: Moment, id: BrowserId) {
        if self.browsers.remove(&id).is_none() {
            return;
        }
        self.failures += 1;
        let bound = Duration::from_secs(1 << (self.failures - 1).min(10)).min(Duration::from_secs(60));
        self.not_before = now + bound.mul_f64(0.79);
    }

    /// Returns whether the end is new to the model.
    pub(super) fn ended(&mut self, now: Moment, id: BrowserId) -> bool {
        let Some(browser) = self.browsers.get_mut(&id) else { return false };
        let is_news = !std::mem::replace(&mut browser.ended, true) && !browser.closed;
        if is_news && browser.served == 0 {
            self.died_unused.push_back(now);
        }
        is_news
    }

    pub(super) fn gone(&mut self, id: BrowserId) {
        self.browsers.remove(&id);
    }

    pub(super) const fn level_changed(&mut self, now: Moment) {
        self.level_since = now;
    }

    pub(super) const fn finish(&mut self) {
        self.finishing = true;
    }

    /// A browser is closed while jobs wait, or while none do.
    pub(super) fn close(&mut self, now: Moment, id: BrowserId, waiting: usize) -> Check {
        let Some(browser) = self.browsers.get_mut(&id) else {
            return hold(Invariant::ClosesOnce, false, || {
                format!("{id} is closed, and is gone or was never there")
            });
        };
        let again = std::mem::replace(&mut browser.closed, true);
        hold(Invariant::ClosesOnce, !again, || format!("{id} is closed a second time"))?;
        // A browser started at another level of pressure is no fault.
        let young = browser
            .up_since
            .is_some_and(|up| up >= self.level_since && now.since(up) < self.rules.placement.recycle_after);
        if young && waiting > 0 && browser.served == 0 && !browser.ended && !self.finishing {
            self.unused.push_back(now);
        }
        let churn = within_a_minute(now, &mut self.unused);
        hold(Invariant::NoChurn, churn < CHURN, || {
            format!("{churn} browsers were closed unused within a minute")
        })
    }

    pub(super) fn occupy(&mut self, id: BrowserId, losses: u32) -> Check {
        let Some(browser) = self.browsers.get_mut(&id) else {
            return hold(Invariant::BrowserUp, false, || format!("{id} is gone, or was never there"));
        };
        hold(Invariant::BrowserUp, browser.is_open(), || format!("{id} is {browser:?}"))?;
        hold(Invariant::WornReplaced, !browser.retired, || format!("{id} is {browser:?}"))?;
        let (is_alone, beside) = (losses >= 2, browser.held);
        let is_shared = beside > 0 && is_alone || browser.sharing == Sharing::Alone;
        hold(Invariant::BrowserRoom, !is_shared, || {
            format!("{id} is shared by a job that lost {losses} browsers, beside {beside} others")
        })?;
        browser.sharing = if is_alone { Sharing::Alone } else { Sharing::Any };
        browser.held += 1;
        browser.served += 1;
        let most = self.rules.placement.contexts_per_browser;
        hold(Invariant::BrowserRoom, browser.held <= most, || {
            format!("{id} holds {} of {most}", browser.held)
        })
    }

    pub(super) fn vacate(&mut self, id: BrowserId) {
        if let Some(browser) = self.browsers.get_mut(&id) {
            browser.held = browser.held.saturating_sub(1);
            browser.sharing = Sharing::Any;
        }
    }

    pub(super) fn check(&self, fleet: &Placement) -> Check {
        same(Invariant::BrowsersAgree, fleet.len(), self.browsers.len())?;
        let starting = self.browsers.values().filter(|b| b.is_starting() && !b.ended).count();
        same(Invariant::BrowsersAgree, fleet.launching() as usize, starting)?;
        let idle = self.browsers.iter().find(|(_, b)| b.retired && b.held == 0 && b.is_open());
        hold(Invariant::WornReplaced, idle.is_none(), || format!("{idle:?} is empty and not closed"))
    }

    /// A browser that certainly has room: up, with a closed breaker, and too young to be worn.
    pub(super) fn room(&self, now: Moment, troubled: &BTreeSet<BrowserId>) -> Option<BrowserId> {
        let rules = &self.rules.placement;
        let has_room = |(id, b): &(&BrowserId, &Browser)| {
            let young = b.up_since.is_some_and(|up| now.since(up) < rules.recycle_after);
            let fresh = young && b.served < rules.recycle_after_contexts;
            b.is_open()
                && fresh
                && !b.retired
                && b.sharing == Sharing::Any
                && b.held < rules.contexts_per_browser
                && !troubled.contains(id)
        };
        self.browsers.iter().find(has_room).map(|(id, _)| *id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.browsers.is_empty()
    }

    fn starting(&self) -> u32 {
        self.browsers.values().filter(|browser| browser.is_starting()).count() as u32
    }
}

/// Forgets what is older than a minute and counts the rest.
fn within_a_minute(now: Moment, moments: &mut VecDeque<Moment>) -> usize {
    while moments.pop_front_if(|then| now.since(*then) > Duration::from_secs(60)).is_some() {}
    moments.len()
}
