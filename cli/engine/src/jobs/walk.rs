//! [`Walk`]: iterates over every job of a source, filled from rows if there are any.
//!
//! Checking the jobs, finding repeated ids, and giving the jobs out are three such iterations.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use plimsoll_core::id::JobId;
use plimsoll_core::job::{Job, JobKeys};
use plimsoll_core::step::Step;
use serde_json::Value;

use super::JobFileOptions;
use super::entries::Entries;
use super::error::{Fault, JobsError, Place, Problems};
use super::rows::{Row, Rows};
use super::source::Opened;
use super::template;
use crate::decode;
use crate::named_secrets::NamedSecrets;

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
    options: JobFileOptions,
    /// What was found when a secret was looked up.
    secrets: HashMap<String, Result<(), String>>,
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
        options: JobFileOptions,
    ) -> Result<(Self, Problems), JobsError> {
        let (name, base) = (opened.name.clone(), opened.base.clone());
        let (entries, problems) = Entries::open(opened)?;
        if rows.is_some() && !entries.may_be_templates() {
            return Err(JobsError::NoTemplates(name));
        }
        Ok((
            Self { name, base, entries, number: 0, rows, options, secrets: HashMap::new(), template: None },
            problems,
        ))
    }

    pub(super) const fn secrets(&self) -> &NamedSecrets {
        &self.options.secrets
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
                    let job = template.job(row, &self.options);
                    return Ok(Some(self.found(place, job)));
                }
                self.template = None;
            }
            let next =
                self.entries.next().map_err(|why| JobsError::Unreadable { name: self.name.clone(), why })?;
            let Some(entry) = next else { return Ok(None) };
            self.number += 1;
            let Some(rows) = &mut self.rows else {
                let (place, keys) = match entry.and_then(|entry| Ok((entry.place, entry.keys()?))) {
                    Ok(found) => found,
                    Err(fault) => return Ok(Some(Err(fault))),
                };
                let job = job(keys, &self.options, || self.number.to_string());
                return Ok(Some(self.found(place, job)));
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

    /// `job` at its place, if it has all its secrets, with the files that it uploads relative to the directory of the
    /// source.
    fn found(&mut self, place: Place, job: Result<Job, String>) -> Found {
        let mut job = job.map_err(|why| Fault { place, message: why })?;
        for name in &job.secrets {
            let secret = self.secrets.entry(name.clone());
            let look_up = || self.options.secrets.get(name).map(drop).map_err(|why| why.to_string());
            secret.or_insert_with(look_up).clone().map_err(|why| Fault { place, message: why })?;
        }
        job.steps.edit(|step| {
            if let Step::Upload(upload) = step {
                upload.files.iter_mut().for_each(|file| *file = self.base.join(&*file));
            }
        });
        Ok((place, job))
    }
}

impl Template {
    fn new(place: Place, mut value: Value, number: u64) -> Self {
        let prefix = match value.get("id") {
            Some(Value::String(id)) if !template::has_placeholder(id) => {
                // `{{{{` becomes `{{` here too.
                let id = template::fill(&Value::String(id.clone()), &mut |_| Ok("")).ok();
                let id = id.as_ref().and_then(|(id, _)| id.as_str()).unwrap_or_default().to_owned();
                value.as_object_mut().map(|keys| keys.remove("id"));
                id
            }
            _ => number.to_string(),
        };
        Self { place, value, prefix }
    }

    fn job(&self, row: Row<'_>, options: &JobFileOptions) -> Result<Job, String> {
        let filled = template::fill(&self.value, &mut |name| row.get(name));
        let (value, secrets) = filled.map_err(|why| why.to_string())?;
        let keys = decode::from_value(&value).map_err(|why| why.without_secrets().to_string())?;
        job((keys, secrets), options, || format!("{}-{}", self.prefix, row.number))
    }
}

/// The job with these keys, those that all jobs have, and these secrets; its id is `otherwise` unless the keys have one.
fn job(
    (keys, secrets): (JobKeys, BTreeSet<String>),
    options: &JobFileOptions,
    otherwise: impl FnOnce() -> String,
) -> Result<Job, String> {
    let id =
        keys.id().cloned().map_or_else(|| JobId::try_from(otherwise()), Ok).map_err(|why| why.to_string())?;
    let job = keys.or(&options.captures).into_job(|| id).map_err(|why| why.to_string())?;
    Ok(Job { secrets, ..job })
}
