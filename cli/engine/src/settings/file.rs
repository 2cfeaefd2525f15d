//! Reads a settings file: its values, and the place of each.
//!
//! A text that is no TOML, or a number that no setting can have, is a [`Mistake`] with line and column. All mistakes are
//! reported, not only the first.

use std::path::Path;

use toml::de::{DeTable, Error};

use super::bounded;
use super::layer::Layer;
use super::mistake::{MOST_MISTAKES, Mistake};
use super::places::{Places, line_and_column};
use super::source::Source;
use crate::toml_values::{self, NoNumber};

/// The largest settings file that is read, in bytes.
const LONGEST: usize = 256 << 10;
/// The largest file of which every syntax error is reported: a larger file may have a million of them.
const SMALL: usize = 64 << 10;

/// Reads the settings file at `path`.
///
/// # Errors
/// With the mistakes that leave nothing of it to go on with.
pub(super) fn read(path: &Path) -> Result<(Layer, Vec<Mistake>), Vec<Mistake>> {
    let shown = path.display();
    let whole = |message: String| vec![Mistake::at(None, &message)];
    let bytes =
        bounded::read(path, LONGEST).map_err(|why| whole(format!("the settings file {shown} {why}")))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&error.as_bytes()[..good]).into_owned();
        let (line, column) = line_and_column(&before, good);
        let place = format!("{shown}:{line}:{column}");
        vec![Mistake::at(place, "no UTF-8 text; save the file as UTF-8")]
    })?;
    let at = |at: usize| {
        let (line, column) = line_and_column(&text, at);
        Some(format!("{shown}:{line}:{column}"))
    };
    let table = parse(&text).map_err(|errors| {
        let start = |error: &Error| error.span().map_or(0, |span| span.start);
        let mistake = |error: Error| Mistake::at(at(start(&error)), error.message());
        errors.into_iter().take(MOST_MISTAKES).map(mistake).collect::<Vec<_>>()
    })?;
    let (values, root, left_out) = toml_values::read(table);
    let mistake = |NoNumber { at: place, key, why }: NoNumber| {
        Mistake::at(at(place), &format!("{key}: {why}; no setting can have it"))
    };
    let mistakes = left_out.into_iter().map(mistake).collect();
    let places = Some(Places { text: text.clone(), root });
    Ok((Layer { source: Source::File(path.to_owned()), values, places }, mistakes))
}

fn parse(text: &str) -> Result<DeTable<'_>, Vec<Error>> {
    let first = match DeTable::parse(text) {
        Ok(table) => return Ok(table.into_inner()),
        Err(error) => error,
    };
    if text.len() > SMALL {
        return Err(vec![first]);
    }
    let (_, errors) = DeTable::parse_recoverable(text);
    Err(if errors.is_empty() { vec![first] } else { errors })
}
