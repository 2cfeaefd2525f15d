//! Which browser holds the next context, and when browsers are started and replaced.
//!
//! ```text
//!   wanted            up                  worn or surplus            empty
//!  ───────► Launching ────► Ready{active, served} ────────► Retiring ─────► Closing ───► (gone)
//!               │ failed      │ died, hung, not trusted                       ▲
//!               └──► (gone)   └──────────────────────────────────────────────┘
//! ```
//!
//! Many small browsers instead of one large: a crash then costs only the contexts of one process. A context goes
//! to the browser with the most room. A worn browser goes on until its replacement is up, so that capacity never
//! falls when one is recycled.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::id::BrowserId;
use crate::time::Moment;

/// How browsers are filled and replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacementConfig {
    /// Contexts a browser holds at once. About 20: a crash then costs at most a fifth of 100 contexts.
    pub contexts_per_browser: u32,
    /// Browsers that may be starting at once: a start is the most expensive thing there is.
    pub max_launching: u32,
    /// A browser is replaced after this number of contexts: slow leaks never grow large.
    pub recycle_after_contexts: u64,
    /// A browser is replaced at this age.
    pub recycle_after: Duration,
}

impl Default for PlacementConfig {
    fn default() -> Self {
        Self {
            contexts_per_browser: 20,
            max_launching: 2,
            recycle_after_contexts: 500,
            recycle_after: Duration::from_secs(30 * 60),
        }
    }
}

/// The browsers of a fleet and what they hold.
#[derive(Debug)]
pub struct Placement {
    config: PlacementConfig,
    browsers: BTreeMap<BrowserId, Phase>,
    /// Ready browsers with room, by contexts held: the first has the most room.
    open: BTreeSet<(u32, BrowserId)>,
    /// Ready browsers that are due for replacement.
    worn: BTreeSet<BrowserId>,
    /// Ready browsers that hold one context and take no other.
    alone: BTreeSet<BrowserId>,
    /// When each browser came up, oldest first; may name browsers that are gone.
    ages: VecDeque<(Moment, BrowserId)>,
    launching: u32,
    ready: u32,
    next: u64,
}

/// Where a browser is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Launching,
    Ready { since: Moment, active: u32, served: u64 },
    Retiring { since: Moment, active: u32 },
    Closing,
}

impl Placement {
    /// Changes how many browsers may be starting at once.
    pub(crate) const fn set_max_launching(&mut self, max_launching: u32) {
        self.config.max_launching = max_launching;
    }

    /// No browsers yet.
    #[must_use]
    pub const fn new(config: PlacementConfig) -> Self {
        Self {
            config,
            browsers: BTreeMap::new(),
            open: BTreeSet::new(),
            worn: BTreeSet::new(),
            alone: BTreeSet::new(),
            ages: VecDeque::new(),
            launching: 0,
            ready: 0,
            next: 0,
        }
    }

    /// The browser with the most room.
    #[must_use]
    pub(crate) fn roomiest(&self) -> Option<BrowserId> {
        self.open.first().map(|(_, id)| *id)
    }

    /// Takes a place on the browser with the most room.
    pub fn occupy(&mut self) -> Option<BrowserId> {
        let (_, id) = self.open.pop_first()?;
        if let Some(Phase::Ready { active, served, .. }) = self.browsers.get_mut(&id) {
            *active += 1;
            *served += 1;
            if *served >= self.config.recycle_after_contexts {
                self.worn.insert(id);
            }
        }
        self.index(id);
        Some(id)
    }

    /// A browser that holds nothing.
    #[must_use]
    pub(crate) fn empty(&self) -> Option<BrowserId> {
        self.open.first().filter(|(active, _)| *active == 0).map(|(_, id)| *id)
    }

    /// Takes a whole browser: it gets no other context until its place is given back.
    pub(crate) fn occupy_alone(&mut self) -> Option<BrowserId> {
        self.empty()?;
        let id = self.occupy()?;
        self.unindex(id);
        self.alone.insert(id);
        Some(id)
    }

    /// Gives a place back. Returns the browser if it is to be closed now, because it was retiring and is empty.
    pub fn vacate(&mut self, id: BrowserId) -> Option<BrowserId> {
        self.unindex(id);
        self.alone.remove(&id);
        match self.browsers.get_mut(&id) {
            Some(Phase::Ready { active, .. }) => {
                *active = active.saturating_sub(1);
                self.index(id);
                None
            }
            Some(Phase::Retiring { active, .. }) => {
                *active = active.saturating_sub(1);
                let empty = *active == 0;
                empty.then(|| self.close(id)).flatten()
            }
            _ => None,
        }
    }

    /// Starts one more browser if `demand` contexts, and `alone` contexts with a browser of their own, need it; returns its
    /// id. `now` decides who is worn.
    pub fn launch(&mut self, now: Moment, demand: u32, alone: u32) -> Option<BrowserId> {
        if self.launching >= self.config.max_launching {
            return None;
        }
        self.age(now);
        let worn = u32::try_from(self.worn.len()).unwrap_or(u32::MAX);
        let fresh = self.ready.saturating_sub(worn) + self.launching;
        if fresh >= self.needed(demand, alone) {
            return None;
        }
        let id = BrowserId(self.next);
        self.next += 1;
        self.launching += 1;
        self.browsers.insert(id, Phase::Launching);
        Some(id)
    }

