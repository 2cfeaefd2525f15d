//! What a user submits: a [`Job`].
//!
//! A *visit* job opens a URL and returns data, pictures or a PDF; a *script* job carries out steps. Both are one
//! type: the keys `extract`, `screenshot` and `pdf` of a visit become steps that run after its `url` is opened.
//!
//! ```json
//! {"id": "p1", "url": "http://site/page/1", "extract": {"title": "title"}, "screenshot": "full", "timeout": "20s"}
//! {"id": "s1", "url": "http://site/form", "steps": [{"fill": {"selector": "#name", "text": "Ada"}}, {"click": "#send"}]}
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::duration;
use crate::flow::{self, FlowError, Plain, Procedures, Statement, Steps};
use crate::id::JobId;
use crate::proxy::Proxy;
use crate::shorthand;
use crate::shown::wrong_url;
use crate::step::{Cookie, Extract, Goto, LoadState, PageUrl, Pdf, Screenshot, Step, Viewport};

/// A unit of work, validated.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The identifier given by the user.
    pub id: JobId,
    /// The page that is opened first: step 0.
    pub start: Option<Goto>,
    /// The steps that follow, in order; numbered from 1.
    pub steps: Steps,
    /// The time limit of one attempt, counted from the start of its context's creation.
    pub timeout: Option<Duration>,
    /// HTTP statuses from 400 upwards that do not fail the job.
    pub accept_status: Vec<u16>,
    /// The name of the driver that must run the job. `None` leaves the choice to the routes.
    pub driver: Option<String>,
    /// How the context is set up before its first page.
    pub setup: Setup,
    /// The names of the secrets whose marks are in its texts. An attempt gets their values from the job's store.
    pub secrets: BTreeSet<String>,
}

impl Job {
    /// The page the job opens first.
    #[must_use]
    pub fn first_page(&self) -> Option<&PageUrl> {
        self.start.as_ref().or_else(|| first_goto(&self.steps.list)).map(|goto| &goto.url)
    }
}

fn first_goto(steps: &[Statement]) -> Option<&Goto> {
    match steps.first() {
        Some(Statement::Step(plain)) => {
            if let Step::Goto(goto) = plain.step() {
                Some(goto)
            } else {
                None
            }
        }
        _ => None,
    }
}

/// How a context is set up before its first page.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Setup {
    /// The size of the viewport. `None` keeps the driver's default.
    pub viewport: Option<Viewport>,
    /// Headers that are sent with every request.
    pub headers: BTreeMap<String, String>,
    /// Cookies that are set before the first page.
    pub cookies: Vec<Cookie>,
    /// The proxy of the context. `None` connects directly.
    pub proxy: Option<Proxy>,
}

impl Setup {
    /// Whether there is nothing to set up, so that a driver can open the first page in the fastest way.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let Self { viewport, headers, cookies, proxy } = self;
        viewport.is_none() && headers.is_empty() && cookies.is_empty() && proxy.is_none()
    }
}

/// A job as a user writes it: the keys of a JSON line or of a `[[job]]` table. The id may still be missing.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobKeys {
    id: Option<JobId>,
    #[serde(default, deserialize_with = "page")]
    url: Option<PageUrl>,
    #[serde(default)]
    wait_until: LoadState,
    #[serde(default)]
    steps: Vec<Statement>,
    #[serde(default)]
    procedures: Procedures,
    extract: Option<Extract>,
    #[serde(default, deserialize_with = "shorthand::optional")]
    screenshot: Option<Screenshot>,
    pdf: Option<Pdf>,
    #[serde(default, deserialize_with = "duration::optional::deserialize")]
    timeout: Option<Duration>,
    #[serde(default)]
    accept_status: Vec<u16>,
    driver: Option<String>,
    viewport: Option<Viewport>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    cookies: Vec<Cookie>,
    #[serde(default, deserialize_with = "shorthand::optional")]
    proxy: Option<Proxy>,
}

/// What a job brings back unless its keys have it: the keys of the same names, given for all jobs of a run.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Captures {
    extract: Option<Extract>,
    #[serde(deserialize_with = "shorthand::optional")]
    screenshot: Option<Screenshot>,
    pdf: Option<Pdf>,
}

