//! Getting an element ready for an action, and what is done with it first.
//!
//! ```text
//!   selector ──► in the page? visible? enabled? editable? not moving? ──► what the action does first
//!                └─────────── no: ask again, until the step's time is up: "waiting for `#send` to be enabled"
//! ```
//!
//! All of it is one function in the page (`act.js`), so nothing can change between the last check and what is
//! done: the element is found anew each time.

use plimsoll_core::outcome::{FailureClass, Fault};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::probe::{self, Unmet};
use crate::budget::Budget;
use crate::page::Page;

/// Something an element must be before it is acted on.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Need {
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
pub(super) struct Act {
    needs: &'static [Need],
    /// A function of the element and a value, with what it rests on before it.
    then: &'static str,
    /// Declarations that `then` rests on.
    with: &'static str,
}

impl Act {
    pub(super) const CLICK: Self = Self::new(&[Visible, Enabled, Stable], include_str!("point.js"));
    pub(super) const HOVER: Self = Self::new(&[Visible, Stable], include_str!("point.js"));
    pub(super) const TICK: Self = Self::new(&[Control, Visible, Enabled, Stable], include_str!("point.js"));
    pub(super) const TICKED: Self = Self::new(&[Control], include_str!("ticked.js"));
    pub(super) const FOCUS: Self = Self::new(&[], include_str!("focus.js"));
    pub(super) const TYPE: Self = Self::new(&[Control, Visible, Enabled, Editable], include_str!("focus.js"));
    pub(super) const FILL: Self = Self {
        needs: &[Control, Visible, Enabled, Editable],
        then: include_str!("fill.js"),
        with: concat!("const focus = ", include_str!("focus.js"), ";\n"),
    };
    pub(super) const FILLED: Self = Self::new(&[Control], include_str!("filled.js"));
    pub(super) const SELECT: Self = Self::new(&[Control, Visible, Enabled], include_str!("select.js"));
    pub(super) const INTO_VIEW: Self = Self::new(&[], include_str!("into_view.js"));
    /// Where it lies in the page.
    pub(super) const PLACE: Self = Self::new(&[Visible, Stable], include_str!("place.js"));
    /// Whether it takes so many files.
    pub(super) const FILE_INPUT: Self = Self::new(&[Control], include_str!("file_input.js"));
    /// The lengths of the files it holds.
    pub(super) const FILES: Self = Self::new(&[Control], include_str!("files.js"));

    /// The element itself, or null.
    pub(super) const ELEMENT: Self = Self::new(&[Control], "element => element");

    const fn new(needs: &'static [Need], then: &'static str) -> Self {
        Self { needs, then, with: "" }
    }

    pub(super) fn script(self, selector: &str, value: &Value) -> Result<String, Fault> {
        let Self { needs, then, with } = self;
        let declarations = [include_str!("act.js"), with].concat();
        let function = format!("argument => act(argument, {then})");
        probe::script(
            &declarations,
            &function,
            &json!({ "selector": selector, "needs": needs, "value": value }),
        )
    }
}

/// Waits until the element is ready, then acts.
pub(super) async fn perform<T: DeserializeOwned>(
    page: &Page,
    selector: &str,
    act: Act,
    value: Value,
    budget: Budget,
) -> Result<T, Fault> {
    let script = act.script(selector, &value)?;
    probe::until(page, &script, budget).await.map_err(|unmet| failed(unmet, selector, budget))
}

/// The fault of an element that did not become ready.
pub(super) fn failed(unmet: Unmet, selector: &str, budget: Budget) -> Fault {
    match unmet {
        Unmet::Late(what) => {
            let what = what.unwrap_or_else(|| "to answer; the page is busy or keeps changing".to_owned());
            let message = format!("waiting for `{selector}` {what} (gave up after {:?})", budget.whole());
            Fault::transient(FailureClass::Timeout, message)
        }
        Unmet::Refused(why) => Fault::persistent(FailureClass::Script, format!("`{selector}`: {why}")),
        Unmet::Fault(fault) => fault,
    }
}
