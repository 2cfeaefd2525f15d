//! May one more context start now? One synchronous decision over every gate, with a typed reason when the answer
//! is no.
//!
//! ```text
//!   active limit ─► creation limit ─► pressure ─► predicted memory ─► breakers ─► start
//!      (AIMD)         (gradient)      (levels)      (footprint)       (scopes)
//! ```
//!
//! Deciding and booking are one step: nothing can be admitted between the question and the answer. With the policy
//! [`LimitPolicy::Fixed`] the two limits are the incident's constants and pressure and memory are only watched; the
//! breakers guard both policies.
//!
//! **Liveness.** A fleet that holds nothing cannot relieve a machine that others have filled. After
//! [`STARVED_AFTER`] with nothing in flight ([`STARVED_AFTER_EMERGENCY`] in an emergency) it gets one context at a time,
//! which is not evicted while it is alone.

mod answer;
mod config;
mod reconfigure;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use self::answer::{Announcement, Wait};
pub use self::config::{AdmissionConfig, LimitPolicy};
use crate::id::{BrowserId, SlotId};
use crate::outcome::FailureClass;
use crate::policy::blame::AttemptOutcome;
use crate::policy::footprint::{Footprint, Room, Shortage};
use crate::policy::limit::{ActiveLimit, CreationLimit};
use crate::policy::pressure::{self, Gauge, Launches, Level, Measures, Pace, Reading, Signal};
use crate::policy::scopes::{Blocked, BreakerPermits, Changes, Scope, Scopes};
use crate::policy::window::Verdict;
use crate::time::Moment;
use crate::units::Bytes;

/// How long a fleet with nothing in flight is refused before it gets one context anyway.
pub const STARVED_AFTER: Duration = Duration::from_secs(30);
/// The same time in an emergency: longer, since the fleet without contexts did not cause it.
pub const STARVED_AFTER_EMERGENCY: Duration = Duration::from_secs(120);
/// Creations at once while memory cannot be seen: the static floor that a blind controller falls back to.
pub(crate) const BLIND_CREATING: u32 = 4;

/// How much is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Contexts held, in whatever phase.
    pub active: u32,
    /// Contexts being created.
    pub creating: u32,
}

/// The gates, and what they have learnt.
#[derive(Debug)]
pub struct Admission {
    config: AdmissionConfig,
    creation: CreationLimit,
    active: ActiveLimit,
    footprint: Footprint,
    gauge: Gauge,
    scopes: Scopes,
    /// Contexts that the driver's endpoints can hold, where they report it.
    slots: Option<u32>,
    /// Since when nothing is in flight.
    idle_since: Option<Moment>,
    announcements: Vec<Announcement>,
}

impl Admission {
    /// Gates with nothing learnt yet.
    #[must_use]
    pub fn new(config: AdmissionConfig) -> Self {
        let (creation, active) = config.limits();
        Self {
            creation,
            active,
            footprint: Footprint::new(config.footprint.clone()),
            gauge: Gauge::new(config.pressure.clone()),
            scopes: Scopes::new(config.scopes.clone()),
            slots: None,
            idle_since: Some(Moment::ZERO),
            announcements: Vec::new(),
            config,
        }
    }

    /// Whether one more context may start under this load, its breakers aside.
    ///
    /// # Errors
    /// The first gate that is shut.
    pub fn admit(&self, now: Moment, load: Load) -> Result<(), Wait> {
        let limit = self.active_limit();
        if load.active >= limit {
            return Err(Wait::Active { in_flight: load.active, limit });
        }
        if load.creating >= self.creation.current() {
            return Err(Wait::Creating { in_flight: load.creating, limit: self.creation.current() });
        }
        if self.config.policy == LimitPolicy::Fixed || self.is_starved(now) {
            return Ok(());
        }
        self.machine_admits(load)
    }

    /// Whether one more browser would leave room in memory for a context on it; true where memory is not seen, or only
    /// watched.
    #[must_use]
    pub(crate) fn has_room_for_browser(&self) -> bool {
        self.short_of_room_for_browser().is_none()
    }

    /// Why no browser is started beyond those that replace others, if that is so.
    #[must_use]
    pub(crate) fn refuses_browser(&self) -> Option<Wait> {
        if self.measures().launches == Launches::Any {
            self.short_of_room_for_browser().map(Wait::Memory)
        } else {
            Some(Wait::Pressure(self.gauge.level(), self.gauge.cause()))
        }
    }

    fn short_of_room_for_browser(&self) -> Option<Shortage> {
        match (self.config.policy, self.footprint.room_beside_browser()) {
            (LimitPolicy::Adaptive { .. }, Room::Short(shortage)) => Some(shortage),
            _ => None,
        }
    }

