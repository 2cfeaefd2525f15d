//! [`Footprint`]: whether one more context fits into memory, counting what the others may still take.
//!
//! Memory in use lags: a context admitted a second ago has loaded nothing. Admission by use alone lets a hundred in before the
//! first shows its weight. So each context has a *booking*, the memory it may still take, and the booking shrinks as its memory
//! becomes visible in the machine's use:
//!
//! ```text
//! predicted = in use + Σ bookings + what the next one may take (estimate + 1σ)
//!
//!   reserved          the whole estimate
//!   created           estimate − what an empty context already shows
//!   measured          estimate − measured, and at most what a context of its age may still grow by (`growth`)
//! ```
//!
//! The booking of a context that lives for minutes so approaches zero, whatever the estimate is. Everything is a running sum,
//! so a decision costs the same for ten contexts as for ten thousand. A booking keeps the estimate it was made with until the
//! context is measured again: the sums stay exact while estimates move.
//!
//! **The estimate** follows contexts that have ended and contexts that live. Only the memory of all browsers together is
//! measured, so living contexts give two bounds on their average. All of the memory, attributed to the contexts by the share of
//! their final size that each must have reached at its age, is an upper bound: the estimate falls towards it as evidence
//! gathers. The memory without what the browsers themselves may take, spread over all contexts and those that ended a moment
//! ago, is a lower bound: the estimate rises to it at once.
//!
//! **The gate** shuts when the memory in use leaves no room for one more context below 85 % of the limit, and opens
//! again at 82 %, after 2 s at least. That band is narrow on purpose: the ledger moves by one context at a time, and a
//! wide band only makes the number of contexts swing. Wide bands belong to levels and warnings
//! ([`pressure`](crate::policy::pressure)). Bookings never shut it: they are exact, so the room that a context leaves may be
//! taken in the same moment. A gate that they shut would keep a small machine idle for 2 s after each handful of contexts.
//!
//! **Blind**: without a reading of memory the answer is [`Room::Unknown`], never "yes".

mod estimate;
mod growth;

use std::collections::BTreeMap;
use std::time::Duration;

pub use self::estimate::Estimate;
use crate::id::{BrowserId, SlotId};
use crate::policy::pressure::MemoryUse;
use crate::policy::window::{Verdict, Window};
use crate::time::Moment;
use crate::units::{Bytes, Ratio};

/// The numbers of the ledger.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "settings",
    derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema),
    serde(deny_unknown_fields, default)
)]
pub struct FootprintConfig {
    /// No context is admitted while the memory in use, the memory promised to young contexts and the memory of one more
    /// context exceed this share of the memory limit.
    #[cfg_attr(feature = "settings", serde(with = "crate::quantity::share"), schemars(with = "crate::quantity::share::Share", extend("x-least" = "1%")))]
    pub shut_above: Ratio,
    /// After memory in use alone has stopped admission, contexts are admitted again at or below this share.
    #[cfg_attr(feature = "settings", serde(with = "crate::quantity::share"), schemars(with = "crate::quantity::share::Share", extend("x-least" = "1%")))]
    pub open_at: Ratio,
    /// The least time it stays shut.
    #[cfg_attr(feature = "settings", serde(skip))]
    pub shut_for: Duration,
    /// The memory that a context is expected to take until contexts have been measured. The standard deviation is taken
    /// as 30 % of it.
    #[cfg_attr(feature = "settings", serde(rename = "context", with = "estimate::as_mean"), schemars(with = "crate::quantity::size::Size", extend("x-least" = "1MiB")))]
    pub prior: Estimate,
    /// What an empty context shows at once. Headless-shell: 17 MiB (100 contexts with a small page had 1.7 GB of PSS).
    #[cfg_attr(feature = "settings", serde(skip))]
    pub blank: Bytes,
    /// What a browser takes before it has any context.
    #[cfg_attr(feature = "settings", serde(skip))]
    pub browser: Bytes,
}

impl Default for FootprintConfig {
    fn default() -> Self {
        Self {
            shut_above: Ratio::percent(85),
            open_at: Ratio::percent(82),
            shut_for: Duration::from_secs(2),
            prior: Estimate::default(),
            blank: Bytes::mib(17),
            browser: Bytes::mib(300),
        }
    }
}