/// The reason why a job's keys are not a valid job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// The job opens no page.
    #[error("a job needs a `url`, or a `goto` as its first step")]
    NoPage,
    /// An attempt could never end in time.
    #[error("`timeout` is zero; give an attempt at least some milliseconds")]
    NoTime,
    /// A number that is not an HTTP status.
    #[error("`accept_status` has {0}, which is no HTTP status (100 to 599)")]
    Status(u16),
    /// A viewport size that no browser supports.
    #[error("a viewport of {0} x {1} is impossible; each side is 1 to 10000 pixels")]
    Viewport(u32, u32),
    /// The control flow of the steps makes no sense.
    #[error(transparent)]
    Flow(#[from] FlowError),
    /// The name of a header is not a name. What follows its beginning may be a value, and is not repeated.
    #[error(
        "the header name `{0}…` is not a name; a name has letters, digits and `-`, and its value stands beside it"
    )]
    HeaderName(String),
    /// The value of a header would end the header.
    #[error("the value of the header `{0}` has a line end or another control character")]
    HeaderValue(String),
}

impl JobKeys {
    /// The id in the job's keys, if present.
    #[must_use]
    pub const fn id(&self) -> Option<&JobId> {
        self.id.as_ref()
    }

    /// The keys with those of `captures` that they lack.
    #[must_use]
    pub fn or(mut self, captures: &Captures) -> Self {
        let Captures { extract, screenshot, pdf } = captures;
        self.extract = self.extract.or_else(|| extract.clone());
        self.screenshot = self.screenshot.or_else(|| screenshot.clone());
        self.pdf = self.pdf.or_else(|| pdf.clone());
        self
    }

    /// The job. Its id is the one in the keys, or the result of `otherwise`.
    ///
    /// # Errors
    /// When the keys contradict each other.
    pub fn into_job(self, otherwise: impl FnOnce() -> JobId) -> Result<Job, JobError> {
        let start = self.url.map(|url| Goto { url, wait_until: self.wait_until });
        if start.is_none() && first_goto(&self.steps).is_none() {
            return Err(JobError::NoPage);
        }
        if self.timeout == Some(Duration::ZERO) {
            return Err(JobError::NoTime);
        }
        if let Some(&status) = self.accept_status.iter().find(|status| !(100..600).contains(*status)) {
            return Err(JobError::Status(status));
        }
        self.headers.iter().try_for_each(|(name, value)| check_header(name, value))?;
        let last =
            [self.extract.map(Step::Extract), self.screenshot.map(Step::Screenshot), self.pdf.map(Step::Pdf)];
        let (mut steps, mut procedures) = (self.steps, self.procedures);
        steps.extend(last.into_iter().flatten().map(|step| Statement::Step(Plain::written(step))));
        flow::check(&steps, &mut procedures)?;
        let job = Job {
            id: self.id.unwrap_or_else(otherwise),
            start,
            steps: Steps { list: steps, procedures },
            timeout: self.timeout,
            accept_status: self.accept_status,
            driver: self.driver,
            setup: Setup {
                viewport: self.viewport,
                headers: self.headers,
                cookies: self.cookies,
                proxy: self.proxy,
            },
            secrets: BTreeSet::new(),
        };
        check_viewports(&job)?;
        Ok(job)
    }
}

/// A page whose URL means what it says: a parser of URLs leaves tabs and line ends out, and another page would be opened.
fn page<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PageUrl>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    if text.trim().contains(char::is_control) {
        return Err(D::Error::custom(format_args!(
            "`{}` has a tab, a line end or another control character in it; write it as a URL does (%09, %0A), or take it out",
            wrong_url(&text)
        )));
    }
    PageUrl::parse(&text).map(Some).map_err(D::Error::custom)
}

/// Checks the viewport that a job begins with, and those that its steps set.
fn check_viewports(job: &Job) -> Result<(), JobError> {
    let set = (&job.steps)
        .into_iter()
        .filter_map(|step| if let Step::SetViewport(v) = step { Some(*v) } else { None });
    for Viewport { width, height, .. } in job.setup.viewport.into_iter().chain(set) {
        if !(1..=10_000).contains(&width) || !(1..=10_000).contains(&height) {
            return Err(JobError::Viewport(width, height));
        }
    }
    Ok(())
}

