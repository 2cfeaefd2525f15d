//! The selectors of a step, and of which kind they are.

use std::collections::BTreeMap;

use crate::step::{Capture, DragTarget, Expectation, Field, ScrollTarget, Step, WaitTarget};

/// The kinds of selectors beside CSS, as they begin.
const KINDS: [&str; 8] = ["css=", "text=", "role=", "label=", "placeholder=", "testid=", "xpath=", "nth="];

/// Whether a selector is more than CSS: another kind, or several that are joined.
pub(crate) fn is_locator(selector: &str) -> bool {
    let selector = selector.trim_start();
    let is_path = selector.trim_start_matches('(').starts_with("//") || selector.starts_with("..");
    KINDS.iter().any(|kind| selector.starts_with(kind)) || is_path || selector.contains(" >> ")
}

/// Every selector of a step.
pub(crate) fn selectors(step: &Step) -> Vec<&str> {
    match step {
        Step::Click(step) => vec![&step.selector],
        Step::Fill(step) => vec![&step.selector],
        Step::Type(step) => vec![&step.selector],
        Step::Press(step) => step.selector.iter().map(String::as_str).collect(),
        Step::Select(step) => vec![&step.selector],
        Step::Check(step) | Step::Uncheck(step) => vec![&step.selector],
        Step::Hover(step) => vec![&step.selector],
        Step::Upload(step) => vec![&step.selector],
        Step::WaitFor(step) => match &step.target {
            WaitTarget::Selector(selector, _) => vec![selector],
            WaitTarget::Load(_) | WaitTarget::Text(_) | WaitTarget::Url(_) | WaitTarget::Function(_) => {
                Vec::new()
            }
        },
        Step::Expect(step) => match &step.that {
            Expectation::Element(selector, _)
            | Expectation::ElementText(selector, _)
            | Expectation::Count(selector, _) => vec![selector],
            Expectation::Text(_) | Expectation::Title(_) | Expectation::Url(_) | Expectation::Function(_) => {
                Vec::new()
            }
        },
        Step::Extract(step) => of_fields(&step.fields),
        Step::Drag(step) => match &step.target {
            DragTarget::Selector(target) => vec![&step.from, target],
            DragTarget::By(..) => vec![&step.from],
        },
        Step::Scroll(step) => match &step.to {
            ScrollTarget::Selector(selector) => vec![selector],
            ScrollTarget::Top | ScrollTarget::Bottom | ScrollTarget::By(..) => Vec::new(),
        },
        Step::Screenshot(step) => match &step.of {
            Capture::Element(selector) => vec![selector],
            Capture::Page | Capture::Full => Vec::new(),
        },
        Step::Goto(_)
        | Step::Evaluate(_)
        | Step::Content(_)
        | Step::Pdf(_)
        | Step::GetCookies(_)
        | Step::SetCookies(_)
        | Step::SetViewport(_) => Vec::new(),
    }
}

fn of_fields(fields: &BTreeMap<String, Field>) -> Vec<&str> {
    fields.values().flat_map(of_field).collect()
}

fn of_field(field: &Field) -> Vec<&str> {
    match field {
        Field::One { selector, .. } | Field::All { selector, .. } => vec![selector],
        Field::Records { selector, fields } => [vec![selector.as_str()], of_fields(fields)].concat(),
    }
}