/// Whether one more context fits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Room {
    /// It does.
    Fits,
    /// It does not.
    Short(Shortage),
    /// Memory cannot be seen.
    Unknown,
}

/// Why it does not fit.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error(
    "memory: {used} of {} used, {promised} promised to {contexts} contexts and to browsers that start; one more may take {next}",
    Bytes((limit.0 as f64 * line.value()) as u64)
)]
pub struct Shortage {
    /// In use on the machine.
    pub used: Bytes,
    /// Promised to contexts and to browsers that start, and not yet in use.
    pub promised: Bytes,
    /// Contexts that are held.
    pub contexts: usize,
    /// What one more context, and a browser where it needs one, may take.
    pub next: Bytes,
    /// The memory limit.
    pub limit: Bytes,
    /// The share of the limit below which all of this must stay, or to which the use must fall.
    pub line: Ratio,
}

/// The ledger of promised memory.
#[derive(Debug, Clone)]
pub struct Footprint {
    config: FootprintConfig,
    estimate: Estimate,
    memory: Option<MemoryUse>,
    contexts: BTreeMap<SlotId, Held>,
    /// Contexts that ended so recently that the last measurement may still include them.
    gone: Window,
    measured_at: Option<Moment>,
    browsers: BTreeMap<BrowserId, Bytes>,
    booked: Bytes,
    gate: Gate,
}

#[derive(Debug, Clone, Default)]
struct Held {
    booked: Bytes,
    created: Option<Moment>,
    /// The most it was ever seen to use, if it was ever measured.
    peak: Option<Bytes>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    Shut { since: Moment },
}

/// How old a measurement of all browsers may be: the probe lists their processes anew every 5 s.
const MEASUREMENT_LAG: Duration = Duration::from_secs(10);
/// The longest time for which one measurement counts as evidence.
const LONGEST_WATCH: Duration = Duration::from_secs(5);

impl Footprint {
    /// A ledger without contexts that has not seen the memory.
    #[must_use]
    pub fn new(config: FootprintConfig) -> Self {
        Self {
            estimate: config.prior,
            config,
            memory: None,
            contexts: BTreeMap::new(),
            gone: Window::new(MEASUREMENT_LAG),
            measured_at: None,
            browsers: BTreeMap::new(),
            booked: Bytes::ZERO,
            gate: Gate::Open,
        }
    }

    /// Whether one more context fits.
    #[must_use]
    pub fn room(&self) -> Room {
        self.room_for(self.estimate.high())
    }

    /// Whether one more context fits when one more browser has been started for it.
    #[must_use]
    pub(crate) fn room_beside_browser(&self) -> Room {
        self.room_for(self.config.browser + self.estimate.high())
    }

    fn room_for(&self, next: Bytes) -> Room {
        let Some(MemoryUse { used, limit }) = self.memory else { return Room::Unknown };
        let line = match self.gate {
            Gate::Open => self.config.shut_above,
            Gate::Shut { .. } => self.config.open_at,
        };
        if self.gate == Gate::Open && (self.predicted() + next).share_of(limit) <= line {
            return Room::Fits;
        }
        let (promised, contexts) = (self.booked, self.contexts.len());
        Room::Short(Shortage { used, promised, contexts, next, limit, line })
    }

    /// Memory in use and promised.
    #[must_use]
    pub(crate) fn predicted(&self) -> Bytes {
        self.memory.map_or(Bytes::ZERO, |memory| memory.used) + self.booked
    }

    /// Memory promised and not yet visible.
    #[must_use]
    pub const fn booked(&self) -> Bytes {
        self.booked
    }

    /// What a context is expected to take.
    #[must_use]
    pub const fn estimate(&self) -> Estimate {
        self.estimate
    }

    /// When the gate may open, if it is shut.
    #[must_use]
    pub(crate) fn poll_timeout(&self) -> Option<Moment> {
        match self.gate {
            Gate::Open => None,
            Gate::Shut { since } => Some(since + self.config.shut_for),
        }
    }

    /// The machine's memory was read, or could not be (`None`).
    pub(crate) fn on_memory(&mut self, now: Moment, memory: Option<MemoryUse>) {
        self.memory = memory.filter(|memory| memory.limit > Bytes::ZERO);
        self.turn(now);
    }

    /// Opens the gate if its time has come (see [`Footprint::poll_timeout`]).
    pub(crate) fn on_timeout(&mut self, now: Moment) {
        self.turn(now);
    }

