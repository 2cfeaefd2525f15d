//! Steps that wait for a condition, and steps that assert a condition.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::duration;
use crate::shorthand::Shorthand;

/// The load state of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadState {
    /// The document has been received and has begun to load.
    Commit,
    /// The document is parsed (`DOMContentLoaded`).
    #[serde(alias = "domcontentloaded")]
    Dom,
    /// The document, its styles, scripts and images are loaded (`load`).
    #[default]
    Load,
    /// The page is loaded, and no resource has arrived for half a second.
    #[serde(alias = "networkidle")]
    Idle,
}

/// The state of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ElementState {
    /// The element exists and has a box that is not hidden.
    #[default]
    Visible,
    /// The element does not exist or has no visible box.
    Hidden,
    /// The element is in the document.
    Attached,
    /// The element is not in the document.
    Detached,
}

/// Wait until a condition holds. Short: a CSS selector whose element must be visible.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "WaitKeys", into = "WaitKeys")]
pub struct WaitFor {
    /// The condition.
    pub target: WaitTarget,
    /// The timeout; the rest of the attempt by default.
    pub timeout: Option<Duration>,
}

/// The condition of a `wait_for`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitTarget {
    /// The page has reached this load state.
    Load(LoadState),
    /// The first element that matches this CSS selector is in this state.
    Selector(String, ElementState),
    /// The page's visible text contains this text.
    Text(String),
    /// The page's URL contains this text; `*` matches anything.
    Url(String),
    /// This expression, evaluated in the page, is truthy; a promise is awaited.
    Function(String),
}

impl Shorthand for WaitFor {
    const EXPECTING: &'static str = "a CSS selector, or one of {\"selector\": ...}, {\"text\": ...}, {\"url\": ...}, {\"load\": ...}, {\"function\": ...}";

    fn from_short(text: &str) -> Result<Self, String> {
        Ok(Self { target: WaitTarget::Selector(text.to_owned(), ElementState::Visible), timeout: None })
    }
}

/// The keys of a `wait_for` in the job file.
#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct WaitKeys {
    #[serde(skip_serializing_if = "Option::is_none")]
    load: Option<LoadState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    selector: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<ElementState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "duration::optional")]
    timeout: Option<Duration>,
}

impl TryFrom<WaitKeys> for WaitFor {
    type Error = &'static str;

    fn try_from(keys: WaitKeys) -> Result<Self, Self::Error> {
        if keys.state.is_some() && keys.selector.is_none() {
            return Err("`state` needs a `selector`");
        }
        let state = keys.state.unwrap_or_default();
        let mut targets = [
            keys.load.map(WaitTarget::Load),
            keys.selector.map(|selector| WaitTarget::Selector(selector, state)),
            keys.text.map(WaitTarget::Text),
            keys.url.map(WaitTarget::Url),
            keys.function.map(WaitTarget::Function),
        ]
        .into_iter()
        .flatten();
        match (targets.next(), targets.next()) {
            (Some(target), None) => Ok(Self { target, timeout: keys.timeout }),
            _ => Err("wait_for needs exactly one of `selector`, `text`, `url`, `load`, `function`"),
        }
    }
}

impl From<WaitFor> for WaitKeys {
    fn from(WaitFor { target, timeout }: WaitFor) -> Self {
        let keys = Self { timeout, ..Self::default() };
        match target {
            WaitTarget::Load(load) => Self { load: Some(load), ..keys },
            WaitTarget::Selector(selector, state) => {
                Self { selector: Some(selector), state: Some(state), ..keys }
            }
            WaitTarget::Text(text) => Self { text: Some(text), ..keys },
            WaitTarget::Url(url) => Self { url: Some(url), ..keys },
            WaitTarget::Function(function) => Self { function: Some(function), ..keys },
        }
    }
}

/// Assert a condition: polled like a wait, but a failure is an `assertion`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "ExpectKeys", into = "ExpectKeys")]
pub struct Expect {
    /// The condition.
    pub that: Expectation,
    /// The timeout: 5 seconds by default (as in Playwright).
    pub timeout: Duration,
}

/// The condition of an `expect`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expectation {
    /// The page's visible text contains this text.
    Text(String),
    /// The page's title contains this text.
    Title(String),
    /// The page's URL contains this text; `*` matches anything.
    Url(String),
    /// The first match of this selector is in this state.
    Element(String, ElementState),
    /// The text of the first match of this selector contains this text.
    ElementText(String, String),
    /// The selector matches this number of elements.
    Count(String, usize),
    /// This expression is truthy.
    Function(String),
}

/// The keys of an `expect` in the job file.
#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ExpectKeys {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    selector: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<ElementState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "duration::optional")]
    timeout: Option<Duration>,
}

impl TryFrom<ExpectKeys> for Expect {
    type Error = &'static str;

    fn try_from(keys: ExpectKeys) -> Result<Self, Self::Error> {
        let ExpectKeys { text, title, url, selector, state, count, function, timeout } = keys;
        let that = match (selector, text, state, count, title, url, function) {
            (Some(selector), Some(text), None, None, None, None, None) => {
                Expectation::ElementText(selector, text)
            }
            (Some(selector), None, None, Some(count), None, None, None) => {
                Expectation::Count(selector, count)
            }
            (Some(selector), None, state, None, None, None, None) => {
                Expectation::Element(selector, state.unwrap_or_default())
            }
            (None, Some(text), None, None, None, None, None) => Expectation::Text(text),
            (None, None, None, None, Some(title), None, None) => Expectation::Title(title),
            (None, None, None, None, None, Some(url), None) => Expectation::Url(url),
            (None, None, None, None, None, None, Some(function)) => Expectation::Function(function),
            _ => {
                return Err(
                    "expect needs one of `text`, `title`, `url`, `function`, or a `selector` with at most one of \
                            `text`, `state`, `count`",
                );
            }
        };
        Ok(Self { that, timeout: timeout.unwrap_or(Duration::from_secs(5)) })
    }
}

impl From<Expect> for ExpectKeys {
    fn from(Expect { that, timeout }: Expect) -> Self {
        let keys = Self { timeout: Some(timeout), ..Self::default() };
        match that {
            Expectation::Text(text) => Self { text: Some(text), ..keys },
            Expectation::Title(title) => Self { title: Some(title), ..keys },
            Expectation::Url(url) => Self { url: Some(url), ..keys },
            Expectation::Element(selector, state) => {
                Self { selector: Some(selector), state: Some(state), ..keys }
            }
            Expectation::ElementText(selector, text) => {
                Self { selector: Some(selector), text: Some(text), ..keys }
            }
            Expectation::Count(selector, count) => {
                Self { selector: Some(selector), count: Some(count), ..keys }
            }
            Expectation::Function(function) => Self { function: Some(function), ..keys },
        }
    }
}
