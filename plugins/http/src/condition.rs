//! What a `wait_for` waits for and an `expect` insists on. A page without scripts does not change, so a condition holds
//! at once or never.

use std::fmt;

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::step::{ElementState, Expect, Expectation, LoadState, WaitFor, WaitTarget};

use crate::dom::ElementRef;
use crate::fault::unsupported;
use crate::form;
use crate::page::Page;
use crate::rendered::{self, plain};
use crate::selector::{Finder, Selector};
use crate::work_budget::WorkBudget;
use plimsoll_core::runtime::budget::Budget;

/// How much of a text a message shows, in characters.
const EXCERPT: usize = 200;

/// Something that can be said of a page. Displayed, it completes "waiting for" and "expected".
#[derive(Debug, Clone, Copy)]
enum Condition<'a> {
    /// It has loaded; it has, if there is one.
    Load,
    Attached(&'a str),
    Detached(&'a str),
    ElementText(&'a str, &'a str),
    Count(&'a str, usize),
    Text(&'a str),
    Title(&'a str),
    Url(&'a str),
    /// Only a browser can tell; why.
    Beyond(&'static str),
}

/// `wait_for`: what does not hold is a timeout, at once.
pub(crate) fn wait_for(page: &Page, step: &WaitFor, budget: Budget) -> Result<(), Fault> {
    let condition = match &step.target {
        WaitTarget::Load(LoadState::Commit | LoadState::Dom | LoadState::Load | LoadState::Idle) => {
            Condition::Load
        }
        WaitTarget::Selector(selector, state) => element(selector, *state),
        WaitTarget::Text(text) => Condition::Text(text),
        WaitTarget::Url(pattern) => Condition::Url(pattern),
        WaitTarget::Function(_) => Condition::Beyond("a condition in JavaScript"),
    };
    match condition.found_instead(page, budget)? {
        None => Ok(()),
        Some(found) => {
            let message =
                format!("waiting for {condition}: {found} (and a page without scripts will not change)");
            Err(Fault::transient(FailureClass::Timeout, message))
        }
    }
}

/// `expect`: what does not hold is a failed assertion.
pub(crate) fn expect(page: &Page, step: &Expect, budget: Budget) -> Result<(), Fault> {
    let condition = match &step.that {
        Expectation::Text(text) => Condition::Text(text),
        Expectation::Title(title) => Condition::Title(title),
        Expectation::Url(pattern) => Condition::Url(pattern),
        Expectation::Element(selector, state) => element(selector, *state),
        Expectation::ElementText(selector, text) => Condition::ElementText(selector, text),
        Expectation::Count(selector, count) => Condition::Count(selector, *count),
        Expectation::Function(_) => Condition::Beyond("a condition in JavaScript"),
    };
    match condition.found_instead(page, budget)? {
        None => Ok(()),
        Some(found) => {
            let message = format!("expected {condition}, but {found}");
            Err(Fault::persistent(FailureClass::Assertion, message))
        }
    }
}

const fn element(selector: &str, state: ElementState) -> Condition<'_> {
    match state {
        ElementState::Attached => Condition::Attached(selector),
        ElementState::Detached => Condition::Detached(selector),
        ElementState::Visible | ElementState::Hidden => Condition::Beyond("a condition on what is visible"),
    }
}

impl Condition<'_> {
    /// What is the case instead; `None` when the condition holds.
    fn found_instead(self, page: &Page, budget: Budget) -> Result<Option<String>, Fault> {
        let mut work = WorkBudget::new(budget);
        let mut find = |selector: &str, most: usize| {
            let found = Finder::new(page.dom()).find(&Selector::parse(selector)?, None, most, &mut work);
            found.map_err(|exceeded| exceeded.fault("looking for elements", budget))
        };
        let unless = |holds: bool, found: String| Ok((!holds).then_some(found));
        match self {
            Self::Load => Ok(None),
            Self::Beyond(what) => Err(unsupported(what)),
            Self::Attached(selector) => {
                unless(!find(selector, 1)?.is_empty(), "it is not in the page".to_owned())
            }
            Self::Detached(selector) => unless(find(selector, 1)?.is_empty(), "it is in the page".to_owned()),
            Self::Count(selector, count) => match find(selector, usize::MAX)?.len() {
                found if found == count => Ok(None),
                1 => Ok(Some("there is 1".to_owned())),
                found => Ok(Some(format!("there are {found}"))),
            },
            Self::ElementText(selector, text) => {
                let Some(element) = find(selector, 1)?.first().copied() else {
                    return Ok(Some("it is not in the page".to_owned()));
                };
                let held = form::value(element).map_or_else(|| shown(element, budget), Ok)?;
                unless(contains(&held, text), format!("it contains {}", excerpt(&plain(&held))))
            }
            Self::Text(text) => {
                let held = page.dom().body().map_or_else(|| Ok(String::new()), |body| shown(body, budget))?;
                unless(contains(&held, text), format!("it contains {}", excerpt(&plain(&held))))
            }
            Self::Title(text) => {
                let title = page.dom().title();
                unless(contains(&title, text), format!("it is {}", excerpt(&title)))
            }
            Self::Url(pattern) => {
                let url = page.url().as_str();
                unless(matches(url, pattern), format!("it is {}", excerpt(url)))
            }
        }
    }
}

fn shown(element: ElementRef<'_>, budget: Budget) -> Result<String, Fault> {
    rendered::text(element, &mut WorkBudget::new(budget))
        .map_err(|exceeded| exceeded.fault("reading text", budget))
}

fn contains(whole: &str, part: &str) -> bool {
    whole.contains(part) || plain(whole).contains(&plain(part))
}

/// `*` stands for anything; the pattern may lie anywhere in the text.
fn matches(whole: &str, pattern: &str) -> bool {
    let mut rest = Some(whole);
    for part in pattern.split('*') {
        rest = rest.and_then(|rest| rest.split_once(part)).map(|(_, rest)| rest);
    }
    rest.is_some()
}

fn excerpt(text: &str) -> String {
    match text.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{:?}", format!("{}…", &text[..end])),
        None => format!("{text:?}"),
    }
}

impl fmt::Display for Condition<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load => f.write_str("the page to load"),
            Self::Attached(selector) => write!(f, "`{selector}` to be attached"),
            Self::Detached(selector) => write!(f, "`{selector}` to be detached"),
            Self::ElementText(selector, text) => write!(f, "`{selector}` to contain {text:?}"),
            Self::Count(selector, 1) => write!(f, "1 match of `{selector}`"),
            Self::Count(selector, count) => write!(f, "{count} matches of `{selector}`"),
            Self::Text(text) => write!(f, "the page to contain {text:?}"),
            Self::Title(text) => write!(f, "the title to contain {text:?}"),
            Self::Url(pattern) => write!(f, "the url to match {pattern:?}"),
            Self::Beyond(what) => f.write_str(what),
        }
    }
}
