//! The layers joined: what each key's value is, and who set it.

use std::fmt;
use std::path::{Path, PathBuf};

use figment::Figment;
use serde_json::Value;

use super::Settings;
use super::source::{Layer, Source};
use crate::args::SettingsArgs;
use crate::decode::{self, DecodeError, Mistake as Wrong, Segment};

/// The file that is read when none is named.
const USUAL_FILE: &str = "plimsoll.toml";
/// Environment variables of ours that are no settings: where the browser is, and what is logged.
const NOT_SETTINGS: [&str; 2] = ["PLIMSOLL_CHROMIUM", "PLIMSOLL_LOG"];
/// As many mistakes as a reader takes in.
const MOST_MISTAKES: usize = 20;

/// All layers of settings, merged.
#[derive(Debug)]
pub struct Layers {
    figment: Figment,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("the settings file {path} cannot be read: {source}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error("{path}:{line}:{column}: {message}")]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// A `--set` that is no `KEY=VALUE`.
    #[error("--set {0}: write it as KEY=VALUE, as in --set retry.attempts=5")]
    Set(String),
    /// Values that cannot be, all of them.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Mistakes(Vec<Mistake>),
}

/// One value that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong.
    pub message: String,
    /// Where it comes from, when that is known.
    pub origin: Option<String>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Some(origin) => write!(f, "{} (from {origin})", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// Which layer set a key, and to what.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// The value.
    pub value: Value,
    /// The layer.
    pub origin: String,
}

impl Layers {
    /// Reads every layer. `flags` are keys that have flags of their own, with the flag's name and value.
    ///
    /// # Errors
    /// When a layer cannot be read at all; wrong values are found by [`Layers::settings`].
    pub fn read(
        args: &SettingsArgs,
        environment: impl Iterator<Item = (String, String)>,
        flags: Vec<(&'static str, &'static str, Value)>,
    ) -> Result<Self, SettingsError> {
        let defaults = serde_json::to_value(Settings::default()).unwrap_or_default();
        let mut layers = Vec::new();
        let usual = Path::new(USUAL_FILE);
        if let Some(path) = args.config.as_deref().or_else(|| usual.exists().then_some(usual)) {
            layers.push(file(path)?);
        }
        for (name, text) in environment {
            if let Some(rest) = name.strip_prefix("PLIMSOLL_")
                && !NOT_SETTINGS.contains(&name.as_str())
            {
                let key = rest.to_ascii_lowercase().replace("__", ".");
                let value = typed(&defaults, &key, text);
                layers.push(Layer::single(Source::Environment(name), &key, value));
            }
        }
        for text in &args.set {
            let (key, value) = text.split_once('=').ok_or_else(|| SettingsError::Set(text.clone()))?;
            let key = key.trim();
            let value = typed(&defaults, key, value.trim().to_owned());
            layers.push(Layer::single(Source::Set(text.clone()), key, value));
        }
        layers.extend(
            flags.into_iter().map(|(flag, key, value)| Layer::single(Source::Flag(flag), key, value)),
        );
        let base = Figment::from(Layer { source: Source::Default, values: defaults });
        Ok(Self { figment: layers.into_iter().fold(base, Figment::merge) })
    }

    /// The settings.
    ///
    /// # Errors
    /// With every mistake at once, each with its origin.
    pub fn settings(&self) -> Result<Settings, SettingsError> {
        let mut values = self.values()?;
        let mut mistakes = Vec::new();
        // A mistake is cut out and the rest read again, until nothing is wrong with what is left.
        let settings = loop {
            match decode::from_value::<Settings>(&values) {
                Ok(settings) => break settings,
                Err(error) => {
                    let key = dotted_key(&error);
                    mistakes.push(Mistake { message: error.to_string(), origin: self.origin(&key) });
                    if !remove(&mut values, &key) || mistakes.len() == MOST_MISTAKES {
                        return Err(SettingsError::Mistakes(mistakes));
                    }
                }
            }
        };
        let problems = settings.problems().into_iter();
        mistakes.extend(
            problems.map(|(key, why)| Mistake { message: format!("{key} {why}"), origin: self.origin(key) }),
        );
        if mistakes.is_empty() { Ok(settings) } else { Err(SettingsError::Mistakes(mistakes)) }
    }

    /// Which layer set `key`, and to what; `None` when there is no such key.
    ///
    /// # Errors
    /// When the layers cannot be merged.
    pub fn explain(&self, key: &str) -> Result<Option<Explanation>, SettingsError> {
        let values = self.values()?;
        let found = key.split('.').try_fold(&values, |value, part| value.get(part));
        Ok(found.map(|value| Explanation {
            value: value.clone(),
            origin: self.origin(key).unwrap_or_else(|| Source::Default.to_string()),
        }))
    }

    fn values(&self) -> Result<Value, SettingsError> {
        self.figment.extract().map_err(|error| {
            let mistakes = error.into_iter().map(|error| Mistake {
                origin: error.metadata.as_ref().map(|metadata| metadata.name.to_string()),
                message: error.to_string(),
            });
            SettingsError::Mistakes(mistakes.collect())
        })
    }

