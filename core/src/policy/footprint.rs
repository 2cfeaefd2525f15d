//! [`Footprint`]: will one more context fit into memory, counting what the others were promised and have not used yet?
//!
//! Memory in use lags: a context admitted a second ago has loaded nothing. Admitting by use alone lets a hundred in
//! before the first shows its weight. So each context *books* what its class usually takes, and as its memory becomes
//! visible in the machine's use, its booking shrinks:
//!
//! ```text
//! predicted = in use + Σ bookings + what the next one may take (estimate + 1σ)
//!
//!   reserved          the whole estimate
//!   created           estimate − what an empty context already shows
//!   measured          estimate − measured                                never below zero
//! ```
//!
//! Everything is a running sum, so a decision costs the same for ten contexts as for ten thousand. A booking keeps the
//! estimate it was made with until the context is measured again: the sums stay exact while estimates move.
//!
//! **The gate** shuts when the memory in use leaves no room for the lightest class below 85 % of the limit, and opens
//! again at 82 %, after 2 s at least. That band is narrow on purpose: the ledger moves by one context at a time, and a
//! wide band only makes the number of contexts swing. Wide bands belong to levels and warnings
//! ([`pressure`](crate::policy::pressure)). Bookings never shut it: they are exact, so the room that one leaves may be
//! taken in the same moment. A gate that they shut would keep a small machine idle for 2 s after each handful of contexts.
//!
//! **Blind**: without a reading of memory the answer is [`Room::Unknown`], never "yes".

mod estimate;

use std::collections::BTreeMap;
use std::time::Duration;

use self::estimate::Estimates;
pub use self::estimate::{Class, Estimate};
use crate::id::{BrowserId, SlotId};
use crate::policy::pressure::MemoryUse;
use crate::time::Moment;
use crate::units::{Bytes, Ratio};

/// The numbers of the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct FootprintConfig {
    /// The share of the limit above which the gate shuts; 80 % suits a host shared with other work.
    pub shut_above: Ratio,
    /// The share at or below which it opens again.
    pub open_at: Ratio,
    /// The least time it stays shut.
    pub shut_for: Duration,
    /// What an unknown class is taken for.
    pub prior: Estimate,
    /// What is expected of particular classes before they have been measured.
    pub priors: BTreeMap<Class, Estimate>,
    /// What an empty context shows at once. Headless-shell: 17 MiB (100 contexts with a small page had 1.7 GB of PSS).
    pub blank: Bytes,
    /// What a browser takes before it has any context.
    pub browser: Bytes,
}

