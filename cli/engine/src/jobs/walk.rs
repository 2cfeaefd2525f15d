//! [`Walk`]: iterates over every job of a source, filled from rows if there are any.
//!
//! Checking the jobs, finding repeated ids, and giving the jobs out are three such iterations.

use std::path::PathBuf;

use plimsoll_core::id::JobId;
use plimsoll_core::job::{Captures, Job, JobKeys};
use plimsoll_core::step::Step;
use serde_json::Value;

use super::entries::Entries;
use super::error::{Fault, JobsError, Place, Problems};
use super::rows::{Row, Rows};
use super::source::Opened;
use super::template;
use crate::decode;

/// A walk over all jobs.
#[derive(Debug)]
pub(super) struct Walk {
    /// The source's name in messages.
    pub(super) name: String,
    base: PathBuf,
    entries: Entries,
    /// How many entries were read.
    number: u64,
    rows: Option<Rows>,
    /// What every job brings back.
    captures: Captures,
    /// The template that the next rows fill.
    template: Option<Template>,
}

/// A job with placeholders.
#[derive(Debug)]
struct Template {
    place: Place,
    /// The job's keys, without the id unless the id has a placeholder.
    value: Value,
    /// The beginning of the ids of jobs that get no id from `value`.
    prefix: String,
}

/// What is at a place: a job, or what is wrong with it.
pub(super) type Found = Result<(Place, Job), Fault>;

impl Walk {
    /// A walk, and the mistakes that were found before it begins.
    pub(super) fn new(
        opened: Opened,
        rows: Option<Rows>,
        captures: Captures,
    ) -> Result<(Self, Problems), JobsError> {
        let (name, base) = (opened.name.clone(), opened.base.clone());
        let (entries, problems) = Entries::open(opened)?;
        if rows.is_some() && !entries.may_be_templates() {
            return Err(JobsError::NoTemplates(name));
        }
        Ok((Self { name, base, entries, number: 0, rows, captures, template: None }, problems))
    }

    /// What the source has that no job uses.
    pub(super) fn unused(&self) -> Option<String> {
        self.entries.unused()
    }

    pub(super) const fn may_have_ids(&self) -> bool {
        self.entries.may_have_ids()
    }

    pub(super) fn show(&self, place: Place) -> String {
        place.show(&self.name, self.rows_name())
    }

    pub(super) fn rows_name(&self) -> Option<&str> {
        self.rows.as_ref().map(|rows| &*rows.name)
    }

    pub(super) fn rewind(&mut self) -> Result<(), JobsError> {
        self.number = 0;
        self.template = None;
        self.entries.rewind().map_err(|why| JobsError::Unreadable { name: self.name.clone(), why })
    }

    /// The next job or mistake. A template that no row can fill is one mistake.
    pub(super) fn next(&mut self) -> Result<Option<Found>, JobsError> {
        loop {
            if let (Some(template), Some(rows)) = (&self.template, &mut self.rows) {
                let advanced = rows.advance();
                if advanced.map_err(|why| JobsError::Unreadable { name: rows.name.clone(), why })? {
                    let row = rows.row();
                    let place = Place { row: Some(row.line), ..template.place };
                    let job = template.job(row, &self.captures).map_err(|why| Fault { place, message: why });
                    return Ok(Some(job.map(|job| (place, self.at_base(job)))));
                }
                self.template = None;
            }
            let next =
                self.entries.next().map_err(|why| JobsError::Unreadable { name: self.name.clone(), why })?;
            let Some(entry) = next else { return Ok(None) };
            self.number += 1;
            let Some(rows) = &mut self.rows else {
                let found = entry.and_then(|entry| {
                    let keys = entry.keys()?;
                    let job = job(keys, &self.captures, || self.number.to_string());
                    let job = job.map_err(|why| Fault::new(entry.place, why))?;
                    Ok((entry.place, job))
                });
                return Ok(Some(found.map(|(place, job)| (place, self.at_base(job)))));
            };
            let template = entry.and_then(|entry| {
                let value = entry.value()?;
                template::fill(&value, &mut |name| rows.check(name))
                    .map_err(|why| Fault::new(entry.place, why))?;
                Ok(Template::new(entry.place, value, self.number))
            });
            match template {
                Ok(template) => self.template = Some(template),
                Err(fault) => return Ok(Some(Err(fault))),
            }
            rows.rewind().map_err(|why| JobsError::Unreadable { name: rows.name.clone(), why })?;
        }
    }

    /// `job` with the files that it uploads relative to the directory of the source.
    fn at_base(&self, mut job: Job) -> Job {
        job.steps.edit(|step| {
            if let Step::Upload(upload) = step {
                upload.files.iter_mut().for_each(|file| *file = self.base.join(&*file));
            }
        });
        job
    }
}

impl Template {
    fn new(place: Place, mut value: Value, number: u64) -> Self {
        let prefix = match value.get("id") {
            Some(Value::String(id)) if !template::has_placeholder(id) => {
                // `{{{{` becomes `{{` here too.
                let id = template::fill(&Value::String(id.clone()), &mut |_| Ok("")).ok();
                let id = id.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
                value.as_object_mut().map(|keys| keys.remove("id"));
                id
            }
            _ => number.to_string(),
        };
        Self { place, value, prefix }
    }

    fn job(&self, row: Row<'_>, captures: &Captures) -> Result<Job, String> {
        let value = template::fill(&self.value, &mut |name| row.get(name)).map_err(|why| why.to_string())?;
        let keys = decode::from_value(&value).map_err(|why| why.without_secrets().to_string())?;
        job(keys, captures, || format!("{}-{}", self.prefix, row.number))
    }
}

/// The job with these keys and those of `captures`; its id is `otherwise` unless the keys have one.
fn job(keys: JobKeys, captures: &Captures, otherwise: impl FnOnce() -> String) -> Result<Job, String> {
    let id =
        keys.id().cloned().map_or_else(|| JobId::try_from(otherwise()), Ok).map_err(|why| why.to_string())?;
    keys.or(captures).into_job(|| id).map_err(|why| why.to_string())
}
