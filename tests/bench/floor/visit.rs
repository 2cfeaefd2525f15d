//! The job of every client: the values that are read, and their expected contents.

use serde_json::{Map, Value, json};

/// A value's name, the selector by which Plimsoll reads it, and its content without spaces. The page's script makes
/// the second and the third: a client that reads too early gets other contents.
const VALUES: [(&str, &str, &str); 3] = [
    ("title", "title", "Howdeepmayshelie?"),
    ("count", "#count", "100entries"),
    ("first", "#entries tr", "1BellatrixCork8.7"),
];

/// The job with this number, as a line of a job file.
pub(crate) fn line(number: u32, url: &str) -> String {
    let extract: Map<String, Value> =
        VALUES.iter().map(|(name, selector, _)| ((*name).to_owned(), json!(selector))).collect();
    format!("{}\n", json!({ "id": number.to_string(), "url": url, "extract": extract }))
}

/// Each value's name and the expression that reads it, as Plimsoll reads it.
pub(crate) fn expressions() -> impl Iterator<Item = (&'static str, String)> {
    VALUES
        .iter()
        .map(|(name, selector, _)| (*name, format!("document.querySelector('{selector}').innerText")))
}

/// Whether the values are those of the page.
pub(crate) fn is_right(data: &Value) -> bool {
    VALUES.iter().all(|(name, _, expected)| {
        let found = data[name].as_str().unwrap_or_default();
        found.chars().filter(|c| !c.is_whitespace()).eq(expected.chars())
    })
}
