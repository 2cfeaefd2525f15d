//! [`Entries`]: the jobs of a source as they are written, one after the other, in every format.

use plimsoll_core::job::JobKeys;
use serde_json::{Value, json};

use super::error::{Fault, JobsError, Place, Problems};
use super::format::Format;
use super::json::{self, Document};
use super::lines::{self, Lines};
use super::source::{self, LARGEST_DOCUMENT, LARGEST_TOML, Opened};
use super::tables::{Table, Tables};
use super::template::{self, TemplateError};
use crate::decode::{self, DecodeError, Mistake};

/// The jobs of a source, from the first to the last.
#[derive(Debug)]
pub(super) enum Entries {
    Urls(Lines<std::fs::File>),
    JsonLines(Lines<std::fs::File>),
    Document { jobs: Document, next: usize },
    Tables { jobs: Tables, next: usize },
}

/// One job as it is written.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) place: Place,
    written: Written<'a>,
}

#[derive(Debug)]
enum Written<'a> {
    Url(&'a str),
    Json(&'a str),
    Table(Table<'a>),
}

impl Entries {
    pub(super) fn open(opened: Opened) -> Result<Self, JobsError> {
        let Opened { name, format, mut file, .. } = opened;
        let document = |file, limit| -> Result<Result<String, Fault>, JobsError> {
            let bytes = source::whole(&name, file, limit)?;
            Ok(lines::text(&bytes, 1).map(str::to_owned))
        };
        let parsed = match format {
            Format::Urls => return Ok(Self::Urls(Lines::new(file))),
            Format::JsonLines => return Ok(Self::JsonLines(Lines::new(file))),
            Format::Json => match document(&mut file, LARGEST_DOCUMENT)? {
                Ok(text) if text.is_empty() => return Err(JobsError::Empty(name)),
                text => text.and_then(Document::parse).map(|jobs| Self::Document { jobs, next: 0 }),
            },
            Format::Toml => document(&mut file, LARGEST_TOML)?
                .and_then(|text| Tables::parse(&text))
                .map(|jobs| Self::Tables { jobs, next: 0 }),
        };
        parsed.or_else(|fault| {
            Problems::from(fault).into_result(&name, None)?;
            Err(JobsError::Empty(name))
        })
    }

    /// Whether the format has ids, which may then be repeated.
    pub(super) const fn may_have_ids(&self) -> bool {
        !matches!(self, Self::Urls(_))
    }

    pub(super) fn rewind(&mut self) -> std::io::Result<()> {
        match self {
            Self::Urls(lines) | Self::JsonLines(lines) => return lines.rewind(),
            Self::Document { next, .. } | Self::Tables { next, .. } => *next = 0,
        }
        Ok(())
    }

    /// The next job, or what is wrong with its text.
    pub(super) fn next(&mut self) -> std::io::Result<Option<Result<Entry<'_>, Fault>>> {
        Ok(match self {
            Self::Urls(lines) => lines.next(|line| line.is_empty() || line.starts_with(b"#"))?.map(|line| {
                line.text
                    .map(|text| Entry { place: Place::line(line.number), written: Written::Url(text.trim()) })
            }),
            Self::JsonLines(lines) => lines.next(<[u8]>::is_empty)?.map(|line| {
                line.text.map(|text| Entry { place: Place::line(line.number), written: Written::Json(text) })
            }),
            Self::Document { jobs, next } => {
                *next += 1;
                jobs.get(*next - 1).map(|(place, text)| Ok(Entry { place, written: Written::Json(text) }))
            }
            Self::Tables { jobs, next } => {
                *next += 1;
                jobs.get(*next - 1)
                    .map(|table| Ok(Entry { place: table.place(), written: Written::Table(table) }))
            }
        })
    }
}

impl Entry<'_> {
    /// The keys of a job that is not a template.
    pub(super) fn keys(&self) -> Result<JobKeys, Fault> {
        match self.written {
            Written::Url(text) if !template::concerns(text) => {
                decode::from_value(&json!({"url": text})).map_err(|why: DecodeError| match why.mistake {
                    // A list of URLs has no keys that the message could name.
                    Mistake::Refused(why) => Fault::new(self.place, why),
                    _ => Fault::new(self.place, why.without_secrets()),
                })
            }
            Written::Json(text) if !template::concerns_json(text) => json::keys(text, self.place),
            _ => {
                let value = self.value()?;
                let unfilled = |name: &str| Err(TemplateError::NoRows(name.to_owned()));
                let value =
                    template::fill(&value, &mut { unfilled }).map_err(|why| Fault::new(self.place, why))?;
                decode::from_value(&value)
                    .map_err(|why| Fault::new(self.place_of(&why), why.without_secrets()))
            }
        }
    }

    /// The job as a template.
    pub(super) fn value(&self) -> Result<Value, Fault> {
        match self.written {
            Written::Url(text) => Ok(json!({"url": text})),
            Written::Json(text) => json::value(text, self.place),
            Written::Table(table) => Ok(table.value()),
        }
    }

    fn place_of(&self, error: &DecodeError) -> Place {
        match self.written {
            Written::Table(table) => table.place_of(error),
            Written::Url(_) | Written::Json(_) => self.place,
        }
    }
}
