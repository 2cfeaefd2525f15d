//! [`Breaker`]: stops calling what keeps failing, and finds out gently when it works again.
//!
//! ```text
//!              rule reached                        rest is over
//!   Closed ───────────────────────► Open ───────────────────────► HalfOpen
//!     ▲                              ▲                             │   │
//!     │                              └───────── a probe failed: ────┘   │
//!     │                                         a longer rest          │
//!     └──────────────────────── enough good probes ────────────────────┘
//! ```
//!
//! **Happy path**: every [`Breaker::try_acquire`] yields a [`BreakerPermit`], every permit comes back through
//! [`Breaker::record`]. **When it opens**, callers get [`Refused`] with the reason and the moment to ask again; a refusal
//! is no failure, so a breaker never feeds itself. **On the way back** probes go one at a time, about a second apart, so
//! that waiting callers do not overload a peer that has just recovered.
//!
//! Two traps are closed by construction. A call that began before a change of state reports to a state that is gone: its
//! permit carries a [`Generation`], and an old one changes nothing. A probe that never
//! reports cannot wedge the breaker: a dropped permit is recorded as [`Verdict::Ignored`] and gives its place back, and a
//! silent one holds up the next for [`BreakerConfig::half_open_for`]. Silence is no failure: some calls take that long, and
//! their result counts when it comes.
//!
//! Transitions that only need time happen inside the mutating calls; [`Breaker::state`] computes what they would be, so
//! an idle breaker does not show `open` for ever. Time is [`Moment`], so a stepped wall clock cannot reach it.

mod answer;
mod rule;

use std::time::Duration;

pub(crate) use self::answer::{Answer, Refused};
pub use self::answer::{Change, State};
pub use self::rule::{Rates, Rule, TripReason};
use crate::policy::backoff::{Backoff, jittered};
use crate::policy::breaker::rule::Evidence;
use crate::policy::window::Verdict;
use crate::time::Moment;

/// When a breaker opens, how long it rests, and what closes it.
#[derive(Debug, Clone, PartialEq)]
pub struct BreakerConfig {
    /// What opens it.
    pub rule: Rule,
    /// How long it stays open (± 20 %): the first time, and each time it reopens before it was quiet.
    pub open: Backoff,
    /// How many good probes close it (at least 1).
    pub probes: u32,
    /// From one probe to the next (± 20 %).
    pub probe_spacing: Duration,
    /// How long a probe holds up the next; and how long good probes that are too few wait for more, before they are
    /// enough.
    pub half_open_for: Duration,
    /// After this long closed, the next trip rests as briefly as the first.
    pub quiet: Duration,
}

/// A peer such as a browser endpoint: 5 s doubled to 60 s, three probes. Five quiet minutes forgive the past, as in
/// kubelet's pressure conditions: a peer that flaps faster than that rests longer each time.
impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            rule: Rule::Rates(Rates::default()),
            open: Backoff::doubling(Duration::from_secs(5), Duration::from_secs(60)),
            probes: 3,
            probe_spacing: Duration::from_secs(1),
            half_open_for: Duration::from_secs(60),
            quiet: Duration::from_secs(300),
        }
    }
}

/// Which stay in a state a permit belongs to. Every change of state begins a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Generation(u64);

/// The right to make one call. It must come back through [`Breaker::record`]; a call that was never made or was
/// cancelled comes back as [`Verdict::Ignored`].
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a permit that is not recorded blocks a half-open breaker until its time runs out"]
pub struct BreakerPermit {
    generation: Generation,
    /// Which probe of its generation it is; 0 while the breaker is closed.
    probe: u32,
}

/// One circuit breaker.
#[derive(Debug, Clone)]
pub struct Breaker {
    config: BreakerConfig,
    evidence: Evidence,
    phase: Phase,
    generation: u64,
    /// How often it opened since it was last quiet.
    streak: u32,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Closed { since: Moment },
    Open { until: Moment, why: TripReason },
    HalfOpen { good: u32, sent: u32, probe: Probe, verdict_by: Moment },
}

#[derive(Debug, Clone, Copy)]
enum Probe {
    Due { at: Moment },
    Out { next: Moment },
}

/// What time alone has made of a phase.
enum Lapse {
    RestOver,
    ProbeSilent,
    GoodEnough,
    NoEvidence,
}

impl Breaker {
    /// A closed breaker that has seen nothing.
    #[must_use]
    pub fn new(config: BreakerConfig) -> Self {
        let evidence = Evidence::new(config.rule.clone());
        let phase = Phase::Closed { since: Moment::ZERO };
        Self { config, evidence, phase, generation: 0, streak: 0 }
    }

    /// Asks for the right to make one call.
    pub fn try_acquire(&mut self, now: Moment, rng: &mut fastrand::Rng) -> Answer {
        let change = self.on_timeout(now);
        if let Some(refused) = self.refusal(now) {
            return Answer { permit: Err(refused), change };
        }
        let mut permit = BreakerPermit { generation: Generation(self.generation), probe: 0 };
        if let Phase::HalfOpen { sent, probe, verdict_by, .. } = &mut self.phase {
            *probe = Probe::Out { next: now + jittered(self.config.probe_spacing, rng) };
            *verdict_by = now + self.config.half_open_for;
            *sent = sent.saturating_add(1);
            permit.probe = *sent;
        }
        Answer { permit: Ok(permit), change }
    }