/// Checks a header by the rules of RFC 9110: a name is a token, and no control character but a tab stands in a value.
fn check_header(name: &str, value: &str) -> Result<(), JobError> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(is_token) {
        return Err(JobError::HeaderName(name.chars().take_while(|c| is_token(*c)).collect()));
    }
    if value.chars().any(|c| c.is_control() && c != '\t') {
        return Err(JobError::HeaderValue(name.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(json: &str) -> Result<Job, String> {
        let keys: JobKeys = serde_json::from_str(json).map_err(|e| e.to_string())?;
        keys.into_job(|| JobId::try_from("1".to_owned()).expect("a plain id")).map_err(|e| e.to_string())
    }

    #[test]
    fn a_visit_is_an_opening_followed_by_what_it_brings_back() {
        let visit =
            r#"{"url":"http://a/","pdf":{},"screenshot":"full","extract":{"t":"title"},"timeout":"20s"}"#;
        let visit = job(visit).expect("the documented form");
        let names: Vec<_> = visit.steps.into_iter().map(|step| step.name()).collect();
        assert_eq!(names, ["extract", "screenshot", "pdf"]);
        assert_eq!(visit.timeout, Some(Duration::from_secs(20)));
        assert_eq!(visit.id.as_str(), "1");
    }

    #[test]
    fn a_url_has_no_control_characters() {
        for control in ["\\t", "\\n", "\\r\\n", "\\u0000", "\\u007f"] {
            let why = job(&format!(r#"{{"url":"http://u:canary@a/{control}b"}}"#)).expect_err("no page");
            assert!(why.contains("control character") && !why.contains("canary"), "{why}");
        }
        assert!(job(r#"{"url":"\thttp://a/\r\n"}"#).is_ok());
    }

    #[test]
    fn a_job_keeps_what_it_brings_back_itself() {
        let captures = r##"{"extract":{"t":"title"},"screenshot":"full","pdf":{}}"##;
        let captures: Captures = serde_json::from_str(captures).expect("keys of a job");
        let keys = |json: &str| serde_json::from_str::<JobKeys>(json).expect("good keys");
        let own = r##"{"url":"http://a/","screenshot":"#a","extract":{"h":"h1"}}"##;
        let both = r##"{"url":"http://a/","screenshot":"#a","extract":{"h":"h1"},"pdf":{}}"##;
        assert_eq!(keys(own).or(&captures), keys(both));
        assert_eq!(keys(both).or(&Captures::default()), keys(both));
        let all = r##"{"url":"http://a/","extract":{"t":"title"},"screenshot":"full","pdf":{}}"##;
        assert_eq!(keys(r#"{"url":"http://a/"}"#).or(&captures), keys(all));
    }

    #[test]
    fn keys_that_make_no_sense_together_are_refused() {
        assert_eq!(job(r#"{"steps":[{"click":"a"}]}"#), Err(JobError::NoPage.to_string()));
        assert!(job(r#"{"steps":[{"goto":"http://a/"}]}"#).is_ok());
        assert_eq!(
            job(r#"{"url":"http://a/","accept_status":[4040]}"#),
            Err(JobError::Status(4040).to_string())
        );
        assert_eq!(job(r#"{"url":"http://a/","timeout":"0s"}"#), Err(JobError::NoTime.to_string()));
        assert!(job(r#"{"url":"http://a/","viewport":{"width":0,"height":5}}"#).is_err());
        for (header, said) in [
            (r#""authorization: canary":"x""#, "`authorization…` is not a name"),
            (r#""a b":"canary""#, "`a…` is not a name"),
            (r#""":"canary""#, "`…` is not a name"),
            (r#""a\r\nb":"canary""#, "`a…` is not a name"),
            (r#""a":"canary\r\nb: c""#, "header `a` has a line end"),
            (r#""a":"canary\u0000""#, "header `a` has a line end"),
        ] {
            let why =
                job(&format!(r#"{{"url":"http://a/","headers":{{{header}}}}}"#)).expect_err("no header");
            assert!(why.contains(said) && !why.contains("canary"), "{why}");
        }
        assert!(job(r#"{"url":"http://a/","headers":{"X-a_b":"é, \t\"ü\" "}}"#).is_ok());
        assert!(
            job(r#"{"url":"http://a/","extrakt":{}}"#).is_err_and(|e| e.contains("unknown field `extrakt`"))
        );
    }
}
