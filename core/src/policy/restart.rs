//! [`Restarts`]: may the browser of this slot be started again now?
//!
//! A browser that dies now and then is replaced at once: five deaths in 30 s are bad luck (Erlang's advice for a worker).
//! One more, and the slot rests: 1 s, doubled with each further death up to 60 s, ± 20 %. The fleet survives with fewer
//! slots meanwhile. A browser that then lives for ten minutes, or serves ten contexts, has earned the slot a clean sheet.
//! Ten minutes is Kubernetes' rule for its crash loops. Ten contexts show that the binary, the sandbox and the profile
//! work, so that whatever kills the browser does it from outside: with every browser killed each 5 s, each serves about
//! 17 in between, and resting its slot would only add to the loss.
//!
//! Once a slot rests it keeps resting after every death until it has earned that: another five quick restarts after each
//! rest would make a crash loop five times as fast as the back-off says.

use std::collections::VecDeque;
use std::time::Duration;

use crate::policy::backoff::Backoff;
use crate::time::Moment;

/// How many restarts a slot may have, and how it rests.
#[derive(Debug, Clone, PartialEq)]
pub struct RestartIntensity {
    /// Deaths within [`RestartIntensity::period`] that are replaced at once.
    pub restarts: usize,
    /// The period they are counted over.
    pub period: Duration,
    /// The rests after more deaths than that.
    pub rest: Backoff,
    /// Living this long clears the sheet.
    pub healthy_after: Duration,
    /// The number of served contexts that clears it too.
    pub healthy_served: u32,
}

impl Default for RestartIntensity {
    fn default() -> Self {
        Self {
            restarts: 5,
            period: Duration::from_secs(30),
            rest: Backoff::doubling(Duration::from_secs(1), Duration::from_secs(60)),
            healthy_after: Duration::from_secs(600),
            healthy_served: 10,
        }
    }
}

/// Whether a browser may be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Restart {
    /// Yes.
    Now,
    /// Not before this moment.
    At(Moment),
}

/// The deaths of one slot's browsers.
#[derive(Debug, Clone)]
pub(crate) struct Restarts {
    intensity: RestartIntensity,
    /// Recent deaths, oldest first; at most `intensity.restarts + 1`.
    deaths: VecDeque<Moment>,
    /// Rests since the sheet was last clean.
    rests: u32,
    not_before: Moment,
    /// Contexts served since the last death.
    served: u32,
}

impl Restarts {
    /// A slot whose browsers have never died.
    #[must_use]
    pub(crate) const fn new(intensity: RestartIntensity) -> Self {
        Self { intensity, deaths: VecDeque::new(), rests: 0, not_before: Moment::ZERO, served: 0 }
    }

    /// Whether a browser may be started at `now`.
    #[must_use]
    pub(crate) fn may_restart(&self, now: Moment) -> Restart {
        if now >= self.not_before { Restart::Now } else { Restart::At(self.not_before) }
    }

    /// The browser has served one more context to its end.
    pub(crate) const fn on_served(&mut self) {
        self.served = self.served.saturating_add(1);
    }

    /// The browser died; `lived` is how long it had been up. (A planned end, such as recycling, is not a death.)
    pub(crate) fn on_death(&mut self, now: Moment, lived: Duration, rng: &mut fastrand::Rng) {
        if lived >= self.intensity.healthy_after || self.served >= self.intensity.healthy_served {
            self.deaths.clear();
            self.rests = 0;
        }
        self.deaths.retain(|death| now.since(*death) < self.intensity.period);
        self.deaths.push_back(now);
        if self.rests > 0 || self.deaths.len() > self.intensity.restarts {
            self.not_before = now + self.intensity.rest.near(self.rests, rng);
            self.rests = self.rests.saturating_add(1);
            self.deaths.clear();
        }
        // The next death is judged by what comes after this one.
        self.served = 0;
    }

