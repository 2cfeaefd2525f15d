//! [`Layer`]: the values that one source gives, and where in a file they stand.

use figment::value::{Dict, Map};
use figment::{Metadata, Profile, Provider};
use serde_json::Value;

use super::places::{KeyOrValue, Places};
use super::source::Source;
use crate::decode::Segment;

/// The values that one source gives.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) source: Source,
    pub(super) values: Value,
    /// Where in the file the values stand; `None` for other sources.
    pub(super) places: Option<Places>,
}

impl Layer {
    pub(super) fn new(source: Source, values: Value) -> Self {
        Self { source, values, places: None }
    }

    /// A layer with one value, at a dotted key.
    pub(super) fn single(source: Source, key: &str, value: Value) -> Self {
        let around = |value, part: &str| Value::Object([(part.to_owned(), value)].into_iter().collect());
        Self::new(source, key.rsplit('.').fold(value, around))
    }

    /// The value that it gives to the key at `path`.
    pub(super) fn value<'p>(&self, path: impl IntoIterator<Item = &'p Segment>) -> Option<&Value> {
        path.into_iter().try_fold(&self.values, |value, segment| match segment {
            Segment::Key(key) => value.get(key),
            Segment::Index(index) => value.get(index),
        })
    }

    /// The line and column of that value, in a file.
    pub(super) fn position(&self, path: &[Segment], part: KeyOrValue) -> Option<(usize, usize)> {
        self.places.as_ref().and_then(|places| places.of(path, part))
    }

    /// Where it gives that value: the file with line and column, or the layer.
    pub(super) fn place(&self, path: &[Segment], part: KeyOrValue) -> String {
        let at = self.position(path, part);
        at.map_or_else(
            || self.source.to_string(),
            |(line, column)| format!("{}:{line}:{column}", self.source),
        )
    }
}

/// A layer and its number, as figment wants it. Figment merges layers and remembers which one each value came from.
pub(super) struct Numbered<'l>(pub(super) usize, pub(super) &'l Layer);

impl Provider for Numbered<'_> {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.1.source.to_string()).source(figment::Source::Custom(self.0.to_string()))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        figment::providers::Serialized::defaults(&self.1.values).data()
    }
}