    fn origin(&self, key: &str) -> Option<String> {
        self.figment.find_metadata(key).map(|metadata| metadata.name.to_string())
    }
}

fn file(path: &Path) -> Result<Layer, SettingsError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })?;
    let values: toml::Table = toml::from_str(&text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        let before = text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        SettingsError::Syntax { path: path.to_owned(), line, column, message: error.message().to_owned() }
    })?;
    let values = serde_json::to_value(values).unwrap_or_default();
    Ok(Layer { source: Source::File(path.to_owned()), values })
}

/// A text from the environment or the command line, as the type that the key's default has: texts stay texts even
/// when they look like numbers; lists may be written with commas.
fn typed(defaults: &Value, key: &str, text: String) -> Value {
    match key.split('.').try_fold(defaults, |value, part| value.get(part)) {
        Some(Value::String(_) | Value::Null) => Value::String(text),
        Some(Value::Array(_)) if !text.starts_with('[') => {
            text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(Value::from).collect()
        }
        _ => serde_json::from_str(&text).unwrap_or(Value::String(text)),
    }
}

/// The key that a decode error is about, as settings are named; of a list, the whole list.
fn dotted_key(error: &DecodeError) -> String {
    let outer = error.path().map_while(|segment| match segment {
        Segment::Key(key) => Some(key.as_str()),
        Segment::Index(_) => None,
    });
    let unknown = if let Wrong::UnknownKey { key, .. } = &error.mistake { Some(key.as_str()) } else { None };
    outer.chain(unknown).collect::<Vec<_>>().join(".")
}

/// Removes the value at a dotted key; says whether there was one.
fn remove(values: &mut Value, key: &str) -> bool {
    let (parents, last) = key.rsplit_once('.').map_or((None, key), |(parents, last)| (Some(parents), last));
    let parent =
        parents.into_iter().flat_map(|p| p.split('.')).try_fold(values, |value, part| value.get_mut(part));
    parent.and_then(Value::as_object_mut).is_some_and(|parent| parent.remove(last).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(toml: Option<&str>, environment: &[(&str, &str)], set: &[&str]) -> Layers {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let config = toml.map(|text| {
            let path = dir.path().join("test.toml");
            std::fs::write(&path, text).expect("a file in it");
            path
        });
        let args = SettingsArgs { config, set: set.iter().map(ToString::to_string).collect() };
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Layers::read(&args, environment, Vec::new()).expect("layers that can be read")
    }

    #[test]
    fn a_later_layer_wins_and_explain_names_it() {
        let layers = layers(
            Some("[limits]\nmax_contexts = 7\nmax_creating = 6\n[retry]\nbase = \"2s\""),
            &[("PLIMSOLL_LIMITS__MAX_CONTEXTS", "8"), ("PLIMSOLL_CHROMIUM", "/x"), ("HOME", "/")],
            &["limits.max_contexts=9", "driver.cdp.executable=12345"],
        );
        let settings = layers.settings().expect("good settings");
        assert_eq!((settings.limits.max_contexts, settings.limits.max_creating), (9, 6));
        assert_eq!(settings.retry.base.as_secs(), 2);
        assert_eq!(settings.driver.cdp.executable, Some("12345".into()), "a path may look like a number");
        let explained = |key| layers.explain(key).expect("merged").map(|e| e.origin);
        assert_eq!(explained("limits.max_contexts"), Some("--set limits.max_contexts=9".into()));
        assert_eq!(explained("retry.cap"), Some("the default".into()));
        assert!(explained("limits.max_creating").is_some_and(|origin| origin.ends_with("test.toml")));
        assert_eq!(explained("limits.nothing"), None);
    }

    #[test]
    fn every_mistake_is_reported_at_once_with_its_origin() {
        let layers = layers(
            Some("[limits]\nmax_contekst = 7\n[retry]\nclasses = [\"navigatoin\"]"),
            &[("PLIMSOLL_LIMITS__MAX_CREATING", "many"), ("PLIMSOLL_LIMITS_POLICY", "x")],
            &["retry.attempts=0"],
        );
        let Err(SettingsError::Mistakes(mistakes)) = layers.settings() else { panic!("mistakes were made") };
        let text = SettingsError::Mistakes(mistakes.clone()).to_string();
        for part in [
            "max_contekst",
            "did you mean `max_contexts`",
            "test.toml",
            "navigatoin",
            "PLIMSOLL_LIMITS__MAX_CREATING",
            "limits_policy",
            "retry.attempts is 0",
        ] {
            assert!(text.contains(part), "{part} is missing in:\n{text}");
        }
        assert_eq!(mistakes.len(), 5, "{text}");
    }

    #[test]
    fn broken_toml_is_reported_with_line_and_column() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("broken.toml");
        std::fs::write(&path, "[limits]\nmax_contexts = = 3\n").expect("a file in it");
        let args = SettingsArgs { config: Some(path), set: Vec::new() };
        let error = Layers::read(&args, std::iter::empty(), Vec::new()).expect_err("it is broken");
        assert!(matches!(error, SettingsError::Syntax { line: 2, column: 16, .. }), "{error}");
    }
}
