//! [`RetryBudget`]: keeps retries from becoming the load that breaks what is already failing.
//!
//! When every call fails, a rule of "five tries each" multiplies the load by five at the worst moment. So retries are paid
//! for: each first attempt pays in a fifth of a token, each retry costs one. A small flow of tokens (one a second) comes by
//! itself, so that a quiet fleet, or the tail of a batch, can always retry. The share and the floor are Finagle's: 20 % and
//! 10 in 10 s.
//!
//! An empty budget *delays*: the retry is booked as a debt and told when its token will have been earned, after those of
//! the retries before it. So retries make room for first attempts and are spread. First attempts pay the debt off too,
//! and the retries that come then wait less.
//!
//! Nothing is given up because of the budget, and nothing waits for it without end: the wait has a bound, because a token
//! may be far off, or never come when no first attempt is left to pay. So the promise is not that retries are at most a
//! fifth: it is that those beyond the floor, the flow and the fifth have waited as long as the bound says. The debt has a
//! bound as well, or one bad hour would delay the retries of a whole day.
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
    /// The most it can hold, or owe: what a long calm may be worth to one bad minute, and what a bad minute may cost the
    /// time after it. A full fleet's contexts by default.
    pub cap: u32,
}

impl Default for RetryBudgetConfig {
    fn default() -> Self {
        Self { share: Ratio::percent(20), per_second: Ratio::ONE, floor: 10, cap: 100 }
    }
}

/// Tokens are counted in billionths, so that time, which is counted in nanoseconds, loses nothing to rounding.
const TOKEN: i64 = 1_000_000_000;

/// The budget: one for each thing that retries could overload.
#[derive(Debug, Clone)]
pub(crate) struct RetryBudget {
    config: RetryBudgetConfig,
    /// Below zero it is the debt: tokens that are promised to retries and not earned yet.
    balance: i64,
    as_of: Moment,
}

impl RetryBudget {
    /// A budget that holds its floor.
    #[must_use]
    pub(crate) fn new(config: RetryBudgetConfig) -> Self {
        Self { balance: tokens(config.floor.min(config.cap)), config, as_of: Moment::ZERO }
    }

    /// Whether a retry after a failure of this class is paid from the budget.
    #[must_use]
    pub(crate) const fn charges(class: FailureClass) -> bool {
        !matches!(class, FailureClass::BrowserCrash)
    }

    /// A first attempt begins and pays in.
    pub(crate) fn deposit(&mut self, now: Moment) {
        self.accrue(now);
        let share = (self.config.share.value() * TOKEN as f64) as i64;
        self.balance = self.balance.saturating_add(share).min(tokens(self.config.cap));
    }

    /// Books one retry. Answers when time alone will have earned its token, but no later than `longest` from now.
    pub(crate) fn withdraw(&mut self, now: Moment, longest: Duration) -> Moment {
        self.accrue(now);
        self.balance = (self.balance - TOKEN).max(-tokens(self.config.cap));
        if self.balance >= 0 {
            return now;
        }
        // Without a flow it is infinite, which the conversion takes for the longest there is.
        let wait = self.balance.unsigned_abs() as f64 / self.config.per_second.value();
        now + Duration::from_nanos(wait.ceil() as u64).min(longest)
    }

    /// Whole tokens at `now`; none in debt.
    #[cfg(test)]
    pub(crate) fn tokens(&self, now: Moment) -> u32 {
        u32::try_from(self.balance_at(now) / TOKEN).unwrap_or_default()
    }

    fn accrue(&mut self, now: Moment) {
        self.balance = self.balance_at(now);
        self.as_of = self.as_of.max(now);
    }

    fn balance_at(&self, now: Moment) -> i64 {
        let flowed = now.since(self.as_of).as_nanos() as f64 * self.config.per_second.value();
        let filled =
            self.balance.saturating_add(flowed as i64).min(tokens(self.config.floor.min(self.config.cap)));
        self.balance.max(filled)
    }
}

