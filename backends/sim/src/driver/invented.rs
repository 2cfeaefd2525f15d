//! Invented values in place of a page's values: recognizable as invented, and equal for equal questions.

use std::collections::BTreeMap;

use plimsoll_core::step::{Field, Take};
use serde_json::{Map, Value, json};

use crate::chance::Chance;
use crate::digest::Digest;

/// A number for a text.
pub(super) fn key(text: &str) -> u64 {
    let mut digest = Digest::default();
    digest.add(&text);
    digest.value()
}

/// The invented text of `what` on this page.
pub(super) fn text(seed: u64, url: &str, what: &str) -> String {
    let number = Chance::of(seed, &[4, key(url), key(what)]).number() % 10_000;
    format!("simulated {number:04} for {what}")
}

/// A page's HTML.
pub(super) fn page(seed: u64, url: &str) -> String {
    let title = text(seed, url, "title");
    format!("<!DOCTYPE html>\n<html><head><title>{title}</title></head><body></body></html>")
}

/// The most values of one `extract`. Lists inside lists inside lists would otherwise have no bound: the values after these
/// are null, and lists are empty.
const LARGEST: u32 = 100_000;

/// The invented result of `extract`.
pub(super) fn fields(seed: u64, url: &str, fields: &BTreeMap<String, Field>) -> Map<String, Value> {
    Inventor { seed, left: LARGEST }.fields(url, fields)
}

/// Invents the values of one `extract`.
struct Inventor {
    seed: u64,
    /// How many more values are invented.
    left: u32,
}

impl Inventor {
    fn fields(&mut self, url: &str, fields: &BTreeMap<String, Field>) -> Map<String, Value> {
        fields.iter().map(|(name, field)| (name.clone(), self.value(url, field))).collect()
    }

    fn value(&mut self, url: &str, field: &Field) -> Value {
        match field {
            Field::One { selector, take } => self.taken(url, selector, take),
            Field::All { selector, take } => {
                self.entries(url, selector).map(|entry| self.taken(&entry, selector, take)).collect()
            }
            Field::Records { selector, fields } => {
                let mut records = Vec::new();
                for entry in self.entries(url, selector) {
                    if self.spend().is_none() {
                        break;
                    }
                    records.push(Value::Object(self.fields(&entry, fields)));
                }
                Value::Array(records)
            }
        }
    }

    fn entries(&self, url: &str, selector: &str) -> impl Iterator<Item = String> + use<> {
        let count = Chance::of(self.seed, &[5, key(url), key(selector)]).count(1, 6);
        let url = url.to_owned();
        (1..=count).map(move |n| format!("{url}#{n}"))
    }

    fn taken(&mut self, url: &str, selector: &str, take: &Take) -> Value {
        self.spend().map_or(Value::Null, |()| taken(self.seed, url, selector, take))
    }

    /// Counts a value, if another one is allowed.
    fn spend(&mut self) -> Option<()> {
        self.left = self.left.checked_sub(1)?;
        Some(())
    }
}

fn taken(seed: u64, url: &str, selector: &str, take: &Take) -> Value {
    let text = text(seed, url, selector);
    match take {
        Take::Text => json!(text),
        Take::Html => json!(format!("<i>{text}</i>")),
        Take::Attribute(name) if ["href", "src"].contains(&name.as_str()) => {
            json!(format!("https://simulated.invalid/{:x}", key(&text)))
        }
        Take::Attribute(name) => json!(format!("{name} {text}")),
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_core::step::Extract;

    use super::*;

    fn count(value: &Value) -> usize {
        match value {
            Value::Array(items) => items.iter().map(count).sum::<usize>() + 1,
            Value::Object(entries) => entries.values().map(count).sum::<usize>() + 1,
            _ => 1,
        }
    }

    #[test]
    fn lists_in_lists_have_a_bound_together() {
        let mut field = json!("b");
        for _ in 0..40 {
            field = json!({"all": "li", "fields": {"a": field, "b": "i"}});
        }
        let extract: Extract = serde_json::from_value(json!({"deep": field})).expect("it is allowed");
        let invented = Value::Object(fields(1, "http://a/", &extract.fields));
        let values = count(&invented);
        assert!((50_000..400_000).contains(&values), "{values}");
        assert_eq!(invented, Value::Object(fields(1, "http://a/", &extract.fields)));
    }
}
