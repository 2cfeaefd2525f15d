//! [`Entries`]: the jobs of a source as they are written, one after the other, in every format.

use std::collections::BTreeSet;

use plimsoll_core::job::JobKeys;
use serde_json::{Value, json};

use super::error::{Fault, JobsError, Place, Problems};
use super::format::Format;
use super::json::{self, Document};
use super::lines::{self, Lines};
use super::rows::SPLIT;
use super::sitemap::{Page, Sitemap};
use super::source::{self, LARGEST_DOCUMENT, LARGEST_TOML, Opened};
use super::table::{Line, UrlTable};
use super::tables::{Table, Tables};
use super::template::{self, TemplateError};
use super::url_line;
use crate::decode::{self, DecodeError, Mistake};

/// The jobs of a source, from the first to the last.
#[derive(Debug)]
pub(super) enum Entries {
    Urls(Lines<std::fs::File>),
    JsonLines(Lines<std::fs::File>),
    Document { jobs: Document, next: usize },
    Tables { jobs: Tables, next: usize },
    UrlTable(Box<UrlTable>),
    Sitemap { pages: Sitemap, next: usize },
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
    Line(Line<'a>),
    Page(&'a Page),
}

impl Entries {
    /// The jobs of the source, and the mistakes that were found before any of them was looked at.
    pub(super) fn open(opened: Opened) -> Result<(Self, Problems), JobsError> {
        const AS_LINES: &str = "write the jobs as .jsonl, a job a line, which may be of any size";
        let Opened { name, format, mut file, base } = opened;
        let (limit, remedy) = match format {
            Format::Urls => return Ok((Self::Urls(Lines::new(file)), Problems::default())),
            Format::JsonLines => return Ok((Self::JsonLines(Lines::new(file)), Problems::default())),
            Format::Toml => (LARGEST_TOML, AS_LINES),
            Format::Json => (LARGEST_DOCUMENT, AS_LINES),
            Format::Csv => (LARGEST_DOCUMENT, SPLIT),
            Format::Sitemap => (LARGEST_DOCUMENT, "split it into several sitemaps"),
        };
        let bytes = source::whole(&name, &mut file, limit, remedy)?;
        let parsed = match lines::text(&bytes, 1) {
            Ok("") => return Err(JobsError::Empty(name)),
            Ok(text) => match format {
                Format::Json => Document::parse(text.to_owned()).map(|jobs| Self::Document { jobs, next: 0 }),
                Format::Csv => {
                    return UrlTable::parse(name, text.to_owned())
                        .map(|(table, problems)| (Self::UrlTable(Box::new(table)), problems));
                }
                Format::Sitemap => {
                    return Sitemap::parse(&base, text)
                        .map(|(pages, problems)| (Self::Sitemap { pages, next: 0 }, problems));
                }
                _ => Tables::parse(text).map(|jobs| Self::Tables { jobs, next: 0 }),
            },
            Err(fault) => Err(fault),
        };
        parsed.map(|entries| (entries, Problems::default())).or_else(|fault| {
            Problems::from(fault).into_result(&name, None)?;
            Err(JobsError::Empty(name))
        })
    }

    /// Whether the format has ids, which may then be repeated.
    pub(super) const fn may_have_ids(&self) -> bool {
        !matches!(self, Self::Urls(_) | Self::Sitemap { .. })
    }

    /// Whether rows can fill the jobs: `{{` in a table or a sitemap is a part of a URL.
    pub(super) const fn may_be_templates(&self) -> bool {
        !matches!(self, Self::UrlTable(_) | Self::Sitemap { .. })
    }

    /// What the source has that no job uses.
    pub(super) fn unused(&self) -> Option<String> {
        match self {
            Self::UrlTable(table) => table.unused(),
            _ => None,
        }
    }

    pub(super) fn rewind(&mut self) -> std::io::Result<()> {
        match self {
            Self::Urls(lines) | Self::JsonLines(lines) => lines.rewind()?,
            Self::Document { next, .. } | Self::Tables { next, .. } | Self::Sitemap { next, .. } => *next = 0,
            Self::UrlTable(table) => table.rewind()?,
        }
        Ok(())
    }

    /// The next job, or what is wrong with its text.
    pub(super) fn next(&mut self) -> std::io::Result<Option<Result<Entry<'_>, Fault>>> {
        Ok(match self {
            Self::Urls(lines) => lines.next(|line| line.is_empty() || line.starts_with(b"#"))?.map(|line| {
                let place = Place::line(line.number);
                match line.text.map(url_line::url) {
                    Ok(Ok(url)) => Ok(Entry { place, written: Written::Url(url) }),
                    Ok(Err(beside)) => {
                        Err(Fault::new(Place { column: Some(beside.column), ..place }, beside.why))
                    }
                    Err(fault) => Err(fault),
                }
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
            Self::UrlTable(table) => {
                table.next()?.map(|line| Ok(Entry { place: line.place(), written: Written::Line(line) }))
            }
            Self::Sitemap { pages, next } => {
                *next += 1;
                pages.get(*next - 1).map(|page| Ok(Entry { place: page.place, written: Written::Page(page) }))
            }
        })
    }
}

impl Entry<'_> {
    /// The keys of a job that is not a template, and the names of its secrets.
    pub(super) fn keys(&self) -> Result<(JobKeys, BTreeSet<String>), Fault> {
        let keys = match self.written {
            Written::Url(text) if !template::concerns(text) => {
                keys_of(&self.value()?).map_err(|why| Fault::new(self.place, why))
            }
            Written::Page(page) => {
                keys_of(&self.value()?).map_err(|why| Fault::new(self.place, page.within(&why)))
            }
            Written::Line(line) => decode::from_value(&self.value()?)
                .map_err(|why: DecodeError| Fault::new(line.place_of(&why), why.without_secrets())),
            Written::Json(text) if !template::concerns_json(text) => json::keys(text, self.place),
            Written::Url(_) | Written::Json(_) | Written::Table(_) => {
                let unfilled = |name: &str| Err(TemplateError::NoRows(name.to_owned()));
                let (value, secrets) = template::fill(&self.value()?, &mut { unfilled })
                    .map_err(|why| Fault::new(self.place, why))?;
                let keys = decode::from_value(&value)
                    .map_err(|why| Fault::new(self.place_of(&why), why.without_secrets()))?;
                return Ok((keys, secrets));
            }
        };
        Ok((keys?, BTreeSet::new()))
    }

    /// The job as a template.
    pub(super) fn value(&self) -> Result<Value, Fault> {
        match self.written {
            Written::Url(text) => Ok(json!({"url": text})),
            Written::Json(text) => json::value(text, self.place),
            Written::Table(table) => Ok(table.value()),
            Written::Line(line) => Ok(line.value()),
            Written::Page(page) => Ok(json!({"url": page.url})),
        }
    }

    fn place_of(&self, error: &DecodeError) -> Place {
        match self.written {
            Written::Table(table) => table.place_of(error),
            Written::Url(_) | Written::Json(_) | Written::Line(_) | Written::Page(_) => self.place,
        }
    }
}

/// The keys of a job that has a URL and nothing else, so that the message names no key.
fn keys_of(value: &Value) -> Result<JobKeys, String> {
    decode::from_value(value).map_err(|why: DecodeError| match why.mistake {
        Mistake::Refused(why) => why,
        _ => why.without_secrets().to_string(),
    })
}