const fn tokens(n: u32) -> i64 {
    n as i64 * TOKEN
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LONGEST: Duration = Duration::from_secs(30);

    fn millis(n: u64) -> Moment {
        Moment::after(Duration::from_millis(n))
    }

    #[test]
    fn the_floor_can_be_spent_at_once_and_then_one_token_comes_a_second() {
        let mut budget = RetryBudget::new(RetryBudgetConfig::default());
        let answers: Vec<_> = (0..50).map(|_| budget.withdraw(Moment::ZERO, LONGEST)).collect();
        let promised = (0..50).map(|n: u64| millis(n.saturating_sub(9).min(30) * 1_000));
        assert_eq!(answers, promised.collect::<Vec<_>>(), "none is promised to two, and none waits for ever");
        assert_eq!(budget.withdraw(millis(39_500), LONGEST), millis(41_000), "the debt was paid off by time");
        assert_eq!(budget.tokens(Moment::NEVER), 10, "time alone fills it to the floor");
    }

    #[test]
    fn a_calm_hour_is_worth_no_more_than_the_cap_and_a_bad_one_costs_no_more() {
        let mut budget = RetryBudget::new(RetryBudgetConfig::default());
        (0..100_000).for_each(|_| budget.deposit(Moment::ZERO));
        assert_eq!(budget.tokens(Moment::ZERO), 100);
        (0..100_000).for_each(|_| _ = budget.withdraw(Moment::ZERO, LONGEST));
        (0..505).for_each(|_| budget.deposit(Moment::ZERO));
        assert_eq!(budget.tokens(Moment::ZERO), 1, "first attempts have paid 100 tokens of debt off");
    }

    #[test]
    fn where_no_token_comes_by_itself_a_retry_waits_its_longest_and_goes() {
        let config = RetryBudgetConfig { per_second: Ratio::ZERO, floor: 0, ..RetryBudgetConfig::default() };
        let mut budget = RetryBudget::new(config);
        assert_eq!(budget.withdraw(millis(5), LONGEST), millis(30_005));
        (0..10).for_each(|_| budget.deposit(millis(5)));
        assert_eq!(budget.withdraw(millis(5), LONGEST), millis(5), "the debt is paid off, and this one too");
    }

    #[test]
    fn without_a_floor_the_flow_still_pays() {
        let config = RetryBudgetConfig { floor: 0, ..RetryBudgetConfig::default() };
        let mut budget = RetryBudget::new(config);
        assert_eq!(budget.withdraw(millis(0), LONGEST), millis(1_000));
        assert_eq!(budget.withdraw(millis(500), LONGEST), millis(2_000));
        assert_eq!(budget.withdraw(millis(9_000), LONGEST), millis(10_000), "nothing is saved up");
    }

    proptest! {
        /// The promise itself: retries that have not waited their longest never exceed the floor, the flow and a fifth of
        /// the first attempts; and none waits longer.
        #[test]
        fn retries_stay_within_the_promise(
            events in prop::collection::vec((0u64..2_000, any::<bool>()), 1..500),
            longest in 0u64..60_000,
        ) {
            let mut budget = RetryBudget::new(RetryBudgetConfig::default());
            let mut lazy = budget.clone();
            let longest = Duration::from_millis(longest);
            let (mut now, mut firsts, mut paid) = (0u64, 0u64, Vec::new());
            for (step, is_first) in events {
                now += step;
                if is_first {
                    firsts += 1;
                    budget.deposit(millis(now));
                    lazy.deposit(millis(now));
                } else {
                    let due = budget.withdraw(millis(now), longest);
                    prop_assert_eq!(due, lazy.withdraw(millis(now), longest));
                    prop_assert!(due >= millis(now) && due <= millis(now) + longest);
                    if due < millis(now) + longest {
                        paid.push(due);
                    }
                }
                let _ = budget.tokens(millis(now));
                let begun = paid.iter().filter(|due| **due <= millis(now)).count() as u64;
                prop_assert!(begun * 1_000 <= 10_000 + now + firsts * 200);
            }
        }
    }
}