    /// Why [`Breaker::try_acquire`] would refuse at `now`, if it would.
    #[must_use]
    pub fn refusal(&self, now: Moment) -> Option<Refused> {
        match (self.phase, self.lapse(now)) {
            (Phase::Open { until, why }, None) => Some(Refused::Open { until, why }),
            (Phase::HalfOpen { probe: Probe::Out { .. }, verdict_by, .. }, None) => {
                Some(Refused::Probing { until: verdict_by })
            }
            (Phase::HalfOpen { probe: Probe::Due { at }, .. }, None | Some(Lapse::NoEvidence))
                if now < at =>
            {
                Some(Refused::Probing { until: at })
            }
            _ => None,
        }
    }

    /// Takes a permit back, with what its call said.
    #[expect(clippy::needless_pass_by_value, reason = "a permit is used up by its report")]
    pub fn record(
        &mut self,
        now: Moment,
        permit: BreakerPermit,
        verdict: Verdict,
        rng: &mut fastrand::Rng,
    ) -> Option<Change> {
        let lapsed = self.on_timeout(now);
        if permit.generation != Generation(self.generation) {
            return lapsed;
        }
        match &mut self.phase {
            Phase::Closed { .. } => {
                let why = self.evidence.record(now, verdict)?;
                Some(self.trip(now, why, rng))
            }
            Phase::HalfOpen { good, sent, probe, verdict_by } => {
                let is_bad = verdict.is_failure() || (verdict.is_slow() && self.evidence.minds_slowness());
                if is_bad {
                    return Some(self.trip(now, TripReason::ProbeFailed, rng));
                }
                *good += u32::from(verdict != Verdict::Ignored);
                if *good >= self.config.probes.max(1) {
                    return Some(self.close(now));
                }
                if let Probe::Out { next } = *probe
                    && permit.probe == *sent
                {
                    *probe = Probe::Due { at: next };
                }
                // An answer that came after its time was given up.
                *verdict_by = (*verdict_by).min(now + self.config.half_open_for);
                None
            }
            Phase::Open { .. } => None,
        }
    }

    /// Makes the change that the passing of time has brought, if any.
    pub(crate) fn on_timeout(&mut self, now: Moment) -> Option<Change> {
        match self.lapse(now)? {
            Lapse::RestOver => {
                self.enter(Phase::HalfOpen {
                    good: 0,
                    sent: 0,
                    probe: Probe::Due { at: now },
                    verdict_by: Moment::NEVER,
                });
                Some(Change::HalfOpened)
            }
            Lapse::ProbeSilent => {
                if let Phase::HalfOpen { probe, verdict_by, .. } = &mut self.phase {
                    (*probe, *verdict_by) = (Probe::Due { at: now }, Moment::NEVER);
                }
                None
            }
            Lapse::GoodEnough => Some(self.close(now)),
            Lapse::NoEvidence => {
                if let Phase::HalfOpen { verdict_by, .. } = &mut self.phase {
                    *verdict_by = Moment::NEVER;
                }
                None
            }
        }
    }

    /// The state at `now`.
    #[must_use]
    pub fn state(&self, now: Moment) -> State {
        let needed = self.config.probes.max(1);
        match (self.phase, self.lapse(now)) {
            (_, Some(Lapse::RestOver)) => State::HalfOpen { good: 0, needed },
            (Phase::Closed { .. }, _) | (_, Some(Lapse::GoodEnough)) => {
                State::Closed { counts: self.evidence.counts(now) }
            }
            (Phase::Open { until, why }, _) => State::Open { until, why },
            (Phase::HalfOpen { good, .. }, _) => State::HalfOpen { good, needed },
        }
    }

    fn lapse(&self, now: Moment) -> Option<Lapse> {
        match self.phase {
            Phase::Open { until, .. } if now >= until => Some(Lapse::RestOver),
            Phase::HalfOpen { good, probe, verdict_by, .. } if now >= verdict_by => Some(match probe {
                Probe::Out { .. } => Lapse::ProbeSilent,
                Probe::Due { .. } if good > 0 => Lapse::GoodEnough,
                Probe::Due { .. } => Lapse::NoEvidence,
            }),
            _ => None,
        }
    }

    fn trip(&mut self, now: Moment, why: TripReason, rng: &mut fastrand::Rng) -> Change {
        if let Phase::Closed { since } = self.phase
            && now.since(since) >= self.config.quiet
        {
            self.streak = 0;
        }
        let until = now + self.config.open.near(self.streak, rng);
        self.streak = self.streak.saturating_add(1);
        self.enter(Phase::Open { until, why });
        Change::Opened { until, why }
    }

    fn close(&mut self, now: Moment) -> Change {
        self.evidence.ease(now);
        self.enter(Phase::Closed { since: now });
        Change::Closed
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.generation += 1;
    }
}

#[cfg(test)]
mod tests;
