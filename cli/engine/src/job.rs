//! [`Job`]: a job written in code. It has the keys of a job in a file and is checked like one, with the same messages.

use std::fmt::Display;
use std::time::Duration;

use plimsoll_core::id::JobId;
use plimsoll_core::job::{Job as CheckedJob, JobKeys};
use serde_json::{Map, Value, json};

use crate::decode;

/// One job: a page to open and the data to return.
///
/// ```
/// # use plimsoll::Job;
/// let job = Job::visit("https://example.com/")?.extract("title", "title").screenshot("full");
/// # Ok::<(), plimsoll::JobMistake>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Job(Written);

#[derive(Debug, Clone, PartialEq)]
enum Written {
    Keys(Map<String, Value>),
    Checked(Box<CheckedJob>),
}

/// What is wrong with a job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct JobMistake(String);

impl JobMistake {
    fn of(why: impl Display) -> Self {
        Self(why.to_string())
    }
}

impl Job {
    /// A job that opens the page at `url`.
    ///
    /// # Errors
    /// When `url` is not the address of a page.
    pub fn visit(url: &str) -> Result<Self, JobMistake> {
        let job = Self::from_keys(Map::from_iter([("url".to_owned(), url.into())]));
        job.check(|| JobId::try_from("job".to_owned())).map(|_| job.clone())
    }

    /// A job with these keys; they are those of a line in a job file. They are checked when the job is submitted.
    #[must_use]
    pub const fn from_keys(keys: Map<String, Value>) -> Self {
        Self(Written::Keys(keys))
    }

    /// Sets the id by which results name the job. A job without an id gets a number.
    #[must_use]
    pub fn id(self, id: &str) -> Self {
        self.with("id", id)
    }

    /// Extracts the text of the first element that matches `selector`, as `name`.
    #[must_use]
    pub fn extract(self, name: &str, selector: &str) -> Self {
        self.edit(|keys| {
            let extract = keys.entry("extract").or_insert_with(|| json!({}));
            if let Value::Object(extract) = extract {
                extract.insert(name.to_owned(), selector.into());
            }
        })
    }

    /// Takes a picture: `"viewport"`, `"full"` or a CSS selector, as in a job file.
    #[must_use]
    pub fn screenshot(self, what: &str) -> Self {
        self.with("screenshot", what)
    }

    /// Adds a step, as in a job file: `json!({"click": "#send"})`.
    #[must_use]
    pub fn step(self, step: Value) -> Self {
        self.edit(|keys| {
            if let Value::Array(steps) = keys.entry("steps").or_insert_with(|| json!([])) {
                steps.push(step);
            }
        })
    }

    /// Limits the duration of each attempt.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with("timeout", format!("{}ms", timeout.as_millis()))
    }

    /// Sets any key of a job, such as `"viewport"` or `"driver"`.
    #[must_use]
    pub fn with(self, key: &str, value: impl Into<Value>) -> Self {
        self.edit(|keys| {
            keys.insert(key.to_owned(), value.into());
        })
    }

    /// Edits the job's keys. A job that was already checked stays unchanged.
    fn edit(mut self, edit: impl FnOnce(&mut Map<String, Value>)) -> Self {
        if let Written::Keys(keys) = &mut self.0 {
            edit(keys);
        }
        self
    }

    /// Checks the job. Its id is `otherwise` when it has none.
    pub(crate) fn check<E: Display>(
        &self,
        otherwise: impl FnOnce() -> Result<JobId, E>,
    ) -> Result<CheckedJob, JobMistake> {
        let keys = match &self.0 {
            Written::Checked(job) => return Ok((**job).clone()),
            Written::Keys(keys) => keys,
        };
        let keys: JobKeys = decode::from_value(&Value::Object(keys.clone()))
            .map_err(|mistake| JobMistake::of(mistake.without_secrets()))?;
        let id = match keys.id() {
            Some(id) => id.clone(),
            None => otherwise().map_err(JobMistake::of)?,
        };
        keys.into_job(|| id).map_err(JobMistake::of)
    }
}

impl From<CheckedJob> for Job {
    fn from(job: CheckedJob) -> Self {
        Self(Written::Checked(Box::new(job)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(job: &Job) -> Result<CheckedJob, String> {
        job.check(|| JobId::try_from("7".to_owned())).map_err(|mistake| mistake.to_string())
    }

    #[test]
    fn a_job_in_code_is_the_same_as_one_in_a_file() {
        let written = json!({
            "url": "http://a/", "extract": {"title": "title", "price": "#price"}, "screenshot": "full",
            "timeout": "1500ms", "steps": [{"click": "#more"}],
        });
        let Value::Object(keys) = written else { unreachable!("it is a map") };
        let built = Job::visit("http://a/").expect("a page");
        let built =
            built.step(json!({"click": "#more"})).extract("title", "title").extract("price", "#price");
        let built = built.screenshot("full").timeout(Duration::from_millis(1500));
        assert_eq!(checked(&built), checked(&Job::from_keys(keys)));
        assert_eq!(checked(&built).map(|job| job.id.to_string()), Ok("7".to_owned()));
    }

    #[test]
    fn a_job_in_code_is_refused_with_the_words_of_a_job_file() {
        let said = |job: Job| checked(&job).expect_err("a mistake");
        let page = || Job::visit("http://a/").expect("a page");
        assert_eq!(
            Job::visit("ftp://a/").map_err(|mistake| mistake.to_string()),
            Err("url: `ftp://a/` has the scheme `ftp`; only http and https pages can be opened".to_owned())
        );
        assert_eq!(
            said(page().step(json!({"clik": "#a"}))),
            "unknown step `clik` in steps[0]; did you mean `click`?"
        );
        assert_eq!(
            said(page().timeout(Duration::ZERO)),
            "`timeout` is zero; give an attempt at least some milliseconds"
        );
        assert_eq!(
            said(page().with("screenshots", "full")),
            "unknown key `screenshots`; did you mean `screenshot`?"
        );
    }
}
