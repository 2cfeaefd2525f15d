//! Redacts values that may contain a secret: the user in a URL, and tables whose keys are not known here.

use std::fmt;

use plimsoll_core::shown::{REDACTED, is_secret_name, without_users};
use schemars::JsonSchema;
use serde::de::{Deserialize, Deserializer, Error};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use url::Url;

/// For `#[serde(serialize_with = "...")]`: texts without the users of URLs in them.
pub(super) fn texts<S: Serializer>(texts: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(texts.iter().map(|text| without_users(text)))
}

/// `value` without what its keys or its URLs say is secret.
fn table(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(without_users(text).into_owned()),
        Value::Array(items) => items.iter().map(table).collect(),
        Value::Object(entries) => Value::Object(entries.iter().map(entry).collect()),
        plain => plain.clone(),
    }
}

fn entry((key, value): (&String, &Value)) -> (String, Value) {
    let shown = if is_secret_name(key) { Value::from(REDACTED) } else { table(value) };
    (key.clone(), shown)
}

/// A table that is handed on as it is. Shown, it lacks the values of keys that are named like secrets.
#[derive(Clone, PartialEq, Default, JsonSchema)]
#[schemars(inline)]
pub struct FreeTable(pub Map<String, Value>);

impl fmt::Debug for FreeTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(entry)).finish()
    }
}

impl Serialize for FreeTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(entry))
    }
}

impl<'de> Deserialize<'de> for FreeTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fn has_null(value: &Value) -> bool {
            match value {
                Value::Null => true,
                Value::Array(items) => items.iter().any(has_null),
                Value::Object(entries) => entries.values().any(has_null),
                _ => false,
            }
        }
        let entries = Map::deserialize(deserializer)?;
        if entries.values().any(has_null) {
            return Err(D::Error::custom("null is no value of a setting; leave the key out instead"));
        }
        Ok(Self(entries))
    }
}

/// An HTTP address. Shown, it lacks its user and password.
#[derive(Clone, PartialEq, Eq, JsonSchema)]
#[schemars(inline, extend("format" = "uri", "pattern" = "^http://"))]
pub struct Address(#[schemars(with = "String")] Url);

impl Address {
    /// The address itself, user and password included.
    #[must_use]
    pub const fn expose(&self) -> &Url {
        &self.0
    }

    /// Whether it names a user or a password.
    #[must_use]
    pub fn has_user(&self) -> bool {
        !self.0.username().is_empty() || self.0.password().is_some()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_users(self.0.as_str()))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // None of these messages repeats the text: it may hold a password.
        let text = String::deserialize(deserializer)?;
        let url = Url::parse(&text)
            .map_err(|why| D::Error::custom(format!("no URL ({why}); write it as \"http://host:4444\"")))?;
        if url.scheme() == "https" {
            let why =
                "a remote end behind TLS needs a forwarder on this machine; write that one's http address";
            return Err(D::Error::custom(why));
        }
        if url.scheme() != "http" || !url.has_host() {
            return Err(D::Error::custom("no address of a server; write it as \"http://host:4444\""));
        }
        if url.as_str().contains(REDACTED) {
            return Err(D::Error::custom(format!("`{REDACTED}` is the mark that stands for a secret")));
        }
        Ok(Self(url))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tables_are_shown_without_what_is_named_like_a_secret() {
        let table = FreeTable(
            json!({"Api-Key": "canary", "deep": [{"AUTHORIZATION": ["canary"]}], "url": "x://canary@h", "n": 1})
                .as_object()
                .cloned()
                .expect("a map"),
        );
        let shown = format!("{table:?} {}", json!(table));
        assert!(!shown.contains("canary") && shown.contains("\"n\":1"), "{shown}");
    }
}
