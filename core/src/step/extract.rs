//! Steps that read values from a page.

use std::collections::BTreeMap;

use serde::de::Deserializer;
use serde::{Deserialize, Serialize};

use crate::shorthand::{self, Shorthand};

/// Named fields to read: `{"title": "h1", "rows": {"all": "tr td:first-child"}}`.
///
/// A field whose element is missing becomes `null` (a list becomes `[]`), because pages differ and a missing price is
/// also a result. Use `expect` to require an element.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Extract {
    /// The fields to read, by their names in the job's data.
    pub fields: BTreeMap<String, Field>,
}

/// One field: the elements to read and the value to take from each.
///
/// * `"h1"`: the text of the first match;
/// * `{"text": "h1"}`, `{"html": "h1"}`: its text or its inner HTML;
/// * `{"selector": "a.next", "attribute": "href"}`: an attribute (`href` and `src` are made absolute);
/// * `{"all": "li"}`: a list with one entry per match; `"attribute"` or `"take": "html"` applies to each;
/// * `{"all": ".card", "fields": {...}}`: a list of records; the fields are looked up inside each match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "FieldKeys")]
pub enum Field {
    /// The first match.
    One {
        /// CSS selector.
        selector: String,
        /// The value to take.
        take: Take,
    },
    /// Every match.
    All {
        /// CSS selector.
        selector: String,
        /// The value to take from each match.
        take: Take,
    },
    /// Every match as a record whose fields are looked up inside the match.
    Records {
        /// CSS selector of the records.
        selector: String,
        /// The fields of each record.
        fields: BTreeMap<String, Self>,
    },
}

/// The value to take from an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Take {
    /// The element's text as rendered (`innerText`), trimmed.
    Text,
    /// The element's inner HTML.
    Html,
    /// The value of an attribute; `href` and `src` are made absolute URLs.
    Attribute(String),
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        shorthand::deserialize::<Long, D>(deserializer).map(|Long(field)| field)
    }
}

/// A field that is read through its short form. The newtype keeps [`Field`]'s own `Deserialize` out of the recursion.
#[derive(Deserialize)]
#[serde(try_from = "FieldKeys")]
struct Long(Field);

impl Shorthand for Long {
    const EXPECTING: &'static str =
        "a CSS selector, or a map with `text`, `html`, `selector` + `attribute`, or `all`";

    fn from_short(text: &str) -> Result<Self, String> {
        Ok(Self(Field::One { selector: text.to_owned(), take: Take::Text }))
    }
}

impl TryFrom<FieldKeys> for Long {
    type Error = &'static str;

    fn try_from(keys: FieldKeys) -> Result<Self, Self::Error> {
        keys.into_field().map(Self)
    }
}

/// The keys of a field in the job file.
#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct FieldKeys {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    selector: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    all: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attribute: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    take: Option<TakeName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fields: Option<BTreeMap<String, Field>>,
}

/// The values of `take`.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum TakeName {
    Text,
    Html,
}

impl FieldKeys {
    fn into_field(self) -> Result<Field, &'static str> {
        let Self { text, html, selector, all, attribute, take, fields } = self;
        let take = match (attribute, take) {
            (Some(_), Some(_)) => return Err("a field has `attribute` or `take`, not both"),
            (Some(name), None) => Some(Take::Attribute(name)),
            (None, Some(TakeName::Html)) => Some(Take::Html),
            (None, Some(TakeName::Text)) => Some(Take::Text),
            (None, None) => None,
        };
        match (text, html, selector, all, fields, take) {
            (Some(selector), None, None, None, None, None) => Ok(Field::One { selector, take: Take::Text }),
            (None, Some(selector), None, None, None, None) => Ok(Field::One { selector, take: Take::Html }),
            (None, None, Some(selector), None, None, take) => {
                Ok(Field::One { selector, take: take.unwrap_or(Take::Text) })
            }
            (None, None, None, Some(selector), None, take) => {
                Ok(Field::All { selector, take: take.unwrap_or(Take::Text) })
            }
            (None, None, None, Some(selector), Some(fields), None) => Ok(Field::Records { selector, fields }),
            _ => {
                Err("a field has exactly one of `text`, `html`, `selector`, `all`; `fields` goes with `all`")
            }
        }
    }
}

impl From<Field> for FieldKeys {
    fn from(field: Field) -> Self {
        let taking = |take| match take {
            Take::Text => (None, None),
            Take::Html => (None, Some(TakeName::Html)),
            Take::Attribute(name) => (Some(name), None),
        };
        match field {
            Field::One { selector, take } => {
                let (attribute, take) = taking(take);
                Self { selector: Some(selector), attribute, take, ..Self::default() }
            }
            Field::All { selector, take } => {
                let (attribute, take) = taking(take);
                Self { all: Some(selector), attribute, take, ..Self::default() }
            }
            Field::Records { selector, fields } => {
                Self { all: Some(selector), fields: Some(fields), ..Self::default() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(json: &str) -> Result<Field, String> {
        serde_json::from_str(json).map_err(|e| e.to_string())
    }

    #[test]
    fn every_documented_form_is_understood() {
        let one = |take| Field::One { selector: "a".into(), take };
        assert_eq!(field(r#""a""#), Ok(one(Take::Text)));
        assert_eq!(field(r#"{"text":"a"}"#), Ok(one(Take::Text)));
        assert_eq!(field(r#"{"html":"a"}"#), Ok(one(Take::Html)));
        assert_eq!(field(r#"{"selector":"a","attribute":"href"}"#), Ok(one(Take::Attribute("href".into()))));
        assert_eq!(field(r#"{"all":"a"}"#), Ok(Field::All { selector: "a".into(), take: Take::Text }));
        let records =
            field(r#"{"all":".card","fields":{"name":"h2","links":{"all":"a","attribute":"href"}}}"#);
        assert!(matches!(records, Ok(Field::Records { fields, .. }) if fields.len() == 2));
    }

    #[test]
    fn a_mixture_is_refused_with_the_rule() {
        for mixture in
            [r#"{"text":"a","html":"b"}"#, r#"{}"#, r#"{"selector":"a","fields":{}}"#, r#"{"attribute":"x"}"#]
        {
            assert!(field(mixture).is_err_and(|e| e.contains("exactly one of")), "{mixture}");
        }
    }
}
