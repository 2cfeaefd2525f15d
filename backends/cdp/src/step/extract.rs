//! `extract`: every field in one call, whatever their number.

use std::collections::BTreeMap;

use plimsoll_core::outcome::Fault;
use plimsoll_core::step::{Extract, Field, Take};
use serde_json::{Map, Value, json};

use super::probe;
use crate::budget::Budget;
use crate::page::Page;

/// Reads the step's fields.
pub(super) async fn extract(
    page: &Page,
    step: &Extract,
    budget: Budget,
) -> Result<Map<String, Value>, Fault> {
    let script = probe::script("", include_str!("extract.js"), &written(&step.fields))?;
    probe::once(page, &script, budget).await
}

/// Fields as `extract.js` reads them.
fn written(fields: &BTreeMap<String, Field>) -> Value {
    fields.iter().map(|(name, field)| (name.clone(), field_written(field))).collect::<Map<_, _>>().into()
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
