//! The conditions of `wait_for` and `expect`. A page without scripts does not change, so a condition holds
//! immediately or never.

use percent_encoding::percent_decode_str;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::page::Condition;
use plimsoll_core::step::{ElementState, Expect, WaitFor};

use crate::dom::ElementRef;
use crate::fault::unsupported;
use crate::form;
use crate::page::Page;
use crate::rendered::{self, plain};
use crate::selector::{Finder, Selector};
use crate::work_budget::WorkBudget;
use plimsoll_core::runtime::budget::Budget;

/// The greatest length of page text in a message, in characters.
const EXCERPT: usize = 200;

/// `wait_for`: a condition that does not hold is a timeout, without waiting.
pub(crate) fn wait_for(page: &Page, step: &WaitFor, budget: Budget) -> Result<(), Fault> {
    let condition = Condition::from(&step.target);
    match found_instead(condition, page, budget)? {
        None => Ok(()),
        Some(found) => {
            let message =
                format!("waiting for {condition}: {found} (and a page without scripts will not change)");
            Err(Fault::transient(FailureClass::Timeout, message))
        }
    }
}

/// `expect`: a condition that does not hold is a failed assertion.
pub(crate) fn expect(page: &Page, step: &Expect, budget: Budget) -> Result<(), Fault> {
    let condition = Condition::from(&step.that);
    match found_instead(condition, page, budget)? {
        None => Ok(()),
        Some(found) => {
            let message = format!("expected {condition}, but {found}");
            Err(Fault::persistent(FailureClass::Assertion, message))
        }
    }
}

/// Describes the actual state; `None` when the condition holds.
fn found_instead(condition: Condition<'_>, page: &Page, budget: Budget) -> Result<Option<String>, Fault> {
    let mut work = WorkBudget::new(budget);
    let mut find = |selector: &str, most: usize| {
        let found = Finder::new(page.dom()).find(&Selector::parse(selector)?, None, most, &mut work);
        found.map_err(|exceeded| exceeded.fault("looking for elements", budget))
    };
    let unless = |holds: bool, found: String| Ok((!holds).then_some(found));
    match condition {
        // A page that exists has loaded.
        Condition::Load(_) => Ok(None),
        Condition::Function(_) => Err(unsupported("a condition in JavaScript")),
        Condition::Element(_, ElementState::Visible | ElementState::Hidden) => {
            Err(unsupported("a condition on what is visible"))
        }
        Condition::Element(selector, ElementState::Attached) => {
            unless(!find(selector, 1)?.is_empty(), "it is not in the page".to_owned())
        }
        Condition::Element(selector, ElementState::Detached) => {
            unless(find(selector, 1)?.is_empty(), "it is in the page".to_owned())
        }
        Condition::Count(selector, count) => match find(selector, usize::MAX)?.len() {
            found if found == count => Ok(None),
            1 => Ok(Some("there is 1".to_owned())),
            found => Ok(Some(format!("there are {found}"))),
        },
        Condition::ElementText(selector, text) => {
            let Some(element) = find(selector, 1)?.first().copied() else {
                return Ok(Some("it is not in the page".to_owned()));
            };
            let held = form::value(element).map_or_else(|| shown(element, budget), Ok)?;
            unless(contains(&held, text), format!("it contains {}", excerpt(&plain(&held))))
        }
        Condition::Text(text) => {
            let held = page.dom().body().map_or_else(|| Ok(String::new()), |body| shown(body, budget))?;
            unless(contains(&held, text), format!("it contains {}", excerpt(&plain(&held))))
        }
        Condition::Title(text) => {
            let title = page.dom().title();
            unless(contains(&title, text), format!("it is {}", excerpt(&title)))
        }
        Condition::Url(pattern) => {
            let url = page.url().as_str();
            // As people write it, too.
            let readable = percent_decode_str(url).decode_utf8_lossy();
            unless(matches(url, pattern) || matches(&readable, pattern), format!("it is {}", excerpt(url)))
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

/// `*` matches any text; the pattern may match anywhere in the text.
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
