//! Functions of ours in the page, and waiting for what they report.
//!
//! A probe looks once and answers with a [`Verdict`]; [`until`] asks again after a short pause, which grows,
//! until it is ready, refused for good, or time is up. What goes wrong in between is forgiven where asking again
//! can help: the document was replaced, or the page was too busy to answer.

use std::time::Duration;

use plimsoll_core::outcome::{FailureClass, Fault};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::budget::Budget;
use crate::evaluate::{self, EvaluateError};
use crate::page::{Page, Trouble};

/// Pauses between two looks, the last one repeated: quick at first, since most things are there within a tenth
/// of a second, and then easy on the browser's CPU.
const PAUSES: [Duration; 6] = [
    Duration::from_millis(20),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(100),
    Duration::from_millis(100),
    Duration::from_millis(250),
];

/// How long one look may take before it is thought lost: a browser does not always answer for a document that
/// was replaced meanwhile.
pub(super) const LOOK: Duration = Duration::from_secs(2);

/// What a probe reports.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict<T> {
    /// It is so.
    Ready(T),
    /// It is not so yet; what is missing.
    Waiting(String),
    /// It can never be; why.
    Refused(String),
}

/// Why a wait ended without success.
#[derive(Debug)]
pub(crate) enum Unmet {
    /// Time was up; what was missing last, if the page ever said.
    Late(Option<String>),
    /// It can never be; why.
    Refused(String),
    /// Something else failed.
    Fault(Fault),
}

/// A probe as JavaScript: a function, its argument, and the declarations both rest on.
pub(crate) fn script(declarations: &str, function: &str, argument: &impl Serialize) -> Result<String, Fault> {
    let argument = serde_json::to_string(argument).map_err(|why| {
        Fault::persistent(FailureClass::Internal, format!("cannot write a probe's argument: {why}"))
    })?;
    let dom = include_str!("dom.js");
    Ok(format!(
        "(async () => {{\n{dom}{declarations}\ntry {{\nreturn await ({function})({argument});\n}} catch (error) {{\n\
         if (error instanceof DOMException && error.name === \"SyntaxError\") return {{ refused: error.message }};\n\
         throw error;\n}}\n}})()"
    ))
}

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
    let mut patience = Patience::new(budget);
    let seen = loop {
        let verdict = evaluate::ours(page, script, budget.left()).await;
        if let Some(end) = patience.weigh(verdict).await {
            break end;
        }
    };
    seen.map_err(|unmet| match unmet {
        Unmet::Late(_) => {
            let message = format!("the page did not answer within {:?}", budget.whole());
            Fault::transient(FailureClass::Timeout, message)
        }
        Unmet::Refused(why) => Fault::persistent(FailureClass::Script, why),
        Unmet::Fault(fault) => fault,
    })
}

/// Looks until the verdict is final or the budget is spent.
pub(crate) async fn until<T: DeserializeOwned>(
    page: &Page,
    script: &str,
    budget: Budget,
) -> Result<T, Unmet> {
    let mut patience = Patience::new(budget);
    loop {
        let verdict = evaluate::ours(page, script, budget.left().min(LOOK)).await;
        if let Some(end) = patience.weigh(verdict).await {
            return end;
        }
    }
}

/// What a wait knows between two looks.
#[derive(Debug)]
pub(crate) struct Patience {
    budget: Budget,
    pauses: usize,
    missing: Option<String>,
}

impl Patience {
    /// For a wait that lasts as long as `budget`.
    pub(crate) const fn new(budget: Budget) -> Self {
        Self { budget, pauses: 0, missing: None }
    }

    /// How the wait ends after this look, or `None`, after a pause, when it is time for the next.
    pub(crate) async fn weigh<T>(
        &mut self,
        look: Result<Verdict<T>, EvaluateError>,
    ) -> Option<Result<T, Unmet>> {
        match look {
            Ok(Verdict::Ready(value)) => return Some(Ok(value)),
            Ok(Verdict::Refused(why)) => return Some(Err(Unmet::Refused(why))),
            Ok(Verdict::Waiting(what)) => self.missing = Some(what),
            Err(EvaluateError::Page(Trouble::Moved | Trouble::Silent(_))) => {}
            Err(error) => return Some(Err(Unmet::Fault(error.into()))),
        }
        let left = self.budget.left();
        if left.is_zero() {
            return Some(Err(Unmet::Late(self.missing.take())));
        }
        let pause = PAUSES.get(self.pauses).or(PAUSES.last()).copied().unwrap_or_default();
        self.pauses += 1;
        sleep(pause.min(left)).await;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_and_the_last_thing_missing_is_told() {
        let mut patience = Patience::new(Budget::start(Duration::from_secs(10)));
        let mut looks = 0;
        let end = loop {
            looks += 1;
            let look = match looks {
                3 => Err(EvaluateError::Page(Trouble::Moved)),
                n => Ok(Verdict::<()>::Waiting(format!("look {n}"))),
            };
            if let Some(end) = patience.weigh(look).await {
                break end;
            }
        };
        let Err(Unmet::Late(Some(missing))) = end else { panic!("{end:?}") };
        assert_eq!(missing, format!("look {looks}"));
        assert!((40..=50).contains(&looks), "ten seconds are not spent asking: {looks}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_fault_or_a_refusal_ends_the_wait_at_once() {
        let budget = Budget::start(Duration::from_secs(10));
        let mut patience = Patience::new(budget);
        let refused = patience.weigh(Ok(Verdict::<()>::Refused("no".into()))).await;
        assert!(matches!(refused, Some(Err(Unmet::Refused(why))) if why == "no"));
        let fault = || Fault::transient(FailureClass::PageCrash, "gone");
        let failed = patience.weigh::<()>(Err(EvaluateError::Page(Trouble::Fault(fault())))).await;
        assert!(matches!(failed, Some(Err(Unmet::Fault(found))) if found == fault()));
        assert_eq!(budget.left(), budget.whole());
    }
}
