//! [`RequiredCapabilities`]: what the jobs of a run need from its drivers.
//!
//! The needs are gathered while the jobs are checked, so a job that its driver cannot carry out, or that takes
//! pictures without a directory for them, is refused before anything runs. A million jobs need only a few different
//! sets of capabilities: for each pair of driver and set, only the first job is remembered.

use std::collections::HashMap;

use plimsoll_core::capability::{Capabilities, Capability};
use plimsoll_core::id::JobId;
use plimsoll_core::job::Job;
use plimsoll_core::step::Step;

use crate::routes::Routes;

/// The most mistakes of one kind that are reported with their places.
const MOST_TOLD: usize = 20;
/// The most pairs of driver and set that are remembered. A job file with more of them is generated, and the first pairs
/// are a good sample of it.
const MOST_KINDS: usize = 10_000;

/// What jobs need.
#[derive(Debug)]
pub struct RequiredCapabilities {
    routes: Routes,
    kinds: HashMap<Kind, First>,
    /// The first job that takes a picture or prints a page.
    taker: Option<NoPlace>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Kind {
    rule: usize,
    named: Option<String>,
    needs: Vec<Capability>,
}

#[derive(Debug)]
struct First {
    job: Job,
    place: String,
}

impl RequiredCapabilities {
    /// An empty collection for these routes.
    #[must_use]
    pub fn new(routes: Routes) -> Self {
        Self { routes, kinds: HashMap::new(), taker: None }
    }

    /// Adds a job.
    pub fn add(&mut self, job: &Job, place: &dyn Fn() -> String) {
        if let Some(named) = &job.driver {
            self.routes.add(named);
        }
        if self.taker.is_none() && (&job.steps).into_iter().any(is_taken) {
            self.taker = Some(NoPlace { job: job.id.clone(), place: place() });
        }
        let needs = job.needs().iter().collect();
        let kind = Kind { rule: self.routes.choose(job), named: job.driver.clone(), needs };
        if self.kinds.len() < MOST_KINDS {
            self.kinds.entry(kind).or_insert_with(|| First { job: job.clone(), place: place() });
        }
    }

    /// The routes, with every driver that a job names.
    #[must_use]
    pub const fn routes(&self) -> &Routes {
        &self.routes
    }

    /// The place of the first job that names this driver, for the error when there is no such driver.
    #[must_use]
    pub fn place_of(&self, driver: &str) -> Option<&str> {
        let mut named = self.kinds.iter().filter(|(kind, _)| kind.named.as_deref() == Some(driver));
        named.next().map(|(_, first)| first.place.as_str())
    }

    /// Checks that no job needs a directory for pictures and PDFs.
    ///
    /// # Errors
    /// The first job that takes a picture or prints a page.
    pub fn require_no_output(&self) -> Result<(), NoPlace> {
        self.taker.clone().map_or(Ok(()), Err)
    }

    /// Checks the jobs against `capabilities`, which lists what each driver of the routes can do.
    ///
    /// # Errors
    /// The jobs that their drivers cannot carry out.
    pub fn check(mut self, capabilities: Vec<Capabilities>) -> Result<Routes, Unmet> {
        for (driver, capabilities) in capabilities.into_iter().enumerate() {
            self.routes.set_capabilities(driver, capabilities);
        }
        let mut unmet: Vec<String> = Vec::new();
        for First { job, place } in self.kinds.values() {
            let driver = self.routes.choose(job);
            let lacking = self.routes.lacks(driver, job);
            if !lacking.is_empty() {
                let name = &self.routes.drivers()[driver];
                unmet.push(format!(
                    "{place}: job `{}` needs {lacking}, unsupported by the driver `{name}`",
                    job.id
                ));
            }
        }
        if unmet.is_empty() {
            return Ok(self.routes);
        }
        unmet.sort_unstable();
        let more = unmet.len().saturating_sub(MOST_TOLD);
        unmet.truncate(MOST_TOLD);
        Err(Unmet { told: unmet, more })
    }
}

/// Whether a step writes a file to the output directory.
const fn is_taken(step: &Step) -> bool {
    matches!(step, Step::Screenshot(_) | Step::Pdf(_))
}

/// A job takes a picture or prints a page, and there is no directory to keep it in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{place}: job `{job}` takes a picture or prints a page, and there is no place to keep it; name a directory with \
     `--out`; no job was run"
)]
pub struct NoPlace {
    job: JobId,
    place: String,
}

/// Jobs that their drivers cannot carry out: the first job of each kind.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no job was run; give these to another driver (`--driver`, `route.rules`, or the job's `driver`), or take out what it \
     cannot do; `plimsoll drivers` says what each can\n  {}{}",
    told.join("\n  "),
    if *more > 0 { format!("\n  ... and {more} more kinds") } else { String::new() }
)]
pub struct Unmet {
    told: Vec<String>,
    more: usize,
}

#[cfg(test)]
mod tests {
    use plimsoll_core::id::JobId;
    use plimsoll_core::job::JobKeys;

    use super::*;

    fn seen(mut required: RequiredCapabilities, jobs: &[&str]) -> RequiredCapabilities {
        for (n, json) in jobs.iter().enumerate() {
            let keys: JobKeys = serde_json::from_str(json).expect("a job");
            let id = || JobId::try_from(n.to_string()).expect("a plain id");
            required.add(&keys.into_job(id).expect("a job that makes sense"), &|| format!("jobs.jsonl:{n}"));
        }
        required
    }

    #[test]
    fn the_first_job_of_each_kind_that_cannot_be_done_is_told() {
        let printed = r#"{"url":"http://a/","pdf":{}}"#;
        let required = seen(
            RequiredCapabilities::new(Routes::to("http")),
            &[r#"{"url":"http://a/"}"#, printed, printed],
        );
        let Unmet { told, more } = required
            .check(vec![Capabilities::all().without(&[Capability::Pdf])])
            .expect_err("it cannot be printed");
        assert_eq!(told, ["jobs.jsonl:1: job `1` needs pdf, unsupported by the driver `http`"]);
        assert_eq!(more, 0);
    }

    #[test]
    fn without_a_place_to_keep_it_the_first_picture_is_told() {
        let [plain, pictured] = [r#"{"url":"http://a/"}"#, r#"{"url":"http://a/","screenshot":"full"}"#];
        let printed = r#"{"url":"http://a/","steps":[{"pdf":{}}]}"#;
        let told =
            |jobs: &[&str]| seen(RequiredCapabilities::new(Routes::to("cdp")), jobs).require_no_output();
        assert_eq!(told(&[plain]), Ok(()));
        for taken in [pictured, printed] {
            let said = told(&[plain, taken, printed]).expect_err("there is no place").to_string();
            assert!(said.starts_with("jobs.jsonl:1: job `1` takes") && said.contains("`--out`"), "{said}");
        }
    }

    #[test]
    fn drivers_that_jobs_name_are_among_the_routes() {
        let required =
            seen(RequiredCapabilities::new(Routes::to("cdp")), &[r#"{"url":"http://a/","driver":"sim"}"#]);
        assert_eq!(required.routes().drivers(), ["cdp", "sim"]);
        assert_eq!((required.place_of("sim"), required.place_of("cdp")), (Some("jobs.jsonl:0"), None));
    }
}
