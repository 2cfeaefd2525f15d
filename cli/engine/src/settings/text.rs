//! Layers that are texts: the environment, and `--set`. Each has one key and one value.

use std::ffi::OsString;

use serde_json::Value;

use super::layer::Layer;
use super::mistake::Mistake;
use super::reference::{Key, Kind, key_tree};
use super::source::Source;

/// What the names of our environment variables begin with.
const PREFIX: &str = "PLIMSOLL_";
/// Environment variables of ours that are no settings: where the browser is, and what is logged.
const NOT_SETTINGS: [&str; 5] = [
    "PLIMSOLL_CHROMIUM",
    "PLIMSOLL_CHROMEDRIVER",
    "PLIMSOLL_GECKODRIVER",
    "PLIMSOLL_FIREFOX",
    "PLIMSOLL_LOG",
];
/// What the names of variables with secrets of jobs begin with.
const SECRETS: &str = "PLIMSOLL_SECRET_";
/// No key is longer, nor deeper.
const LONGEST_KEY: usize = 200;
const DEEPEST_KEY: usize = 12;

/// The layer of an environment variable, if it is one of ours.
pub(super) fn environment(name: OsString, value: OsString) -> Option<Result<Layer, Mistake>> {
    let shown = name.to_string_lossy().into_owned();
    if !shown.starts_with(PREFIX) || shown.starts_with(SECRETS) || NOT_SETTINGS.contains(&shown.as_str()) {
        return None;
    }
    let wrong = |message: &str| Some(Err(Mistake::at(format!("the environment variable {shown}"), message)));
    let (Ok(name), Ok(value)) = (name.into_string(), value.into_string()) else {
        return wrong("name and value must be UTF-8 text");
    };
    let key = name.trim_start_matches(PREFIX).to_ascii_lowercase().replace("__", ".");
    Some(single(Source::Environment(name), &key, &value))
}

/// The layer of a `--set KEY=VALUE`.
pub(super) fn set(text: &str) -> Result<Layer, Mistake> {
    let Some((key, value)) = text.split_once('=') else {
        // The text after the key may be a secret.
        let key: String =
            text.chars().take_while(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).collect();
        let message = "write it as KEY=VALUE, as in --set retry.attempts=5";
        return Err(Mistake::at(format!("--set {key}"), message));
    };
    let key = key.trim();
    single(Source::Set(key.to_owned()), key, value.trim())
}

fn single(source: Source, key: &str, text: &str) -> Result<Layer, Mistake> {
    if key.len() > LONGEST_KEY || key.split('.').count() > DEEPEST_KEY {
        let beginning: String = key.chars().take(30).collect();
        return Err(Mistake::at(None, &format!("there is no setting with the long name `{beginning}…`")));
    }
    let value = match key_tree().key(key.split('.')) {
        Some(known) if key.split('.').count() == known.name.split('.').count() => typed(known, text),
        // A table, or a key inside a table with free keys.
        _ => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
    };
    Ok(Layer::single(source, key, value))
}

/// The text as the type that the key has: texts stay texts even when they look like numbers; lists may be written with
/// commas; nothing unsets what may be unset.
fn typed(key: &Key, text: &str) -> Value {
    let json = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
    match &key.kind {
        _ if text.is_empty() && key.is_optional() => Value::Null,
        Kind::Text | Kind::Span | Kind::Size | Kind::OneOf(_) | Kind::Secret | Kind::Address => text.into(),
        Kind::ListOf(_) if !text.starts_with('[') => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.map(Value::from).collect()
        }
        _ => json(text),
    }
}
