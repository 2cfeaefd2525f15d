//! Actions on an element: the checks that the element must pass, and the part of the action that runs in the page.
//!
//! ```text
//!   selector ──► in the page? visible? enabled? editable? not moving? ──► what the action does first
//!                └─────────── no: ask again, until the step's time is up: "waiting for `#send` to be enabled"
//! ```
//!
//! All of this is one JavaScript function (`act.js`), so nothing changes between the last check and the action. The
//! element is looked up again for each check.

use serde::Serialize;
use serde_json::{Value, json};

use super::script::script_with;

/// A condition that an element must meet before an action.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Need {
    /// If the selector matches a label, the action applies to the label's control.
    Control,
    /// The element has a box that is not hidden.
    Visible,
    /// If the element is hidden and has a label that is visible, the action applies to the label.
    Label,
    /// Neither the element nor a parent of it is disabled.
    Enabled,
    /// The element accepts text.
    Editable,
    /// The element's box stays the same for two frames.
    Stable,
}

use Need::{Control, Editable, Enabled, Label, Stable, Visible};

/// The part of an action on an element that runs in the page.
#[derive(Debug, Clone, Copy)]
pub struct Act {
    needs: &'static [Need],
    /// A JavaScript function of the element and a value.
    then: &'static str,
    /// JavaScript declarations that `then` uses.
    with: &'static str,
}

impl Act {
    /// Returns the point at which a click hits the element.
    pub const CLICK: Self = Self::new(&[Visible, Enabled, Stable], include_str!("point.js"));
    /// Returns the point at which the pointer hits the element, even if the element is disabled.
    pub const HOVER: Self = Self::new(&[Visible, Stable], include_str!("point.js"));
    /// Returns the points at which a drag of the element begins and ends.
    pub const DRAG: Self = Self {
        needs: &[Visible, Enabled, Stable],
        then: include_str!("drag.js"),
        with: concat!("const point = ", include_str!("point.js"), ";\n"),
    };
    /// Returns the point at which a click hits a checkbox or radio button.
    pub const TICK: Self = Self::new(&[Control, Label, Visible, Enabled, Stable], include_str!("point.js"));
    /// Returns whether the element is ticked. If the value is `true` or `false`, it waits for that state.
    pub const TICKED: Self = Self::new(&[Control], include_str!("ticked.js"));
    /// Focuses the element.
    pub const FOCUS: Self = Self::new(&[], include_str!("focus.js"));
    /// Focuses the element before text is typed.
    pub const TYPE: Self = Self::new(&[Control, Visible, Enabled, Editable], include_str!("focus.js"));
    /// Prepares the element to be overwritten. Returns true if text must then be inserted.
    pub const FILL: Self = Self {
        needs: &[Control, Visible, Enabled, Editable],
        then: include_str!("fill.js"),
        with: concat!("const focus = ", include_str!("focus.js"), ";\n"),
    };
    /// Returns whether the element contains the text now.
    pub const FILLED: Self = Self::new(&[Control], include_str!("filled.js"));
    /// Chooses options of the element.
    pub const SELECT: Self = Self::new(&[Control, Visible, Enabled], include_str!("select.js"));
    /// Scrolls the element into view.
    pub const INTO_VIEW: Self = Self::new(&[], include_str!("into_view.js"));
    /// Returns the element's rectangle in the page.
    pub const PLACE: Self = Self::new(&[Visible, Stable], include_str!("place.js"));
    /// Checks that the element accepts the given number of files.
    pub const FILE_INPUT: Self = Self::new(&[Control], include_str!("file_input.js"));
    /// Returns the lengths of the files in the element.
    pub const FILES: Self = Self::new(&[Control], include_str!("files.js"));

    /// Returns the element itself, or null.
    pub const ELEMENT: Self = Self::new(&[Control], "element => element");

    const fn new(needs: &'static [Need], then: &'static str) -> Self {
        Self { needs, then, with: "" }
    }

    /// A JavaScript expression that checks the first match of `selector` and runs this action on it with `value`.
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
