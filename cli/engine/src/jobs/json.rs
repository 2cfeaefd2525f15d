//! Jobs in JSON: one job on each line, or several jobs in a document.
//!
//! A job is decoded directly into its keys. When that fails, it is decoded once more by a slower way, whose error names
//! the place and the key that was probably meant.

use plimsoll_core::job::JobKeys;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::{Fault, Place};
use super::text_place::LineStarts;
use crate::decode;

/// The keys of the job that `text` is. `start` is the place of its first character.
pub(super) fn keys(text: &str, start: Place) -> Result<JobKeys, Fault> {
    serde_json::from_str(text).map_err(|error| {
        let value = match value(text, start) {
            Ok(value) => value,
            Err(fault) => return fault,
        };
        let place = place(text, start, &error);
        match decode::from_value::<JobKeys>(&value) {
            Err(better) => Fault::new(place, better.without_secrets()),
            // A repeated key, which the slower way does not see, because a map of values has each key once.
            Ok(_) => Fault::new(place, reason(&error)),
        }
    })
}

/// The value that `text` is: a map.
pub(super) fn value(text: &str, start: Place) -> Result<Value, Fault> {
    let value = serde_json::from_str(text).map_err(|error| {
        let place = place(text, start, &error);
        if error.is_eof() && start.column.is_none() {
            let why = reason(&error);
            return Fault::new(
                place,
                format_args!("{why}; in .jsonl a job is one whole line, in .json it may have many"),
            );
        }
        Fault::new(place, format_args!("no valid JSON: {}", reason(&error)))
    })?;
    match value {
        Value::Object(_) => Ok(value),
        _ => Err(Fault::new(start, "a job is a map, such as {\"url\": \"http://example.com/\"}")),
    }
}

/// The parser's message without its place.
fn reason(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    said.strip_suffix(&place).unwrap_or(&said).to_owned()
}

/// The place of `error` in the file; the parser counts bytes from the beginning of `text`.
fn place(text: &str, start: Place, error: &serde_json::Error) -> Place {
    let Some(down) = error.line().checked_sub(1) else { return start };
    let line = text.split('\n').nth(down).unwrap_or_default().as_bytes();
    let upto = &line[..error.column().min(line.len())];
    let column = (String::from_utf8_lossy(upto).chars().count() as u64).max(1);
    let offset = if down == 0 { start.column.unwrap_or(1) - 1 } else { 0 };
    Place { line: start.line + down as u64, column: Some(offset + column), ..start }
}

/// A document with jobs: a list of them, a map with a list named `jobs`, or one job.
#[derive(Debug)]
pub(super) struct Document {
    text: String,
    /// The place and the bytes of each job.
    jobs: Vec<(Place, std::ops::Range<usize>)>,
}

impl Document {
    pub(super) fn parse(text: String) -> Result<Self, Fault> {
        #[derive(Deserialize)]
        struct Wrapped<'a> {
            #[serde(borrow)]
            jobs: Vec<&'a RawValue>,
        }

        let start = Place { column: Some(1), ..Place::line(1) };
        let syntax = |error: serde_json::Error| {
            Fault::new(place(&text, start, &error), format_args!("no valid JSON: {}", reason(&error)))
        };
        let whole: &RawValue = serde_json::from_str(&text).map_err(syntax)?;
        let raws = if whole.get().starts_with('[') {
            serde_json::from_str(&text).map_err(syntax)?
        } else {
            match serde_json::from_str::<std::collections::BTreeMap<String, &RawValue>>(&text) {
                Ok(map) if map.contains_key("jobs") => {
                    if let Some(other) = map.keys().find(|key| *key != "jobs") {
                        return Err(Fault::new(start, format_args!("unknown key `{other}` beside `jobs`")));
                    }
                    let wrapped: Wrapped<'_> = serde_json::from_str(&text).map_err(|error| {
                        Fault::new(place(&text, start, &error), "`jobs` must be a list of jobs")
                    })?;
                    wrapped.jobs
                }
                _ => vec![whole],
            }
        };
        let starts = LineStarts::new(&text);
        let span = |raw: &RawValue| {
            let offset = raw.get().as_ptr() as usize - text.as_ptr() as usize;
            (starts.place(&text, offset), offset..offset + raw.get().len())
        };
        let jobs = raws.into_iter().map(span).collect();
        Ok(Self { jobs, text })
    }

    pub(super) fn get(&self, index: usize) -> Option<(Place, &str)> {
        self.jobs.get(index).map(|(place, bytes)| (*place, &self.text[bytes.clone()]))
    }
}