    /// How often the slot has rested since its sheet was clean; zero is a slot in good health.
    #[cfg(test)]
    pub(crate) const fn rests(&self) -> u32 {
        self.rests
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secs(seconds: u64) -> Moment {
        Moment::after(Duration::from_secs(seconds))
    }

    fn die(slot: &mut Restarts, now: Moment) -> Duration {
        slot.on_death(now, Duration::ZERO, &mut fastrand::Rng::with_seed(1));
        match slot.may_restart(now) {
            Restart::Now => Duration::ZERO,
            Restart::At(at) => at.since(now),
        }
    }

    #[test]
    fn five_deaths_are_forgiven_and_the_sixth_rests() {
        let mut slot = Restarts::new(RestartIntensity::default());
        for second in 0..5 {
            assert_eq!(die(&mut slot, secs(second)), Duration::ZERO);
        }
        assert!(die(&mut slot, secs(5)) >= Duration::from_millis(800));
    }

    #[test]
    fn deaths_far_apart_never_rest() {
        let mut slot = Restarts::new(RestartIntensity::default());
        for death in 0..100 {
            assert_eq!(die(&mut slot, secs(death * 6)), Duration::ZERO, "five per 30 s, death {death}");
        }
    }

    #[test]
    fn rests_double_to_the_cap_until_health_is_proved() {
        for heal in [
            (|slot: &mut Restarts, now: Moment| {
                let life = Duration::from_secs(600);
                slot.on_death(now + life, life, &mut fastrand::Rng::new());
            }) as fn(&mut Restarts, Moment),
            |slot, now| {
                (0..10).for_each(|_| slot.on_served());
                slot.on_death(now, Duration::ZERO, &mut fastrand::Rng::new());
            },
        ] {
            let mut slot = Restarts::new(RestartIntensity::default());
            (0..5).for_each(|_| _ = die(&mut slot, secs(0)));
            let mut now = 0;
            for expected in [1u64, 2, 4, 8, 16, 32, 60, 60] {
                let rest = die(&mut slot, secs(now)).as_secs_f64();
                assert!(
                    (rest - expected as f64).abs() <= expected as f64 * 0.2 + 0.001,
                    "{rest} not {expected}"
                );
                now += 100;
            }
            heal(&mut slot, secs(now));
            assert_eq!(slot.rests(), 0);
            assert_eq!(slot.may_restart(secs(now + 600)), Restart::Now);
        }
    }

    #[test]
    fn short_lives_after_a_long_one_do_not_heal_again() {
        let mut slot = Restarts::new(RestartIntensity::default());
        let mut rng = fastrand::Rng::with_seed(1);
        for life in [1_000, 0, 0, 0, 0, 0] {
            slot.on_death(secs(1_000), Duration::from_secs(life), &mut rng);
        }
        assert_eq!(slot.rests(), 1, "one life cannot forgive six deaths");
    }

    proptest! {
        /// However it dies, a slot starts at most restarts + 1 browsers in any period, plus one per rest.
        #[test]
        fn starts_are_bounded_in_every_period(lives in prop::collection::vec(0u64..3_000, 1..300), seed: u64) {
            let mut slot = Restarts::new(RestartIntensity::default());
            let mut rng = fastrand::Rng::with_seed(seed);
            let mut now = Moment::ZERO;
            let mut starts: Vec<Moment> = Vec::new();
            for life in lives {
                if let Restart::At(at) = slot.may_restart(now) {
                    prop_assert!(at > now && at.since(now) <= Duration::from_secs(72));
                    now = at;
                }
                prop_assert_eq!(slot.may_restart(now), Restart::Now);
                starts.push(now);
                let life = Duration::from_millis(life);
                now += life;
                slot.on_death(now, life, &mut rng);
                let recent = starts.iter().filter(|start| now.since(**start) < Duration::from_secs(30)).count();
                prop_assert!(recent <= 6 + 5, "{} starts in 30 s", recent);
            }
        }
    }
}
