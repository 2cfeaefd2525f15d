//! Steps that act on an element.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::duration;
use crate::shorthand::Shorthand;

/// Short forms of steps whose only required key is `selector`.
macro_rules! selector_shorthand {
    ($($step:ident),*) => {$(
        impl Shorthand for $step {
            const EXPECTING: &'static str = "a CSS selector, or {\"selector\": ...}";

            fn from_short(text: &str) -> Result<Self, String> {
                Ok(Self { selector: text.to_owned(), ..Self::default() })
            }
        }
    )*};
}

selector_shorthand!(Click, Check, Hover);

/// Click the centre of an element.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Click {
    /// CSS selector of the element; the first match is used.
    pub selector: String,
    /// The mouse button.
    #[serde(default)]
    pub button: MouseButton,
    /// The number of clicks, 1 to 3; 2 is a double click.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u8>,
    /// How long the element may take to become clickable; the rest of the attempt by default.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "duration::optional")]
    pub timeout: Option<Duration>,
}

/// A mouse button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MouseButton {
    /// The main button.
    #[default]
    Left,
    /// The wheel.
    Middle,
    /// The secondary button; opens a context menu.
    Right,
}

/// Replace the text of an input, a textarea or an editable element.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fill {
    /// CSS selector of the element.
    pub selector: String,
    /// The new text.
    pub text: String,
    /// How long the element may take to become editable.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "duration::optional")]
    pub timeout: Option<Duration>,
}

/// Focus an element and type text key by key, like a person.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Type {
    /// CSS selector of the element.
    pub selector: String,
    /// The text to append.
    pub text: String,
    /// Pause between two keys; none by default.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "duration::optional")]
    pub delay: Option<Duration>,
    /// How long the element may take to become editable.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "duration::optional")]
    pub timeout: Option<Duration>,
}

/// Press one key or a chord. Short: the key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Press {
    /// A key as DOM's `KeyboardEvent.key` names it (`Enter`, `a`, `ArrowDown`), or a chord (`Control+A`).
    pub key: String,
    /// CSS selector of the element to focus first; the focused element by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// How long the element may take to be focusable.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "duration::optional")]
    pub timeout: Option<Duration>,
}

impl Shorthand for Press {
    const EXPECTING: &'static str = "a key such as \"Enter\", or {\"key\": ..., \"selector\": ...}";

    fn from_short(text: &str) -> Result<Self, String> {
        Ok(Self { key: text.to_owned(), selector: None, timeout: None })
    }
}

/// Choose options of a `<select>` by value or, if no value matches, by label.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Select {
    /// CSS selector of the `<select>`.
    pub selector: String,
    /// One option, by value or label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Several options of a `<select multiple>`.
    #[serde(default)]
    pub values: Vec<String>,
    /// How long the element may take to become enabled.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "duration::optional")]
    pub timeout: Option<Duration>,
}

/// Tick or untick a checkbox or radio button; no effect when it already has that state.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// CSS selector of the element.
    pub selector: String,
    /// How long the element may take to become clickable.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "duration::optional")]
    pub timeout: Option<Duration>,
}

/// Move the pointer over the centre of an element.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Hover {
    /// CSS selector of the element.
    pub selector: String,
    /// How long the element may take to be under the pointer.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "duration::optional")]
    pub timeout: Option<Duration>,
}

/// Scroll the page, or an element into view. Short: `top`, `bottom`, or a CSS selector.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Scroll {
    /// The target of the scroll.
    pub to: ScrollTarget,
    /// How long an element to scroll to may take to be attached.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "duration::optional")]
    pub timeout: Option<Duration>,
}

/// The target of a `scroll`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScrollTarget {
    /// The top of the page.
    Top,
    /// The bottom of the page.
    Bottom,
    /// The element that matches this CSS selector.
    Selector(String),
    /// This distance from the current position, in CSS pixels: right, then down.
    By(f64, f64),
}

impl Shorthand for Scroll {
    const EXPECTING: &'static str = "\"top\", \"bottom\", a CSS selector, or {\"to\": {\"by\": [0, 500]}}";

    fn from_short(text: &str) -> Result<Self, String> {
        let to = match text {
            "top" => ScrollTarget::Top,
            "bottom" => ScrollTarget::Bottom,
            selector => ScrollTarget::Selector(selector.to_owned()),
        };
        Ok(Self { to, timeout: None })
    }
}

/// Set the files of a file input.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Upload {
    /// CSS selector of the input.
    pub selector: String,
    /// The files, read on this machine. A relative path starts at the directory of the job file.
    pub files: Vec<PathBuf>,
    /// How long the input may take to be attached.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "duration::optional")]
    pub timeout: Option<Duration>,
}
