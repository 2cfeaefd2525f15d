//! [`Places`]: the line and column at which each entry of a settings file stands.

use crate::decode::Segment;
use crate::toml_values::Position;

/// Editors on some systems begin a file with it.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Which part of an entry a mistake is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyOrValue {
    /// The key.
    Key,
    /// The value.
    Value,
}

/// Where the entries of a file stand.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) text: String,
    pub(super) root: Position,
}

impl Places {
    /// The line and column, from 1, of the entry at `path`, or of the innermost one around it.
    pub(super) fn of(&self, path: &[Segment], part: KeyOrValue) -> Option<(usize, usize)> {
        let (spot, depth) = self.root.at(path);
        let at = if part == KeyOrValue::Key { spot.key } else { spot.value };
        (depth > 0).then(|| line_and_column(&self.text, at))
    }
}

/// The line and column, from 1, of the byte `at` in `text`.
pub(super) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at.min(text.len())).unwrap_or(text).trim_start_matches(BYTE_ORDER_MARK);
    let line = before.matches('\n').count() + 1;
    (line, before.rsplit('\n').next().unwrap_or_default().chars().count() + 1)
}