    /// Asks the breakers of everything an attempt will use for the right to make it.
    ///
    /// # Errors
    /// The breaker that refuses longest.
    pub fn pass(
        &mut self,
        now: Moment,
        scopes: &[Scope],
        rng: &mut fastrand::Rng,
    ) -> Result<BreakerPermits, Blocked> {
        let (permits, changes) = self.scopes.try_acquire(now, scopes, rng);
        self.announce_breakers(changes);
        permits
    }

    /// A context was admitted; `load` includes it.
    pub(crate) fn reserved(&mut self, slot: SlotId, load: Load) {
        self.idle_since = None;
        self.footprint.on_reserved(slot);
        if let CreationLimit::Adaptive(limit) = &mut self.creation {
            limit.on_started(load.creating);
        }
    }

    /// A context was opened; `took` is the time since its admission.
    pub fn opened(&mut self, now: Moment, slot: SlotId, took: Duration, load: Load) {
        self.footprint.on_created(now, slot);
        if let CreationLimit::Adaptive(limit) = &mut self.creation {
            limit.on_created(took);
            limit.on_tick(now, load.creating);
        }
    }

    /// A context's creation ran out of time.
    pub(crate) const fn creation_timed_out(&mut self) {
        if let CreationLimit::Adaptive(limit) = &mut self.creation {
            limit.on_timed_out();
        }
    }

    /// An attempt ended: its outcome is recorded at every breaker that it passed.
    pub fn ended(
        &mut self,
        now: Moment,
        permits: BreakerPermits,
        outcome: AttemptOutcome,
        rng: &mut fastrand::Rng,
    ) {
        let changes = self.scopes.record(now, permits, outcome, rng);
        self.announce_breakers(changes);
    }

    /// A context is verified gone; `load` is without it.
    pub fn freed(&mut self, now: Moment, slot: SlotId, load: Load) {
        self.footprint.on_gone(now, slot);
        if load.active == 0 {
            self.idle_since = Some(now);
        }
    }

    /// A browser is being started.
    pub fn launching(&mut self, browser: BrowserId) {
        self.footprint.on_launching(browser);
    }

    /// A browser came up. The global breaker counts a success.
    pub fn launched(&mut self, now: Moment, browser: BrowserId, rng: &mut fastrand::Rng) {
        self.launch_over(browser);
        self.note(now, &Scope::Global, Verdict::Success, rng);
    }

    /// A browser could not be started. The global breaker counts a failure.
    pub fn launch_failed(
        &mut self,
        now: Moment,
        browser: BrowserId,
        class: FailureClass,
        rng: &mut fastrand::Rng,
    ) {
        self.launch_over(browser);
        let verdict = if class == FailureClass::Timeout { Verdict::TimedOut } else { Verdict::Failure };
        self.note(now, &Scope::Global, verdict, rng);
    }

    /// The start of a browser that was given up meanwhile is over: its promise ends.
    pub fn launch_over(&mut self, browser: BrowserId) {
        self.footprint.on_launched(browser);
    }

    /// A browser is gone for good.
    pub fn browser_gone(&mut self, browser: BrowserId) {
        self.scopes.forget(&Scope::Browser(browser));
    }

    /// A page or browser crashed: a hint at memory, when that is short too.
    pub(crate) fn crashed(&mut self, now: Moment) {
        self.gauge.on_crash(now);
    }

    /// Something of the fleet itself failed outside of any attempt: a browser died.
    pub(crate) fn note_failure(&mut self, now: Moment, rng: &mut fastrand::Rng) {
        self.note(now, &Scope::Fuse, Verdict::Failure, rng);
    }

    /// The machine was read.
    pub fn read(&mut self, now: Moment, reading: &Reading, load: Load) {
        self.slots = reading.slots;
        self.footprint.on_memory(now, reading.memory.map(|sensed| sensed.value));
        let change = self.gauge.on_reading(now, reading, load.active);
        self.announcements.extend(change.map(Announcement::Pressure));
        self.tick(now, load);
    }

    /// The `browsers` were measured to take `total` together; the contexts of `running` exist and are not being closed.
    pub fn measured(
        &mut self,
        now: Moment,
        total: Bytes,
        browsers: u32,
        running: impl Iterator<Item = SlotId>,
    ) {
        self.footprint.on_measured(now, total, browsers, running);
    }

    /// Time passed.
    pub fn tick(&mut self, now: Moment, load: Load) {
        self.footprint.on_timeout(now);
        if let CreationLimit::Adaptive(limit) = &mut self.creation {
            limit.on_tick(now, load.creating);
        }
        if let ActiveLimit::Adaptive(limit) = &mut self.active {
            limit.on_level(now, Some(self.gauge.level()), load.active);
        }
    }

