//! A step whose selectors are looked up inside an element: the body of a `for_each`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::interpreter::Answer;
use crate::selector::each_selector_mut;
use crate::step::{Extract, Field, Step};

/// The selector that means the element itself.
const ITSELF: &str = ":scope";

/// `step` with each of its selectors relative to the element that `outer` selects. `:scope` alone is that element.
#[must_use]
pub fn within(mut step: Step, outer: &str) -> Step {
    let mut chain = |selector: &mut String| {
        *selector =
            if selector.trim() == ITSELF { outer.to_owned() } else { format!("{outer} >> {selector}") };
    };
    each_selector_mut(&mut step, &mut chain);
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
