//! [`RetryBudget`]: keeps retries from becoming the load that breaks what is already failing.
//!
//! When every call fails, a rule of "five tries each" multiplies the load by five at the worst moment. The budget bounds
//! retries *as a share of first attempts*: each first attempt pays in a fifth of a token, each retry costs one, so in
//! the long run at most 20 % is added. A small flow of tokens (one a second) comes by itself, so that a quiet fleet, or
//! the tail of a batch, can always retry. The share and the floor are Finagle's: 20 % and 10 in 10 s.
//!
//! An empty budget *delays*: the job is told when a token will be there. Nothing is given up because of it; the job's own
//! number of attempts and its deadline decide that.
//!
//! Not every second try is a retry in this sense. A job whose browser was lost beneath it
//! ([`FailureClass::BrowserCrash`]) puts no load on a failing peer by running again, and the browser's own
//! [`restart`](crate::policy::restart) intensity paces it already: [`RetryBudget::charges`] says which classes pay.

use std::time::Duration;

use crate::outcome::FailureClass;
use crate::time::Moment;
use crate::units::Ratio;

/// How retries are paid for.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryBudgetConfig {
    /// Tokens paid in by each first attempt.
    pub share: Ratio,
    /// Tokens that come by themselves in a second.
    pub per_second: Ratio,
    /// Tokens the budget starts with, and the most that time alone fills it to.
    pub floor: u32,
    /// The most it can hold: what a long calm may be worth to one bad minute. A full fleet's contexts by default.
    pub cap: u32,
}

impl Default for RetryBudgetConfig {
    fn default() -> Self {
        Self { share: Ratio::percent(20), per_second: Ratio::ONE, floor: 10, cap: 100 }
    }
}

/// No retry is paid for yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("retry budget is spent until {until}")]
pub struct Spent {
    /// When a token will have come even if no first attempt pays in. [`Moment::NEVER`] if none comes by itself.
    pub until: Moment,
}

/// Tokens are counted in billionths, so that time, which is counted in nanoseconds, loses nothing to rounding.
const TOKEN: u64 = 1_000_000_000;

/// The budget: one for each thing that retries could overload.
#[derive(Debug, Clone)]
pub struct RetryBudget {
    config: RetryBudgetConfig,
    balance: u64,
    as_of: Moment,
}

impl RetryBudget {
    /// A budget that holds its floor.
    #[must_use]
    pub fn new(config: RetryBudgetConfig) -> Self {
        Self { balance: tokens(config.floor.min(config.cap)), config, as_of: Moment::ZERO }
    }

    /// Whether a retry after a failure of this class is paid from the budget.
    #[must_use]
    pub const fn charges(class: FailureClass) -> bool {
        !matches!(class, FailureClass::BrowserCrash)
    }

    /// A first attempt begins and pays in.
    pub fn deposit(&mut self, now: Moment) {
        self.accrue(now);
        let share = (self.config.share.value() * TOKEN as f64) as u64;
        self.balance = self.balance.saturating_add(share).min(tokens(self.config.cap));
    }

    /// Takes the token for one retry.
    ///
    /// # Errors
    /// [`Spent`] when there is none; it says when to ask again.
    pub fn withdraw(&mut self, now: Moment) -> Result<(), Spent> {
        self.accrue(now);
        match self.balance.checked_sub(TOKEN) {
            Some(rest) => {
                self.balance = rest;
                Ok(())
            }
            None => Err(Spent { until: self.whole_at() }),
        }
    }

    /// Whole tokens at `now`.
    #[must_use]
    pub fn tokens(&self, now: Moment) -> u32 {
        u32::try_from(self.balance_at(now) / TOKEN).unwrap_or(u32::MAX)
    }

    fn accrue(&mut self, now: Moment) {
        self.balance = self.balance_at(now);
        self.as_of = self.as_of.max(now);
    }

    fn balance_at(&self, now: Moment) -> u64 {
        let flowed = now.since(self.as_of).as_nanos() as f64 * self.config.per_second.value();
        let filled =
            self.balance.saturating_add(flowed as u64).min(tokens(self.config.floor.min(self.config.cap)));
        self.balance.max(filled)
    }

    /// When time alone will have filled the balance to one token.
    fn whole_at(&self) -> Moment {
        let wait = TOKEN.saturating_sub(self.balance) as f64 / self.config.per_second.value();
        if self.config.floor == 0 || !wait.is_finite() {
            return Moment::NEVER;
        }
        self.as_of + Duration::from_nanos(wait.ceil() as u64)
    }
}

const fn tokens(n: u32) -> u64 {
    n as u64 * TOKEN
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn millis(n: u64) -> Moment {
        Moment::after(Duration::from_millis(n))
    }

    #[test]
    fn the_floor_can_be_spent_at_once_and_then_one_token_comes_a_second() {
        let mut budget = RetryBudget::new(RetryBudgetConfig::default());
        for _ in 0..10 {
            assert_eq!(budget.withdraw(Moment::ZERO), Ok(()));
        }
        let spent = Spent { until: millis(1_000) };
        assert_eq!(budget.withdraw(Moment::ZERO), Err(spent));
        assert_eq!(budget.withdraw(millis(999)), Err(spent), "asking early neither helps nor hurts");
        assert_eq!(budget.withdraw(millis(1_000)), Ok(()));
        assert_eq!(budget.tokens(Moment::NEVER), 10, "time alone fills it to the floor");
    }

    #[test]
    fn a_calm_hour_is_worth_no_more_than_the_cap() {
        let mut budget = RetryBudget::new(RetryBudgetConfig::default());
        (0..100_000).for_each(|_| budget.deposit(Moment::ZERO));
        assert_eq!(budget.tokens(Moment::ZERO), 100);
    }

    #[test]
    fn with_no_flow_only_first_attempts_pay() {
        let config = RetryBudgetConfig { per_second: Ratio::ZERO, floor: 0, ..RetryBudgetConfig::default() };
        let mut budget = RetryBudget::new(config);
        assert_eq!(budget.withdraw(millis(5)), Err(Spent { until: Moment::NEVER }));
        (0..5).for_each(|_| budget.deposit(millis(5)));
        assert_eq!(budget.withdraw(millis(5)), Ok(()));
    }

    proptest! {
        /// The promise itself: retries never exceed the floor, the flow and a fifth of the first attempts.
        #[test]
        fn retries_stay_within_the_promise(
            events in prop::collection::vec((0u64..2_000, any::<bool>()), 1..500),
        ) {
            let mut budget = RetryBudget::new(RetryBudgetConfig::default());
            let mut lazy = budget.clone();
            let (mut now, mut firsts, mut retries) = (0u64, 0u64, 0u64);
            for (step, is_first) in events {
                now += step;
                if is_first {
                    firsts += 1;
                    budget.deposit(millis(now));
                    lazy.deposit(millis(now));
                } else {
                    let paid = budget.withdraw(millis(now));
                    prop_assert_eq!(paid, lazy.withdraw(millis(now)));
                    retries += u64::from(paid.is_ok());
                    if let Err(spent) = paid {
                        prop_assert!(spent.until > millis(now));
                        prop_assert_eq!(budget.clone().withdraw(spent.until), Ok(()), "the promised token is there");
                    }
                }
                let _ = budget.tokens(millis(now));
                prop_assert!(retries * 1_000 <= 10_000 + now + firsts * 200);
            }
        }
    }
}
