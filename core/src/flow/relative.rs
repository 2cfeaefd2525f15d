//! A step whose selectors are looked up inside an element: the body of a `for_each`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::interpreter::Answer;
use crate::step::{
    Capture, DragTarget, Expect, Expectation, Extract, Field, ScrollTarget, Step, WaitFor, WaitTarget,
};

/// The selector that means the element itself.
const ITSELF: &str = ":scope";

/// `step` with each of its selectors relative to the element that `outer` selects. `:scope` alone is that element.
#[must_use]
pub fn within(mut step: Step, outer: &str) -> Step {
    let chain = |selector: &mut String| {
        *selector =
            if selector.trim() == ITSELF { outer.to_owned() } else { format!("{outer} >> {selector}") };
    };
    match &mut step {
        Step::WaitFor(WaitFor { target: WaitTarget::Selector(selector, _), .. })
        | Step::Expect(Expect {
            that:
                Expectation::Element(selector, _)
                | Expectation::ElementText(selector, _)
                | Expectation::Count(selector, _),
            ..
        }) => chain(selector),
        Step::Click(step) => chain(&mut step.selector),
        Step::Fill(step) => chain(&mut step.selector),
        Step::Type(step) => chain(&mut step.selector),
        Step::Press(step) => step.selector.iter_mut().for_each(chain),
        Step::Select(step) => chain(&mut step.selector),
        Step::Check(step) | Step::Uncheck(step) => chain(&mut step.selector),
        Step::Hover(step) => chain(&mut step.selector),
        Step::Drag(step) => {
            chain(&mut step.from);
            if let DragTarget::Selector(selector) = &mut step.target {
                chain(selector);
            }
        }
        Step::Scroll(step) => {
            if let ScrollTarget::Selector(selector) = &mut step.to {
                chain(selector);
            }
        }
        Step::Upload(step) => chain(&mut step.selector),
        Step::Extract(Extract { fields }) => fields.values_mut().for_each(|field| match field {
            // The fields of records are looked up inside each record already.
            Field::One { selector, .. } | Field::All { selector, .. } | Field::Records { selector, .. } => {
                chain(selector);
            }
        }),
        Step::Screenshot(step) => {
            if let Capture::Element(selector) = &mut step.of {
                chain(selector);
            }
        }
        Step::Goto(_)
        | Step::WaitFor(_)
        | Step::Expect(_)
        | Step::Evaluate(_)
        | Step::Pdf(_)
        | Step::Content(_)
        | Step::GetCookies(_)
        | Step::SetCookies(_)
        | Step::SetViewport(_) => {}
    }
    step
}

/// A step that brings one empty record for each element of `selector`.
pub(super) fn elements(selector: String) -> Step {
    let field = Field::Records { selector, fields: BTreeMap::new() };
    Step::Extract(Extract { fields: BTreeMap::from([(ELEMENTS.to_owned(), field)]) })
}

/// What the data of a step that `elements` made says: the selector, and the number of its elements.
#[must_use]
pub fn counted(step: &Step, data: &Map<String, Value>) -> Answer {
    let selector = match step {
        Step::Extract(Extract { fields }) => match fields.get(ELEMENTS) {
            Some(Field::Records { selector, .. }) => selector.clone(),
            _ => String::new(),
        },
        _ => String::new(),
    };
    Answer::Counted { selector, count: data.get(ELEMENTS).and_then(Value::as_array).map_or(0, Vec::len) }
}

/// The field with the elements of a `for_each`.
const ELEMENTS: &str = "for_each";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_selector_of_a_step_is_relative() {
        let relative = |step: Value| {
            let step: Step = serde_json::from_value(step).expect("a step");
            serde_json::to_value(within(step, "tr >> nth=2")).expect("plain data").to_string()
        };
        for step in [
            json!({"wait_for": "#x"}),
            json!({"expect": {"selector": "#x"}}),
            json!({"expect": {"selector": "#x", "text": "t"}}),
            json!({"expect": {"selector": "#x", "count": 2}}),
            json!({"click": "#x"}),
            json!({"fill": {"selector": "#x", "text": "#y"}}),
            json!({"type": {"selector": "#x", "text": "#y"}}),
            json!({"press": {"key": "a", "selector": "#x"}}),
            json!({"select": {"selector": "#x", "value": "v"}}),
            json!({"check": "#x"}),
            json!({"uncheck": "#x"}),
            json!({"hover": "#x"}),
            json!({"drag": {"from": "#x", "to": "#x"}}),
            json!({"scroll": "#x"}),
            json!({"upload": {"selector": "#x", "files": []}}),
            json!({"extract": {"a": "#x", "b": {"all": "#x"}, "c": {"all": "#x", "fields": {"d": "#y"}}}}),
            json!({"screenshot": "#x"}),
        ] {
            let there = step.to_string().matches("#x").count();
            let made = relative(step);
            assert_eq!(made.matches("tr >> nth=2 >> #x").count(), there, "{made}");
            assert!(!made.contains(">> #y"), "{made}");
        }
        assert!(relative(json!({"click": ":scope"})).contains("\"tr >> nth=2\""));
        assert!(relative(json!({"click": ":scope > a"})).contains("tr >> nth=2 >> :scope > a"));
        assert!(!relative(json!({"wait_for": {"text": "#x"}})).contains("nth"));
    }
}
