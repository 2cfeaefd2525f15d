//! Getting an element ready for an action, and what is done with it first.
//!
//! ```text
//!   selector ──► in the page? visible? enabled? editable? not moving? ──► what the action does first
//!                └─────────── no: ask again, until the step's time is up: "waiting for `#send` to be enabled"
//! ```
//!
//! All of it is one function in the page (`act.js`), so nothing can change between the last check and what is
//! done: the element is found anew each time.

use serde::Serialize;
use serde_json::{Value, json};

use crate::page::script_with;

/// Something an element must be before it is acted on.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Need {
    /// A label stands for what it labels.
    Control,
    /// It has a box that is not hidden.
    Visible,
    /// Neither it nor what it is in is disabled.
    Enabled,
    /// It takes text.
    Editable,
    /// Its box stays the same for two frames.
    Stable,
}

use Need::{Control, Editable, Enabled, Stable, Visible};

/// What is done with an element.
#[derive(Debug, Clone, Copy)]
pub struct Act {
    needs: &'static [Need],
    /// A function of the element and a value, with what it rests on before it.
    then: &'static str,
    /// Declarations that `then` rests on.
    with: &'static str,
}

impl Act {
    /// Finds where the pointer hits it.
    pub const CLICK: Self = Self::new(&[Visible, Enabled, Stable], include_str!("point.js"));
    /// The same, though it be disabled.
    pub const HOVER: Self = Self::new(&[Visible, Stable], include_str!("point.js"));
    /// The same, for a checkbox or radio button.
    pub const TICK: Self = Self::new(&[Control, Visible, Enabled, Stable], include_str!("point.js"));
    /// Whether it is ticked.
    pub const TICKED: Self = Self::new(&[Control], include_str!("ticked.js"));
    /// Gives it the focus.
    pub const FOCUS: Self = Self::new(&[], include_str!("focus.js"));
    /// Gives it the focus, to be typed into.
    pub const TYPE: Self = Self::new(&[Control, Visible, Enabled, Editable], include_str!("focus.js"));
    /// Readies it to be overwritten: true when text is to be inserted then.
    pub const FILL: Self = Self {
        needs: &[Control, Visible, Enabled, Editable],
        then: include_str!("fill.js"),
        with: concat!("const focus = ", include_str!("focus.js"), ";\n"),
    };
    /// Whether it holds the text now.
    pub const FILLED: Self = Self::new(&[Control], include_str!("filled.js"));
    /// Chooses options.
    pub const SELECT: Self = Self::new(&[Control, Visible, Enabled], include_str!("select.js"));
    /// Scrolls it into view.
    pub const INTO_VIEW: Self = Self::new(&[], include_str!("into_view.js"));
    /// Where it lies in the page.
    pub const PLACE: Self = Self::new(&[Visible, Stable], include_str!("place.js"));
    /// Whether it takes so many files.
    pub const FILE_INPUT: Self = Self::new(&[Control], include_str!("file_input.js"));
    /// The lengths of the files it holds.
    pub const FILES: Self = Self::new(&[Control], include_str!("files.js"));

    /// The element itself, or null.
    pub const ELEMENT: Self = Self::new(&[Control], "element => element");

    const fn new(needs: &'static [Need], then: &'static str) -> Self {
        Self { needs, then, with: "" }
    }

    /// An expression that gets the first match of `selector` ready and does this with it and `value`.
    #[must_use]
    pub fn script(self, selector: &str, value: &Value) -> String {
        let Self { needs, then, with } = self;
        let declarations = [include_str!("act.js"), with].concat();
        let function = format!("argument => act(argument, {then})");
        script_with(
            &declarations,
            &function,
            &json!({ "selector": selector, "needs": needs, "value": value }),
        )
    }
}