impl Default for FootprintConfig {
    fn default() -> Self {
        Self {
            shut_above: Ratio::percent(85),
            open_at: Ratio::percent(82),
            shut_for: Duration::from_secs(2),
            prior: Estimate::default(),
            priors: BTreeMap::new(),
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
#[error("predicted memory {predicted} is {share} of {limit} (line {line})", share = predicted.share_of(*limit))]
pub struct Shortage {
    /// In use, promised, and what the next one may take.
    pub predicted: Bytes,
    /// The memory limit.
    pub limit: Bytes,
    /// The share it must stay below, or come down to.
    pub line: Ratio,
}

/// The ledger of promised memory.
#[derive(Debug, Clone)]
pub struct Footprint {
    config: FootprintConfig,
    estimates: Estimates,
    memory: Option<MemoryUse>,
    contexts: BTreeMap<SlotId, Held>,
    browsers: BTreeMap<BrowserId, Bytes>,
    booked: Bytes,
    gate: Gate,
}

#[derive(Debug, Clone)]
struct Held {
    class: Class,
    booked: Bytes,
    /// The most it was ever seen to use, if it was ever measured.
    peak: Option<Bytes>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    Shut { since: Moment },
}

impl Footprint {
    /// A ledger without contexts that has not seen the memory.
    #[must_use]
    pub fn new(config: FootprintConfig) -> Self {
        let estimates = Estimates::new(config.prior, config.priors.clone());
        Self {
            config,
            estimates,
            memory: None,
            contexts: BTreeMap::new(),
            browsers: BTreeMap::new(),
            booked: Bytes::ZERO,
            gate: Gate::Open,
        }
    }

    /// Whether a context of `class` fits.
    #[must_use]
    pub fn room(&self, class: &Class) -> Room {
        self.room_beside(class, Bytes::ZERO)
    }

    /// Whether a context of `class` fits when one more browser has been started for it.
    #[must_use]
    pub fn room_beside_browser(&self, class: &Class) -> Room {
        self.room_beside(class, self.config.browser)
    }

    fn room_beside(&self, class: &Class, other: Bytes) -> Room {
        let Some(MemoryUse { limit, .. }) = self.memory else { return Room::Unknown };
        let predicted = self.predicted() + other + self.estimates.of(class).high();
        let line = match self.gate {
            Gate::Open => self.config.shut_above,
            Gate::Shut { .. } => self.config.open_at,
        };
        let is_short = self.gate != Gate::Open || predicted.share_of(limit) > line;
        if is_short { Room::Short(Shortage { predicted, limit, line }) } else { Room::Fits }
    }

    /// Memory in use and promised.
    #[must_use]
    pub fn predicted(&self) -> Bytes {
        self.memory.map_or(Bytes::ZERO, |memory| memory.used) + self.booked
    }

    /// Memory promised and not yet visible.
    #[must_use]
    pub const fn booked(&self) -> Bytes {
        self.booked
    }

    /// What a context of `class` is expected to take.
    #[must_use]
    pub fn estimate(&self, class: &Class) -> Estimate {
        self.estimates.of(class)
    }

    /// When the gate may open, if it is shut.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Moment> {
        match self.gate {
            Gate::Open => None,
            Gate::Shut { since } => Some(since + self.config.shut_for),
        }
    }

    /// The machine's memory was read, or could not be (`None`).
    pub fn on_memory(&mut self, now: Moment, memory: Option<MemoryUse>) {
        self.memory = memory.filter(|memory| memory.limit > Bytes::ZERO);
        self.turn(now);
    }

    /// Opens the gate if its time has come (see [`Footprint::poll_timeout`]).
    pub fn on_timeout(&mut self, now: Moment) {
        self.turn(now);
    }

    /// A browser is being started.
    pub fn on_launching(&mut self, browser: BrowserId) {
        self.book_browser(browser, self.config.browser);
    }

    /// A browser has come up, so that its memory is visible; or it is gone.
    pub fn on_launched(&mut self, browser: BrowserId) {
        self.book_browser(browser, Bytes::ZERO);
    }

    /// A context was admitted and will be created.
    pub fn on_reserved(&mut self, slot: SlotId, class: Class) {
        let booked = self.estimates.of(&class).mean;
        self.booked += booked;
        let held = Held { class, booked, peak: None };
        if let Some(before) = self.contexts.insert(slot, held) {
            self.booked -= before.booked;
        }
    }

    /// The context exists, still empty.
    pub fn on_created(&mut self, slot: SlotId) {
        let blank = self.config.blank;
        if self.contexts.get(&slot).is_some_and(|held| held.peak.is_none()) {
            self.rebook(slot, blank);
        }
    }

    /// The context was seen to use so much: its own pages, or its share of its browser where pages cannot be told apart.
    pub fn on_measured(&mut self, slot: SlotId, used: Bytes) {
        if let Some(held) = self.contexts.get_mut(&slot) {
            held.peak = held.peak.max(Some(used));
        }
        self.rebook(slot, used);
    }

    /// The context is gone. What it used at most teaches its class.
    pub fn on_gone(&mut self, now: Moment, slot: SlotId) {
        let Some(held) = self.contexts.remove(&slot) else { return };
        self.booked -= held.booked;
        if let Some(peak) = held.peak {
            self.estimates.learn(held.class, peak);
        }
        self.turn(now);
    }

    fn rebook(&mut self, slot: SlotId, visible: Bytes) {
        let Some(held) = self.contexts.get_mut(&slot) else { return };
        self.booked -= held.booked;
        held.booked = self.estimates.of(&held.class).mean - visible;
        self.booked += held.booked;
    }

    fn book_browser(&mut self, browser: BrowserId, promised: Bytes) {
        let before = if promised > Bytes::ZERO {
            self.browsers.insert(browser, promised)
        } else {
            self.browsers.remove(&browser)
        };
        self.booked = self.booked + promised - before.unwrap_or_default();
    }

    /// Shuts or opens the gate. Only news of memory calls it, and time; asking for room never does.
    fn turn(&mut self, now: Moment) {
        let Some(MemoryUse { used, limit }) = self.memory else { return };
        let share = (used + self.estimates.lightest().high()).share_of(limit);
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
