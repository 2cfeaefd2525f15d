//! One layer of settings: where it comes from, and its values.

use std::fmt;
use std::path::PathBuf;

use figment::value::{Dict, Map};
use figment::{Metadata, Profile, Provider};
use serde_json::Value;

/// Where a layer of settings comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Built in.
    Default,
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// `--set KEY=VALUE`.
    Set(String),
    /// A flag of its own, such as `--concurrency`.
    Flag(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment(name) => write!(f, "the environment variable {name}"),
            Self::Set(text) => write!(f, "--set {text}"),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// A layer, as figment wants it. Figment merges layers and remembers which one each value came from.
pub(super) struct Layer {
    pub(super) source: Source,
    pub(super) values: Value,
}

impl Layer {
    /// A layer with one value, at a dotted key.
    pub(super) fn single(source: Source, key: &str, value: Value) -> Self {
        let values = key
            .rsplit('.')
            .fold(value, |value, part| Value::Object([(part.to_owned(), value)].into_iter().collect()));
        Self { source, values }
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.source.to_string())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        figment::providers::Serialized::defaults(&self.values).data()
    }
}
