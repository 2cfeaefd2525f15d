//! [`GradientLimit`]: the limit on creations follows their latency.
//!
//! Creations that queue for the processor take longer; how much longer, compared with what one takes on an idle machine,
//! says how many are too many. Samples are gathered in windows of 1 s, or up to 5 s if they are few:
//!
//! ```text
//! ratio     = median of the samples / base
//! gradient  = 1.5 / ratio, within 0.5 … 1          1.5: half as long again is the price of keeping the machine busy
//! headroom  = max(1, √limit / 2), but none while the gradient is at its floor
//! limit     ← 0.8 limit + 0.2 (gradient · limit + headroom)
//! ```
//!
//! **Start**: as many as there are cores, × 1.5 a window until latency first answers. The *first* creations set the base,
//! so they must not already contend with each other.
//!
//! **Growth** needs a limit that was reached in the window; shrinking needs one that was half used. **Failures** are no
//! samples: a creation that fails at once says nothing about speed. A **time-out** is the worst sample there is: one in a
//! window puts the gradient at its floor, used or not.
//!
//! **The base** is what a creation takes on an idle machine. It falls quickly to any
//! faster median, though not at once, so that one lucky window cannot set a mark that is never reached again. It rises slowly
//! (0.2 % a window, about 8 minutes) and only in calm windows; otherwise it would learn the overload that it is there to
//! detect. If the limit has been 1 for five windows, the base is evidently wrong and is forgotten. (The headroom must vanish at the floor for that: with it
//! the limit would settle at 2 and never get there.)

mod base;

use std::time::Duration;

use self::base::{Base, Load};
use crate::time::Moment;

/// The incident's limit on contexts being created.
pub(crate) const MAX_CREATING: u32 = 50;

/// The numbers of the law that depend on the machine or on taste.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientConfig {
    /// What the limit starts from: the number of cores.
    pub start: u32,
    /// The ceiling (at least 1).
    pub max: u32,
    /// How much longer than its base a creation may take before the limit falls: 1.5 here, 2 to 3 for remote grids, whose
    /// latency varies for other reasons.
    pub tolerance: f64,
}

impl Default for GradientConfig {
    fn default() -> Self {
        Self { start: 2, max: MAX_CREATING, tolerance: 1.5 }
    }
}

const WINDOW: Duration = Duration::from_secs(1);
const LONG_WINDOW: Duration = Duration::from_secs(5);
const FLOOR: f64 = 0.5;
const SMOOTHING: f64 = 0.2;
const FORGET_AFTER: u32 = 5;
/// More samples than this in one window add nothing to its median.
const MAX_SAMPLES: usize = 256;
/// No browser makes a context faster; a shorter time is a clock that stood still.
const SHORTEST: Duration = Duration::from_micros(100);

/// The limit and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct GradientLimit {
    config: GradientConfig,
    limit: f64,
    search: Search,
    base: Base,
    window: Gathering,
    windows_at_one: u32,
}

/// Whether latency has answered yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Search {
    Exploring,
    Settled,
}

#[derive(Debug, Clone, Default)]
struct Gathering {
    began: Moment,
    samples: Vec<Duration>,
    timeouts: u32,
    peak: u32,
}

impl GradientLimit {
    /// A limit at its start.
    #[must_use]
    pub(crate) fn new(config: GradientConfig) -> Self {
        let limit = f64::from(config.start).clamp(1.0, f64::from(config.max.max(1)));
        Self {
            config,
            limit,
            search: Search::Exploring,
            base: Base::default(),
            window: Gathering::default(),
            windows_at_one: 0,
        }
    }

    /// Changes the ceiling; below the limit it takes the limit along, above it there is room to grow.
    pub(crate) fn set_max(&mut self, max: u32) {
        self.config.max = max;
        self.limit = self.limit.min(f64::from(max.max(1)));
    }

    /// The limit now: at least 1, at most the ceiling.
    #[must_use]
    pub(crate) fn current(&self) -> u32 {
        self.limit as u32
    }

    /// A creation starts; with it, `in_flight` are on their way.
    pub(crate) fn on_started(&mut self, in_flight: u32) {
        self.window.peak = self.window.peak.max(in_flight);
    }

    /// One try at a creation succeeded after `took`; time spent waiting or retrying is not part of it.
    pub(crate) fn on_created(&mut self, took: Duration) {
        if took >= SHORTEST && self.window.samples.len() < MAX_SAMPLES {
            self.window.samples.push(took);
        }
    }

    /// One try at a creation ran out of time.
    pub(crate) const fn on_timed_out(&mut self) {
        self.window.timeouts = self.window.timeouts.saturating_add(1);
    }

    /// Closes the window if it is full, with `in_flight` creations on their way. Call it at
    /// [`GradientLimit::poll_timeout`] or after each creation; more often changes nothing.
    pub(crate) fn on_tick(&mut self, now: Moment, in_flight: u32) {
        self.window.peak = self.window.peak.max(in_flight);
        if now < self.poll_timeout() {
            return;
        }
        let window = std::mem::replace(&mut self.window, Gathering { began: now, ..Gathering::default() });
        self.on_window(&window);
        self.window.peak = in_flight;
    }

    /// When the window closes if no further sample arrives.
    #[must_use]
    pub(crate) fn poll_timeout(&self) -> Moment {
        let enough = self.current().clamp(5, 10);
        let is_full = self.window.samples.len() >= enough as usize;
        self.window.began + if is_full { WINDOW } else { LONG_WINDOW }
    }

    fn on_window(&mut self, window: &Gathering) {
        let load = if window.peak <= (self.current() / 4).max(2) { Load::Calm } else { Load::Busy };
        let ratio = self.base.ratio(&window.samples);
        self.base.learn(&window.samples, load);
        let gradient = match ratio {
            _ if window.timeouts > 0 => FLOOR,
            Some(ratio) => (self.config.tolerance.max(1.0) / ratio).clamp(FLOOR, 1.0),
            None => return,
        };
        let next = self.next(gradient);
        let is_used = window.peak * 2 >= self.current() || window.timeouts > 0;
        if (next > self.limit && window.peak >= self.current()) || (next < self.limit && is_used) {
            self.limit = next;
        }
        if gradient < 1.0 {
            self.search = Search::Settled;
        }
        self.windows_at_one = if self.limit < 1.01 { self.windows_at_one + 1 } else { 0 };
        if self.windows_at_one >= FORGET_AFTER {
            self.base = Base::default();
            self.windows_at_one = 0;
        }
    }

    fn next(&self, gradient: f64) -> f64 {
        let limit = self.limit;
        let headroom = if gradient <= FLOOR { 0.0 } else { (limit.sqrt() / 2.0).max(1.0) };
        let next = match self.search {
            Search::Exploring if gradient >= 1.0 => limit * 1.5,
            _ => (1.0 - SMOOTHING) * limit + SMOOTHING * (gradient * limit + headroom),
        };
        next.clamp(1.0, f64::from(self.config.max.max(1)))
    }
}

#[cfg(test)]
mod tests;