    /// A browser is being started.
    pub(crate) fn on_launching(&mut self, browser: BrowserId) {
        self.book_browser(browser, self.config.browser);
    }

    /// A browser has come up, so that its memory is visible; or it is gone.
    pub(crate) fn on_launched(&mut self, browser: BrowserId) {
        self.book_browser(browser, Bytes::ZERO);
    }

    /// A context was admitted and will be created.
    pub(crate) fn on_reserved(&mut self, slot: SlotId) {
        let booked = self.estimate.mean;
        self.booked += booked;
        if let Some(before) = self.contexts.insert(slot, Held { booked, ..Held::default() }) {
            self.booked -= before.booked;
        }
    }

    /// The context exists, still empty.
    pub(crate) fn on_created(&mut self, now: Moment, slot: SlotId) {
        let booked = self.estimate.mean - self.config.blank;
        if let Some(held) = self.contexts.get_mut(&slot).filter(|held| held.created.is_none()) {
            held.created = Some(now);
            self.booked = self.booked - held.booked + booked;
            held.booked = booked;
        }
    }

    /// The `browsers` process trees together were measured to use `total`. The contexts of `running` exist and are not being
    /// closed.
    pub(crate) fn on_measured(
        &mut self,
        now: Moment,
        total: Bytes,
        browsers: u32,
        running: impl Iterator<Item = SlotId>,
    ) {
        let running: Vec<_> = running.collect();
        self.learn_from_living(now, total, browsers, &running);
        let each = Bytes(total.0 / self.contexts.len().max(1) as u64);
        let Estimate { mean, .. } = self.estimate;
        for slot in running {
            let Some(held) = self.contexts.get_mut(&slot) else { continue };
            let Some(created) = held.created else { continue };
            held.peak = held.peak.max(Some(each));
            let booked = (mean - each).min(growth::remaining(each, now.since(created)));
            self.booked = self.booked - held.booked + booked;
            held.booked = booked;
        }
    }

    /// The context is gone. What it used at most is learnt.
    pub(crate) fn on_gone(&mut self, now: Moment, slot: SlotId) {
        let Some(held) = self.contexts.remove(&slot) else { return };
        self.booked -= held.booked;
        self.gone.record(now, Verdict::Success);
        if let Some(peak) = held.peak {
            self.estimate.learn(peak);
        }
        self.turn(now);
    }

    /// Moves the estimate by the two bounds that all living contexts together give.
    fn learn_from_living(&mut self, now: Moment, total: Bytes, browsers: u32, running: &[SlotId]) {
        if self.contexts.is_empty() {
            return;
        }
        let watched = self.measured_at.map_or(Duration::ZERO, |at| now.since(at)).min(LONGEST_WATCH);
        self.measured_at = Some(now);
        let sharers = self.contexts.len() as u64 + u64::from(self.gone.counts(now).calls);
        let base = Bytes(self.config.browser.0.saturating_mul(u64::from(browsers)));
        self.estimate.raise(Bytes((total - base).0 / sharers.max(1)));
        let ages = running.iter().filter_map(|slot| self.contexts.get(slot)?.created);
        let grown: f64 = ages.map(|created| growth::grown(now.since(created))).sum();
        if grown > 0.0 {
            let evidence = grown * watched.as_secs_f64() / growth::SETTLE.as_secs_f64();
            self.estimate.lower(Bytes((total.0 as f64 / grown) as u64), evidence);
        }
    }

    fn book_browser(&mut self, browser: BrowserId, promised: Bytes) {
        let before = if promised > Bytes::ZERO {
            self.browsers.insert(browser, promised)
        } else {
            self.browsers.remove(&browser)
        };
        self.booked = self.booked + promised - before.unwrap_or_default();
    }

    /// Shuts or opens the gate. Readings of memory and time move it; asking for room never does.
    fn turn(&mut self, now: Moment) {
        let Some(MemoryUse { used, limit }) = self.memory else { return };
        let share = (used + self.estimate.high()).share_of(limit);
        match self.gate {
            Gate::Open if share > self.config.shut_above => self.gate = Gate::Shut { since: now },
            Gate::Shut { since }
                if share <= self.config.open_at && now.since(since) >= self.config.shut_for =>
            {
                self.gate = Gate::Open;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
