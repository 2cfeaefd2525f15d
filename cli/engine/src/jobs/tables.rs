//! Jobs in TOML: `[[job]]` tables. Each value keeps its position, so that an error can name its place.

use serde_json::Value;
use toml::de::DeTable;

use super::error::{Fault, Place};
use super::text_place::LineStarts;
use crate::decode::{DecodeError, Mistake, Segment, nearest};
use crate::toml_values::{self, Position};

/// The `[[job]]` tables of a document.
#[derive(Debug)]
pub(super) struct Tables {
    text: String,
    starts: LineStarts,
    jobs: Vec<Value>,
    positions: Position,
}

/// One `[[job]]` table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'t> {
    tables: &'t Tables,
    value: &'t Value,
    position: &'t Position,
}

impl Tables {
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let starts = LineStarts::new(text);
        let place = |at| starts.place(text, at);
        let document = DeTable::parse(text).map_err(|why| {
            let place = place(why.span().map_or(0, |span| span.start));
            Fault::new(place, format_args!("no valid TOML: {}", why.message().replace('\n', "; ")))
        })?;
        let (mut values, positions, left_out) = toml_values::read(document.into_inner());
        for (key, inside) in &positions.keys {
            if key != "job" {
                let meant = nearest(key, ["job"]).map(|_| "; did you mean `job`?").unwrap_or_default();
                let why = format!("unknown key `{key}`{meant} (jobs are [[job]] tables)");
                return Err(Fault::new(place(inside.key), why));
            }
        }
        if let Some(number) = left_out.first() {
            return Err(Fault::new(place(number.at), "no number that a job can have"));
        }
        let jobs = match values.get_mut("job").map(Value::take) {
            None => Vec::new(),
            Some(Value::Array(jobs)) => jobs,
            Some(_) => {
                let why = "write [[job]], in two pairs of brackets; there may be many";
                return Err(Fault::new(place(positions.at(&[job_key()]).0.key), why));
            }
        };
        if let Some(index) = jobs.iter().position(|job| !job.is_object()) {
            let at = positions.at(&[job_key(), Segment::Index(index)]).0.value;
            return Err(Fault::new(place(at), "`job` must be [[job]] tables"));
        }
        Ok(Self { text: text.to_owned(), starts, jobs, positions })
    }

    pub(super) fn get(&self, index: usize) -> Option<Table<'_>> {
        let (position, _) = self.positions.at(&[job_key(), Segment::Index(index)]);
        Some(Table { tables: self, value: self.jobs.get(index)?, position })
    }
}

fn job_key() -> Segment {
    Segment::Key("job".to_owned())
}

impl Table<'_> {
    /// The place where it begins.
    pub(super) fn place(&self) -> Place {
        self.at(self.position.value)
    }

    pub(super) fn value(&self) -> Value {
        self.value.clone()
    }

    /// The place of the value with the error, or of the key with the error.
    pub(super) fn place_of(&self, error: &DecodeError) -> Place {
        let (spot, _) = self.position.at(error.path());
        let key = match &error.mistake {
            Mistake::UnknownKey { key: name, .. } | Mistake::UnknownName { name, .. } => spot.keys.get(name),
            _ => None,
        };
        self.at(key.map_or(spot.value, |inside| inside.key))
    }

    fn at(&self, offset: usize) -> Place {
        self.tables.starts.place(&self.tables.text, offset)
    }
}