    /// Emits the half-open transitions whose time has come. Call it about once a second.
    pub(crate) fn poll_breakers(&mut self, now: Moment) {
        let changes = self.scopes.on_timeout(now);
        self.announce_breakers(changes);
    }

    /// Takes the announcements since the last call.
    pub(crate) fn take_announcements(&mut self) -> Vec<Announcement> {
        std::mem::take(&mut self.announcements)
    }

    /// How many contexts may be active now. Endpoints that report room for none get one all the same: its attempt
    /// finds out why.
    #[must_use]
    pub fn active_limit(&self) -> u32 {
        self.slots.map_or(u32::MAX, |slots| slots.max(1)).min(self.active.current())
    }

    /// How many contexts may be in creation now.
    #[must_use]
    pub fn creation_limit(&self) -> u32 {
        self.creation.current()
    }

    /// The configured number of contexts: the ceiling of every limit.
    #[must_use]
    pub(crate) const fn ceiling(&self) -> u32 {
        self.config.max_contexts
    }

    /// The level of pressure.
    #[must_use]
    pub fn level(&self) -> Level {
        self.gauge.level()
    }

    /// The signals whose sensors give no value.
    pub fn blind(&self) -> impl Iterator<Item = Signal> {
        self.gauge.blind()
    }

    /// What the level demands; nothing, when the limits are fixed.
    #[must_use]
    pub(crate) fn measures(&self) -> Measures {
        match self.config.policy {
            LimitPolicy::Fixed => Level::Nominal.measures(),
            LimitPolicy::Adaptive { .. } => self.gauge.level().measures(),
        }
    }

    /// How fast to evict, if somebody must go now.
    #[must_use]
    pub(crate) fn eviction_pace(&self) -> Option<Pace> {
        match self.config.policy {
            LimitPolicy::Fixed => None,
            LimitPolicy::Adaptive { .. } => self.gauge.eviction_pace(),
        }
    }

    /// How often a breaker opened.
    #[must_use]
    pub(crate) const fn trips(&self) -> u64 {
        self.scopes.trips()
    }

    /// The ledger of predicted memory.
    #[must_use]
    pub const fn footprint(&self) -> &Footprint {
        &self.footprint
    }

    /// The breakers.
    #[must_use]
    pub const fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// When gates may open by time alone; some of it may be past.
    pub(crate) fn next_changes(&self) -> impl Iterator<Item = Moment> {
        self.starved_at().into_iter().chain(self.footprint.poll_timeout())
    }

    /// How long nothing has been in flight.
    #[must_use]
    pub(crate) fn idle_for(&self, now: Moment) -> Duration {
        self.idle_since.map_or(Duration::ZERO, |since| now.since(since))
    }

    /// Whether nothing has been in flight for the time after which the starvation rule admits one context.
    #[must_use]
    pub(crate) fn is_starved(&self, now: Moment) -> bool {
        self.starved_at().is_some_and(|at| at <= now)
    }

    /// Whether a context that starts now is admitted only by the starvation rule.
    #[must_use]
    pub(crate) fn is_against_odds(&self, now: Moment) -> bool {
        let is_adaptive = self.config.policy != LimitPolicy::Fixed;
        is_adaptive && self.is_starved(now) && self.machine_admits(Load::default()).is_err()
    }

    /// Whether the machine has room, as far as it can be seen.
    fn machine_admits(&self, load: Load) -> Result<(), Wait> {
        let level = self.gauge.level();
        if level.measures().admission == pressure::Admission::Shut {
            return Err(Wait::Pressure(level, self.gauge.cause()));
        }
        match self.footprint.room() {
            Room::Fits => Ok(()),
            Room::Short(shortage) => Err(Wait::Memory(shortage)),
            Room::Unknown if load.creating < BLIND_CREATING => Ok(()),
            Room::Unknown => Err(Wait::Blind { limit: BLIND_CREATING }),
        }
    }

    fn starved_at(&self) -> Option<Moment> {
        let patience = match self.gauge.level() {
            Level::Emergency => STARVED_AFTER_EMERGENCY,
            Level::Nominal | Level::Elevated | Level::Critical => STARVED_AFTER,
        };
        self.idle_since.map(|since| since + patience)
    }

    fn note(&mut self, now: Moment, scope: &Scope, verdict: Verdict, rng: &mut fastrand::Rng) {
        let changes = self.scopes.note(now, scope, verdict, rng);
        self.announce_breakers(changes);
    }

    fn announce_breakers(&mut self, changes: Changes) {
        self.announcements
            .extend(changes.into_iter().map(|(scope, change)| Announcement::Breaker(scope, change)));
    }
}
