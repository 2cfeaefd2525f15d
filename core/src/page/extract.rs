//! Reads all fields of an `extract` step in one call.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::script::script;
use crate::step::{Extract, Field, Take};

/// A script that reads the step's fields into one object.
#[must_use]
pub fn extract(step: &Extract) -> String {
    script(include_str!("extract.js"), &written(&step.fields))
}

/// The fields in the form that `extract.js` reads: pairs, because a key `__proto__` of a literal is no property.
fn written(fields: &BTreeMap<String, Field>) -> Value {
    fields.iter().map(|(name, field)| json!([name, field_written(field)])).collect()
}

fn field_written(field: &Field) -> Value {
    match field {
        Field::One { selector, take } => json!({ "selector": selector, "take": take_written(take) }),
        Field::All { selector, take } => {
            json!({ "selector": selector, "take": take_written(take), "each": true })
        }
        Field::Records { selector, fields } => json!({ "selector": selector, "fields": written(fields) }),
    }
}

fn take_written(take: &Take) -> Value {
    match take {
        Take::Text => json!("text"),
        Take::Html => json!("html"),
        Take::Attribute(name) => json!({ "attribute": name }),
    }
}
