//! Running functions of ours in the page, and waiting for what they report.
//!
//! A probe looks once and answers with a [`Verdict`]; [`until`] asks again after a short pause, until it is ready,
//! refused for good, or time is up.

use std::time::Duration;

use plimsoll_core::outcome::Fault;
use plimsoll_core::page::{Act, Look, Next, Patience, Unmet, Verdict};
use plimsoll_core::runtime::budget::Budget;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::sleep;

use crate::evaluate::{self, EvaluateError};
use crate::page::{Page, Trouble};

/// How long one look may take before it is thought lost: a browser does not always answer for a document that
/// was replaced meanwhile.
pub(super) const LOOK: Duration = Duration::from_secs(2);

/// Looks once.
pub(crate) async fn look<T: DeserializeOwned>(
    page: &Page,
    script: &str,
    budget: Budget,
) -> Result<Verdict<T>, Trouble> {
    evaluate::ours(page, script, budget.left().min(LOOK)).await.map_err(|error| match error {
        EvaluateError::Page(trouble) => trouble,
        error => Trouble::Fault(error.into()),
    })
}

/// Looks once at something that needs no waiting for, and again only if its document went away meanwhile.
pub(crate) async fn once<T: DeserializeOwned>(page: &Page, script: &str, budget: Budget) -> Result<T, Fault> {
    let mut wait = Wait::new(budget);
    loop {
        let verdict = evaluate::ours(page, script, budget.left()).await;
        if let Some(end) = wait.weigh(seen(verdict)).await {
            return end.map_err(|unmet| unmet.look(budget.whole()));
        }
    }
}

/// Looks until the verdict is final or the budget is spent.
pub(crate) async fn until<T: DeserializeOwned>(
    page: &Page,
    script: &str,
    budget: Budget,
) -> Result<T, Unmet> {
    let mut wait = Wait::new(budget);
    loop {
        let verdict = evaluate::ours(page, script, budget.left().min(LOOK)).await;
        if let Some(end) = wait.weigh(seen(verdict)).await {
            return end;
        }
    }
}

/// Waits until an element is ready for `act`, then does it.
pub(super) async fn act<T: DeserializeOwned>(
    page: &Page,
    selector: &str,
    act: Act,
    value: Value,
    budget: Budget,
) -> Result<T, Fault> {
    let ended = until(page, &act.script(selector, &value), budget).await;
    ended.map_err(|unmet| unmet.action(selector, budget.whole()))
}

/// A wait of looks and pauses.
#[derive(Debug)]
pub(crate) struct Wait {
    budget: Budget,
    patience: Patience,
}

impl Wait {
    /// For a wait that lasts as long as `budget`.
    pub(crate) fn new(budget: Budget) -> Self {
        Self { budget, patience: Patience::default() }
    }

    /// How the wait ends after this look, or `None`, after a pause, when it is time for the next.
    pub(crate) async fn weigh<T>(&mut self, look: Look<T>) -> Option<Result<T, Unmet>> {
        match self.patience.weigh(look, self.budget.left()) {
            Next::End(end) => Some(end),
            Next::Again(pause) => {
                sleep(pause).await;
                None
            }
        }
    }
}

/// What a wait makes of an answer: a page that moved on or said nothing may answer when it is asked again.
pub(crate) fn seen<T>(answer: Result<Verdict<T>, EvaluateError>) -> Look<T> {
    match answer {
        Ok(verdict) => Look::Said(verdict),
        Err(EvaluateError::Page(Trouble::Moved | Trouble::Silent(_))) => Look::Nothing,
        Err(error) => Look::Fault(error.into()),
    }
}
