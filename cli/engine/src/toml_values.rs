//! [`read`]: TOML as plain data, with the position of each key and value in its file.
//!
//! A number that JSON cannot express is left out and reported; the rest is read.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeFloat, DeInteger, DeTable, DeValue};

use crate::decode::Segment;

/// Where an entry stands, in bytes, and what is inside it.
#[derive(Debug, Default)]
pub(crate) struct Position {
    pub(crate) key: usize,
    pub(crate) value: usize,
    pub(crate) keys: BTreeMap<String, Self>,
    items: Vec<Self>,
}

impl Position {
    /// The position of the entry at `path`, or of the innermost entry around it; and how many segments led there.
    pub(crate) fn at<'p>(&self, path: impl IntoIterator<Item = &'p Segment>) -> (&Self, usize) {
        let (mut spot, mut depth) = (self, 0);
        for segment in path {
            let inside = match segment {
                Segment::Key(key) => spot.keys.get(key),
                Segment::Index(index) => spot.items.get(*index),
            };
            let Some(inside) = inside else { break };
            spot = inside;
            depth += 1;
        }
        (spot, depth)
    }
}

/// A number that was left out.
#[derive(Debug)]
pub(crate) struct NoNumber {
    /// Where it stands, in bytes.
    pub(crate) at: usize,
    /// Its key, dotted.
    pub(crate) key: String,
    /// The number as it is written, and what is wrong with it.
    pub(crate) why: String,
}

/// The values of a table, their positions, and the numbers that were left out.
pub(crate) fn read(table: DeTable<'_>) -> (Value, Position, Vec<NoNumber>) {
    let (mut reader, mut root) = (Reader::default(), Position::default());
    let values = reader.table(table, &mut root);
    (values, root, reader.left_out)
}

#[derive(Default)]
struct Reader {
    /// The key that is being read.
    path: Vec<String>,
    left_out: Vec<NoNumber>,
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
        self.number(read, span, || format!("{number} is too large a number"))
    }

    fn float(&mut self, number: &DeFloat<'_>, span: Range<usize>) -> Option<Value> {
        // JSON has no infinity and no NaN.
        let read = number.as_str().parse::<f64>().ok().and_then(Number::from_f64);
        self.number(read.map(Value::Number), span, || format!("{number} is no number"))
    }

    fn number(
        &mut self,
        read: Option<Value>,
        span: Range<usize>,
        why: impl FnOnce() -> String,
    ) -> Option<Value> {
        if read.is_none() {
            self.left_out.push(NoNumber { at: span.start, key: self.path.join("."), why: why() });
        }
        read
    }
}