    /// A browser is ready. Returns the worn browser it replaces, if that one is already empty and to be closed.
    pub fn up(&mut self, id: BrowserId, now: Moment) -> Option<BrowserId> {
        if self.browsers.get(&id) != Some(&Phase::Launching) {
            return None;
        }
        self.launching -= 1;
        self.ready += 1;
        self.browsers.insert(id, Phase::Ready { since: now, active: 0, served: 0 });
        self.ages.push_back((now, id));
        self.index(id);
        let worn = *self.worn.first()?;
        self.retire(worn)
    }

    /// A browser could not be started, or is verified gone.
    pub fn gone(&mut self, id: BrowserId) {
        self.close(id);
        self.browsers.remove(&id);
    }

    /// A browser that was given up while it was starting did not come up: there is nothing left to close.
    pub(crate) fn never_was(&mut self, id: BrowserId) {
        if self.browsers.get(&id) == Some(&Phase::Closing) {
            self.browsers.remove(&id);
        }
    }

    /// A browser is not to be used any more, whatever it holds: it died, hangs, or is not trusted. Returns it
    /// unless it is being closed already.
    pub fn close(&mut self, id: BrowserId) -> Option<BrowserId> {
        match self.browsers.get(&id)? {
            Phase::Closing => return None,
            Phase::Ready { .. } => self.leave_ready(id),
            Phase::Launching => self.launching -= 1,
            Phase::Retiring { .. } => {}
        }
        self.browsers.insert(id, Phase::Closing);
        Some(id)
    }

    /// One browser that holds nothing and that neither `demand` contexts nor `alone` contexts with their own need.
    pub(crate) fn close_surplus(&mut self, demand: u32, alone: u32) -> Option<BrowserId> {
        let (active, id) = *self.open.first()?;
        if active > 0 || self.ready <= self.needed(demand, alone) { None } else { self.close(id) }
    }

    /// Every browser that is not being closed yet, launching ones included.
    pub(crate) fn close_all(&mut self) -> Vec<BrowserId> {
        let ids: Vec<_> = self.browsers.keys().copied().collect();
        ids.into_iter().filter_map(|id| self.close(id)).collect()
    }

    /// Browsers that are ready to take contexts, were there room.
    #[must_use]
    pub const fn ready(&self) -> u32 {
        self.ready
    }

    /// Whether there is such a browser, in any phase.
    pub(crate) fn is_known(&self, id: BrowserId) -> bool {
        self.browsers.contains_key(&id)
    }

    /// Whether this browser is starting.
    #[must_use]
    pub(crate) fn is_launching(&self, id: BrowserId) -> bool {
        self.browsers.get(&id) == Some(&Phase::Launching)
    }

    /// How long this browser has been up; no time at all if it is not.
    #[must_use]
    pub(crate) fn up_for(&self, id: BrowserId, now: Moment) -> Duration {
        match self.browsers.get(&id) {
            Some(Phase::Ready { since, .. } | Phase::Retiring { since, .. }) => now.since(*since),
            Some(Phase::Launching | Phase::Closing) | None => Duration::ZERO,
        }
    }

    /// Browsers that are starting.
    #[must_use]
    pub const fn launching(&self) -> u32 {
        self.launching
    }

    /// Browsers in any phase: each may still have a process.
    #[must_use]
    pub fn len(&self) -> usize {
        self.browsers.len()
    }

    /// Whether there is no browser in any phase.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.browsers.is_empty()
    }

    /// Takes no new contexts from now on; returns the browser if it is empty and to be closed.
    pub(crate) fn retire(&mut self, id: BrowserId) -> Option<BrowserId> {
        let Some(Phase::Ready { since, active, .. }) = self.browsers.get(&id).copied() else { return None };
        if active == 0 {
            return self.close(id);
        }
        self.leave_ready(id);
        self.browsers.insert(id, Phase::Retiring { since, active });
        None
    }

    /// Browsers for `demand` contexts, those with their own included, and for `alone` more of those.
    fn needed(&self, demand: u32, alone: u32) -> u32 {
        let held = u32::try_from(self.alone.len()).unwrap_or(u32::MAX);
        let shared = demand.saturating_sub(held).div_ceil(self.config.contexts_per_browser.max(1));
        shared.saturating_add(held).saturating_add(alone)
    }

    /// Finds out who has become too old.
    fn age(&mut self, now: Moment) {
        while let Some((_, id)) =
            self.ages.pop_front_if(|(up, _)| now.since(*up) >= self.config.recycle_after)
        {
            if matches!(self.browsers.get(&id), Some(Phase::Ready { .. })) {
                self.worn.insert(id);
            }
        }
    }

    fn index(&mut self, id: BrowserId) {
        if let Some(Phase::Ready { active, .. }) = self.browsers.get(&id)
            && *active < self.config.contexts_per_browser
            && !self.alone.contains(&id)
        {
            self.open.insert((*active, id));
        }
    }

    fn unindex(&mut self, id: BrowserId) {
        if let Some(Phase::Ready { active, .. }) = self.browsers.get(&id) {
            self.open.remove(&(*active, id));
        }
    }

    /// Takes a browser out of the ready ones.
    fn leave_ready(&mut self, id: BrowserId) {
        self.unindex(id);
        self.worn.remove(&id);
        self.alone.remove(&id);
        self.ready -= 1;
    }
}

#[cfg(test)]
mod tests;
