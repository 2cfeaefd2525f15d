//! Reads a settings file: its values, and the place of each.
//!
//! A text that is no TOML, or a number that no setting can have, is a [`Mistake`] with line and column. All mistakes are
//! reported, not only the first.

use std::ops::Range;
use std::path::Path;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeFloat, DeInteger, DeTable, DeValue, Error};

use super::bounded;
use super::layer::Layer;
use super::mistake::{MOST_MISTAKES, Mistake};
use super::places::{Places, Position, line_and_column};
use super::source::Source;

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
    let mut reader = Reader::default();
    let mut root = Position::default();
    let values = reader.table(table, &mut root);
    let mistake = |(place, message): (usize, String)| Mistake::at(at(place), &message);
    let mistakes = reader.mistakes.into_iter().map(mistake).collect();
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

/// Turns TOML into plain data.
#[derive(Default)]
struct Reader {
    /// The key that is being read.
    path: Vec<String>,
    /// Where, and what.
    mistakes: Vec<(usize, String)>,
}

impl Reader {
    fn table(&mut self, table: DeTable<'_>, position: &mut Position) -> Value {
        let mut entries = Map::new();
        for (key, value) in table {
            let (name, key) = (key.get_ref().to_string(), key.span().start);
            let mut inside = Position { key, ..Position::default() };
            self.path.push(name.clone());
            if let Some(value) = self.value(value, &mut inside) {
                entries.insert(name.clone(), value);
            }
            self.path.pop();
            position.keys.insert(name, inside);
        }
        Value::Object(entries)
    }

    fn value(&mut self, value: Spanned<DeValue<'_>>, position: &mut Position) -> Option<Value> {
        let span = value.span();
        position.value = span.start;
        match value.into_inner() {
            DeValue::String(text) => Some(Value::String(text.into_owned())),
            DeValue::Boolean(flag) => Some(Value::Bool(flag)),
            DeValue::Datetime(when) => Some(Value::String(when.to_string())),
            DeValue::Integer(number) => self.integer(&number, span),
            DeValue::Float(number) => self.float(&number, span),
            DeValue::Table(table) => Some(self.table(table, position)),
            DeValue::Array(items) => {
                let mut list = Vec::new();
                for item in items {
                    let start = item.span().start;
                    let mut inside = Position { key: start, ..Position::default() };
                    list.extend(self.value(item, &mut inside));
                    position.items.push(inside);
                }
                Some(Value::Array(list))
            }
        }
    }

    fn integer(&mut self, number: &DeInteger<'_>, span: Range<usize>) -> Option<Value> {
        let (digits, radix) = (number.as_str(), number.radix());
        let negative = || i64::from_str_radix(digits, radix).ok().map(Value::from);
        let read = u64::from_str_radix(digits, radix).ok().map(Value::from).or_else(negative);
        if read.is_none() {
            let key = self.path.join(".");
            self.mistakes
                .push((span.start, format!("{key}: {number} is too large a number for any setting")));
        }
        read
    }

    fn float(&mut self, number: &DeFloat<'_>, span: Range<usize>) -> Option<Value> {
        // JSON has no infinity and no NaN, and no setting can have such a value.
        let read = number.as_str().parse::<f64>().ok().and_then(serde_json::Number::from_f64);
        if read.is_none() {
            let key = self.path.join(".");
            self.mistakes.push((span.start, format!("{key}: {number} is no number that a setting can be")));
        }
        read.map(Value::Number)
    }
}
