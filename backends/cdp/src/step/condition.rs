//! What a `wait_for` waits for and an `expect` insists on: one list of conditions, looked at in the same way.

use std::fmt;

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::step::{ElementState, Expectation, LoadState, WaitTarget};
use serde_json::json;

use super::probe::{self, Patience, Unmet, Verdict};
use crate::budget::Budget;
use crate::evaluate::{self, EvaluateError};
use crate::page::Page;

/// Something that can be said of a page. Displayed, it completes "waiting for" and "expected".
#[derive(Debug, Clone, Copy)]
pub(crate) enum Condition<'a> {
    /// It has loaded this far.
    Load(LoadState),
    /// The first match is in this state.
    Element(&'a str, ElementState),
    /// The first match's text contains this.
    ElementText(&'a str, &'a str),
    /// So many elements match.
    Count(&'a str, usize),
    /// The page's visible text contains this.
    Text(&'a str),
    /// Its title contains this.
    Title(&'a str),
    /// Its URL contains this; `*` stands for anything.
    Url(&'a str),
    /// This expression is truthy.
    Function(&'a str),
}

impl<'a> From<&'a WaitTarget> for Condition<'a> {
    fn from(target: &'a WaitTarget) -> Self {
        match target {
            WaitTarget::Load(state) => Self::Load(*state),
            WaitTarget::Selector(selector, state) => Self::Element(selector, *state),
            WaitTarget::Text(text) => Self::Text(text),
            WaitTarget::Url(pattern) => Self::Url(pattern),
            WaitTarget::Function(expression) => Self::Function(expression),
        }
    }
}

impl<'a> From<&'a Expectation> for Condition<'a> {
    fn from(expectation: &'a Expectation) -> Self {
        match expectation {
            Expectation::Text(text) => Self::Text(text),
            Expectation::Title(title) => Self::Title(title),
            Expectation::Url(pattern) => Self::Url(pattern),
            Expectation::Element(selector, state) => Self::Element(selector, *state),
            Expectation::ElementText(selector, text) => Self::ElementText(selector, text),
            Expectation::Count(selector, count) => Self::Count(selector, *count),
            Expectation::Function(expression) => Self::Function(expression),
        }
    }
}

impl fmt::Display for Condition<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load(LoadState::Commit) => f.write_str("the page to begin to load"),
            Self::Load(LoadState::Dom) => f.write_str("the page to be parsed"),
            Self::Load(LoadState::Load) => f.write_str("the page to load"),
            Self::Load(LoadState::Idle) => f.write_str("the page to load and go quiet"),
            Self::Element(selector, state) => write!(f, "`{selector}` to be {}", name(*state)),
            Self::ElementText(selector, text) => write!(f, "`{selector}` to contain {text:?}"),
            Self::Count(selector, 1) => write!(f, "1 match of `{selector}`"),
            Self::Count(selector, count) => write!(f, "{count} matches of `{selector}`"),
            Self::Text(text) => write!(f, "the page to contain {text:?}"),
            Self::Title(text) => write!(f, "the title to contain {text:?}"),
            Self::Url(pattern) => write!(f, "the url to match {pattern:?}"),
            Self::Function(expression) => write!(f, "`{expression}` to be true"),
        }
    }
}

/// Waits until the condition holds or the budget is spent.
pub(crate) async fn hold(page: &Page, condition: Condition<'_>, budget: Budget) -> Result<(), Unmet> {
    let what = match condition {
        Condition::Function(expression) => return truthy(page, expression, budget).await,
        Condition::Load(state) => json!({ "kind": "load", "state": load_name(state) }),
        Condition::Element(selector, state) => {
            json!({ "kind": "element", "selector": selector, "state": name(state) })
        }
        Condition::ElementText(selector, text) => {
            json!({ "kind": "element_text", "selector": selector, "text": text })
        }
        Condition::Count(selector, count) => json!({ "kind": "count", "selector": selector, "count": count }),
        Condition::Text(text) => json!({ "kind": "text", "text": text }),
        Condition::Title(text) => json!({ "kind": "title", "text": text }),
        Condition::Url(pattern) => json!({ "kind": "url", "pattern": pattern }),
    };
    let script = probe::script("", include_str!("condition.js"), &what).map_err(Unmet::Fault)?;
    probe::until(page, &script, budget).await
}

/// Waits until an expression is truthy. One that throws is not true yet: what it reads may still be missing.
async fn truthy(page: &Page, expression: &str, budget: Budget) -> Result<(), Unmet> {
    let mut patience = Patience::new(budget);
    loop {
        let look = match evaluate::truthy(page, expression, budget).await {
            Ok(true) => Ok(Verdict::Ready(())),
            Ok(false) => Ok(Verdict::Waiting("it is false".to_owned())),
            Err(EvaluateError::Threw(exception)) if exception.syntax => {
                Ok(Verdict::Refused(exception.to_string()))
            }
            Err(EvaluateError::Threw(exception)) => Ok(Verdict::Waiting(format!("it throws {exception}"))),
            Err(error) => Err(error),
        };
        if let Some(end) = patience.weigh(look).await {
            return end;
        }
    }
}

/// The fault of a condition that did not come to hold; `late` makes it of what was found instead.
///
/// A page that never said anything found nothing: that is a timeout, whoever asked.
pub(super) fn failed(
    unmet: Unmet,
    condition: Condition<'_>,
    budget: Budget,
    late: impl FnOnce(&str) -> Fault,
) -> Fault {
    match unmet {
        Unmet::Late(Some(found)) => late(&found),
        Unmet::Late(None) => {
            let message =
                format!("waiting for {condition}: the page did not answer within {:?}", budget.whole());
            Fault::transient(FailureClass::Timeout, message)
        }
        Unmet::Refused(why) => Fault::persistent(FailureClass::Script, why),
        Unmet::Fault(fault) => fault,
    }
}

const fn name(state: ElementState) -> &'static str {
    match state {
        ElementState::Visible => "visible",
        ElementState::Hidden => "hidden",
        ElementState::Attached => "attached",
        ElementState::Detached => "detached",
    }
}

const fn load_name(state: LoadState) -> &'static str {
    match state {
        LoadState::Commit => "commit",
        LoadState::Dom => "dom",
        LoadState::Load => "load",
        LoadState::Idle => "idle",
    }
}
