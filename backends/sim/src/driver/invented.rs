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

/// The invented result of `extract`.
pub(super) fn fields(seed: u64, url: &str, fields: &BTreeMap<String, Field>) -> Map<String, Value> {
    fields.iter().map(|(name, field)| (name.clone(), value(seed, url, field))).collect()
}

fn value(seed: u64, url: &str, field: &Field) -> Value {
    let entries = |selector: &str| {
        let count = Chance::of(seed, &[5, key(url), key(selector)]).count(1, 6);
        (1..=count).map(|n| format!("{url}#{n}")).collect::<Vec<_>>()
    };
    match field {
        Field::One { selector, take } => taken(seed, url, selector, take),
        Field::All { selector, take } => {
            entries(selector).iter().map(|entry| taken(seed, entry, selector, take)).collect()
        }
        Field::Records { selector, fields } => {
            entries(selector).iter().map(|entry| Value::Object(self::fields(seed, entry, fields))).collect()
        }
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
