//! The conditions that `wait_for` and `expect` share, and how they are tested.

use std::fmt;

use serde_json::json;

use super::script::script;
use crate::step::{ElementState, Expectation, LoadState, WaitTarget};

/// A condition of a page. Its `Display` text completes "waiting for" and "expected".
#[derive(Debug, Clone, Copy)]
pub enum Condition<'a> {
    /// The page has loaded up to this state.
    Load(LoadState),
    /// The first match of the selector is in this state.
    Element(&'a str, ElementState),
    /// The text of the first match contains this text.
    ElementText(&'a str, &'a str),
    /// The number of elements that match.
    Count(&'a str, usize),
    /// The page's visible text contains this text.
    Text(&'a str),
    /// The page's title contains this text.
    Title(&'a str),
    /// The page's URL contains this text; `*` matches anything.
    Url(&'a str),
    /// This JavaScript expression is truthy.
    Function(&'a str),
}

/// How to test a condition.
#[derive(Debug)]
pub enum Test<'a> {
    /// Run this script of our own.
    Script(String),
    /// Evaluate this expression of the job and test whether it is truthy.
    Expression(&'a str),
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

impl<'a> Condition<'a> {
    /// Returns how to test this condition.
    #[must_use]
    pub fn test(self) -> Test<'a> {
        let what = match self {
            Self::Function(expression) => return Test::Expression(expression),
            Self::Load(state) => json!({ "kind": "load", "state": state }),
            Self::Element(selector, state) => {
                json!({ "kind": "element", "selector": selector, "state": name(state) })
            }
            Self::ElementText(selector, text) => {
                json!({ "kind": "element_text", "selector": selector, "text": text })
            }
            Self::Count(selector, count) => json!({ "kind": "count", "selector": selector, "count": count }),
            Self::Text(text) => json!({ "kind": "text", "text": text }),
            Self::Title(text) => json!({ "kind": "title", "text": text }),
            Self::Url(pattern) => json!({ "kind": "url", "pattern": pattern }),
        };
        Test::Script(script(include_str!("condition.js"), &what))
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
