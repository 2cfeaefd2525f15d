//! Actions on an element: what the element must be first, and what is then done with it in the page.
//!
//! ```text
//!   selector ──► in the page? visible? enabled? editable? not moving? ──► what the action does first
//!                └─────────── no: ask again, until the step's time is up: "waiting for `#send` to be enabled"
//! ```
//!
//! All of it is one function in the page (`act.js`), so nothing changes between the last check and the action. The
//! element is looked up again each time.

use serde::Serialize;
use serde_json::{Value, json};

use super::script::script_with;

/// A condition that an element must meet before an action.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Need {
    /// A label stands for its control.
    Control,
    /// It has a box that is not hidden.
    Visible,
    /// Neither the element nor a parent of it is disabled.
    Enabled,
    /// It accepts text.
    Editable,
    /// Its box stays the same for two frames.
    Stable,
}

use Need::{Control, Editable, Enabled, Stable, Visible};

/// An action on an element, as far as it happens in the page.
#[derive(Debug, Clone, Copy)]
pub struct Act {
    needs: &'static [Need],
    /// A function of the element and a value.
    then: &'static str,
    /// Declarations that `then` uses.
    with: &'static str,
}

impl Act {
    /// Finds where the pointer hits it.
    pub const CLICK: Self = Self::new(&[Visible, Enabled, Stable], include_str!("point.js"));
    /// Finds where the pointer hits it, disabled or not.
    pub const HOVER: Self = Self::new(&[Visible, Stable], include_str!("point.js"));
    /// Finds where the pointer hits a checkbox or radio button.
    pub const TICK: Self = Self::new(&[Control, Visible, Enabled, Stable], include_str!("point.js"));
    /// Whether it is ticked. With `true` or `false` as its value it waits until that is so.
    pub const TICKED: Self = Self::new(&[Control], include_str!("ticked.js"));
    /// Gives it the focus.
    pub const FOCUS: Self = Self::new(&[], include_str!("focus.js"));
    /// Gives it the focus, to be typed into.
    pub const TYPE: Self = Self::new(&[Control, Visible, Enabled, Editable], include_str!("focus.js"));
    /// Prepares it to be overwritten. The value is true when text must then be inserted.
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
    /// Checks that it accepts the given number of files.
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
