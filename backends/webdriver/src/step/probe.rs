//! Running functions of ours in the page, and waiting for what they report.
//!
//! A probe looks once and answers with a [`Verdict`]; [`until`] asks again after a short pause, until it is ready,
//! refused for good, or time is up. The verdict crosses as JSON text, so that no remote end's own notion of how values
//! are to be written comes in between.

use std::time::Duration;

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::page::{Act, Look, Next, Patience, Unmet, Verdict};
use plimsoll_core::runtime::budget::Budget;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::call::Trouble;
use crate::session::LOOK;
use crate::tab::Tab;

/// How a value crosses.
pub(super) const TEXT: &str = include_str!("text.js");

/// Looks once.
pub(super) async fn look<T: DeserializeOwned>(
    tab: &Tab,
    script: &str,
    deadline: Duration,
) -> Result<Verdict<T>, Trouble> {
    let body = format!("return (async () => ({TEXT})(await {script}))();");
    let text: Option<String> = tab.session().run(&body, &json!([]), deadline.max(LOOK), deadline).await?;
    // A dialog came between.
    let Some(text) = text else { return Err(Trouble::Moved) };
    serde_json::from_str(&text).map_err(|why| {
        let message = format!("a function of ours answered what it should not: {why}");
        Trouble::Fault(Fault::persistent(FailureClass::Internal, message))
    })
}

/// Looks once at something that needs no waiting for, and again only if its document went away meanwhile.
pub(super) async fn once<T: DeserializeOwned>(tab: &Tab, script: &str, budget: Budget) -> Result<T, Fault> {
    let mut wait = Wait::new(budget);
    loop {
        let verdict = look(tab, script, budget.left()).await;
        if let Some(end) = wait.weigh(seen(verdict)).await {
            return end.map_err(|unmet| unmet.look(budget.whole()));
        }
    }
}

/// Looks until the verdict is final or the budget is spent.
pub(super) async fn until<T: DeserializeOwned>(tab: &Tab, script: &str, budget: Budget) -> Result<T, Unmet> {
    let mut wait = Wait::new(budget);
    loop {
        let verdict = look(tab, script, budget.left().min(LOOK)).await;
        if let Some(end) = wait.weigh(seen(verdict)).await {
            return end;
        }
    }
}

/// Waits until an element is ready for `act`, then does it.
pub(super) async fn act<T: DeserializeOwned>(
    tab: &Tab,
    selector: &str,
    act: Act,
    value: Value,
    budget: Budget,
) -> Result<T, Fault> {
    let ended = until(tab, &act.script(selector, &value), budget).await;
    ended.map_err(|unmet| unmet.action(selector, budget.whole()))
}

/// What a wait makes of an answer: a page that moved on or said nothing may answer when it is asked again.
pub(super) fn seen<T>(answer: Result<Verdict<T>, Trouble>) -> Look<T> {
    match answer {
        Ok(verdict) => Look::Said(verdict),
        Err(Trouble::Moved | Trouble::Silent(_)) => Look::Nothing,
        Err(Trouble::Fault(fault)) => Look::Fault(fault),
    }
}

/// A wait of looks and pauses.
#[derive(Debug)]
pub(super) struct Wait {
    budget: Budget,
    patience: Patience,
}

impl Wait {
    /// For a wait that lasts as long as `budget`.
    pub(super) fn new(budget: Budget) -> Self {
        Self { budget, patience: Patience::default() }
    }

    /// How the wait ends after this look, or `None`, after a pause, when it is time for the next.
    pub(super) async fn weigh<T>(&mut self, look: Look<T>) -> Option<Result<T, Unmet>> {
        match self.patience.weigh(look, self.budget.left()) {
            Next::End(end) => Some(end),
            Next::Again(pause) => {
                sleep(pause).await;
                None
            }
        }
    }
}
