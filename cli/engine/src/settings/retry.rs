//! `retry`: what is tried again.

use std::collections::BTreeSet;
use std::time::Duration;

use plimsoll_core::outcome::FailureClass;
use plimsoll_core::policy::retry::RetryPolicy;
use plimsoll_core::policy::retry_budget::RetryBudgetConfig;
use plimsoll_core::units::Ratio;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::class::ClassName;
use super::problem::{Problem, no_shorter};
use super::unit::{share, span};

/// What is tried again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetrySettings {
    /// Attempts a job may have; 1 means no retry.
    #[schemars(range(min = 1, max = 1_000))]
    pub attempts: u32,
    /// The failure classes that may be retried.
    #[schemars(with = "BTreeSet<ClassName>")]
    pub classes: BTreeSet<FailureClass>,
    /// Bound of the first wait between two attempts. Each further bound is twice the last; each wait is drawn between zero
    /// and its bound.
    #[serde(with = "span")]
    #[schemars(with = "span::Span")]
    pub base: Duration,
    /// No such bound is longer, and no retry waits longer than this for the budget.
    #[serde(with = "span")]
    #[schemars(with = "span::Span")]
    pub cap: Duration,
    /// What all retries together are paid from; those that are not paid yet wait, so that they do not drown what they
    /// retry.
    pub budget: BudgetSettings,
}

/// What all retries together are paid from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetSettings {
    /// What each first attempt pays in, as a share of a retry.
    #[serde(with = "share")]
    #[schemars(with = "share::Share")]
    pub share: Ratio,
    /// Retries that are paid in by each second.
    #[schemars(range(min = 0, max = 100_000))]
    pub per_second: f64,
    /// Retries that the budget starts with, and the most that time alone fills it to.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub floor: u32,
    /// The most retries that a long calm can save up, and the most that can be owed.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub cap: u32,
}

impl Default for RetrySettings {
    fn default() -> Self {
        let RetryPolicy { attempts, classes, base, cap } = RetryPolicy::default();
        Self { attempts, classes, base, cap, budget: BudgetSettings::default() }
    }
}

impl Default for BudgetSettings {
    fn default() -> Self {
        let RetryBudgetConfig { share, per_second, floor, cap } = RetryBudgetConfig::default();
        Self { share, per_second: per_second.value(), floor, cap }
    }
}

impl RetrySettings {
    pub(super) fn policy(&self) -> RetryPolicy {
        RetryPolicy { attempts: self.attempts, classes: self.classes.clone(), base: self.base, cap: self.cap }
    }

    pub(super) fn budget(&self) -> RetryBudgetConfig {
        let BudgetSettings { share, per_second, floor, cap } = self.budget;
        RetryBudgetConfig { share, per_second: Ratio::new(per_second), floor, cap }
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::from_iter(no_shorter("retry.cap", self.cap, "retry.base", self.base));
        if self.budget.cap < self.budget.floor {
            problems.push(Problem::of(
                ["retry.budget.cap", "retry.budget.floor"],
                format!("a budget of {} at most cannot start with {}", self.budget.cap, self.budget.floor),
            ));
        }
        problems
    }
}
