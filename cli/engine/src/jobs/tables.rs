//! Jobs in TOML: `[[job]]` tables. Each value keeps its place, so that an error can name it.

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{Fault, Place};
use super::text_place::LineStarts;
use crate::decode::{DecodeError, Mistake, Segment, nearest};

/// The `[[job]]` tables of a document.
#[derive(Debug)]
pub(super) struct Tables(Vec<Table>);

/// One `[[job]]` table.
#[derive(Debug)]
pub(super) struct Table(Spot);

/// A value and its place.
#[derive(Debug)]
struct Spot {
    place: Place,
    what: What,
}

#[derive(Debug)]
enum What {
    Leaf(Value),
    List(Vec<Spot>),
    /// A table: each key with its place and its value.
    Map(Vec<(String, Place, Spot)>),
}

impl Tables {
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let starts = LineStarts::new(text);
        let document = DeTable::parse(text).map_err(|why| {
            let place = starts.place(text, why.span().map_or(0, |span| span.start));
            Fault::new(place, format_args!("no valid TOML: {}", why.message().replace('\n', "; ")))
        })?;
        let place = |spot: std::ops::Range<usize>| starts.place(text, spot.start);
        let mut jobs = Vec::new();
        for (key, value) in document.get_ref() {
            if key.get_ref() != "job" {
                let meant =
                    nearest(key.get_ref(), ["job"]).map(|_| "; did you mean `job`?").unwrap_or_default();
                let why = format!("unknown key `{}`{meant} (jobs are [[job]] tables)", key.get_ref());
                return Err(Fault::new(place(key.span()), why));
            }
            let DeValue::Array(tables) = value.get_ref() else {
                return Err(Fault::new(
                    place(key.span()),
                    "write [[job]], in two pairs of brackets; there may be many",
                ));
            };
            for table in tables.iter() {
                if !table.get_ref().is_table() {
                    return Err(Fault::new(place(table.span()), "`job` must be [[job]] tables"));
                }
                jobs.push(Table(Spot::new(table, &place)?));
            }
        }
        Ok(Self(jobs))
    }

    pub(super) fn get(&self, index: usize) -> Option<&Table> {
        self.0.get(index)
    }
}

impl Table {
    /// The place where it begins.
    pub(super) const fn place(&self) -> Place {
        self.0.place
    }

    pub(super) fn value(&self) -> Value {
        self.0.value()
    }

    /// The place of the mistake that decoding found.
    pub(super) fn place_of(&self, error: &DecodeError) -> Place {
        let mut spot = &self.0;
        for segment in error.path() {
            let inside = match (segment, &spot.what) {
                (Segment::Key(key), What::Map(entries)) => {
                    entries.iter().find(|(name, ..)| name == key).map(|(.., spot)| spot)
                }
                (Segment::Index(index), What::List(items)) => items.get(*index),
                _ => None,
            };
            let Some(inside) = inside else { break };
            spot = inside;
        }
        let key = match (&error.mistake, &spot.what) {
            (
                Mistake::UnknownKey { key: name, .. } | Mistake::UnknownName { name, .. },
                What::Map(entries),
            ) => entries.iter().find(|(key, ..)| key == name),
            _ => None,
        };
        key.map_or(spot.place, |(_, place, _)| *place)
    }
}

impl Spot {
    fn new(
        value: &Spanned<DeValue<'_>>,
        place: &impl Fn(std::ops::Range<usize>) -> Place,
    ) -> Result<Self, Fault> {
        let here = place(value.span());
        let number = |number: Option<serde_json::Number>| {
            number
                .map(|number| What::Leaf(Value::Number(number)))
                .ok_or_else(|| Fault::new(here, "no number that a job can have"))
        };
        let what = match value.get_ref() {
            DeValue::String(text) => What::Leaf(Value::String(text.as_ref().to_owned())),
            DeValue::Boolean(flag) => What::Leaf(Value::Bool(*flag)),
            DeValue::Datetime(moment) => What::Leaf(Value::String(moment.to_string())),
            DeValue::Integer(digits) => {
                number(i64::from_str_radix(digits.as_str(), digits.radix()).ok().map(Into::into))?
            }
            DeValue::Float(digits) => {
                number(digits.as_str().parse().ok().and_then(serde_json::Number::from_f64))?
            }
            DeValue::Array(items) => {
                What::List(items.iter().map(|item| Self::new(item, place)).collect::<Result<_, _>>()?)
            }
            DeValue::Table(entries) => {
                let entry = |(key, value): (&Spanned<std::borrow::Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
                    Ok((key.get_ref().to_string(), place(key.span()), Self::new(value, place)?))
                };
                What::Map(entries.iter().map(entry).collect::<Result<_, _>>()?)
            }
        };
        Ok(Self { place: here, what })
    }

    fn value(&self) -> Value {
        match &self.what {
            What::Leaf(value) => value.clone(),
            What::List(items) => Value::Array(items.iter().map(Self::value).collect()),
            What::Map(entries) => {
                Value::Object(entries.iter().map(|(key, _, spot)| (key.clone(), spot.value())).collect())
            }
        }
    }
}
