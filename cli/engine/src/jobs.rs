//! [`JobFile`]: reads jobs from a file of URLs, of JSON or of TOML, from a table, a sitemap, stdin or the command line. A job
//! may be a template that is filled from the rows of a `.csv` file.
//!
//! ```text
//! open: source -> entries (a job as it is written) -> [filled from rows] -> keys -> job, and each one checked
//! next: the same steps once more, which give out one job at a time
//! ```
//!
//! Nothing runs until the whole file has been read once without a mistake. Mistakes are gathered, each with its place and
//! its remedy. Lines are streamed, so a million jobs need as little memory as ten; only documents (`.json`, `.toml`) and
//! rows are bounded in size. The file stays open between the two readings; when it was changed meanwhile, `next` returns
//! an error.

mod check;
mod csv_shape;
mod encoding;
mod entries;
mod error;
mod format;
mod json;
mod lines;
mod rows;
#[cfg(test)]
mod secrets;
mod sitemap;
mod source;
mod table;
mod tables;
mod template;
mod text_place;
#[cfg(test)]
mod trial;
mod url_line;
mod walk;

use std::path::Path;

use plimsoll_core::job::{Captures, Job};

pub use error::{JobsError, Problem};
pub use source::Source;

use crate::named_secrets::NamedSecrets;
use rows::Rows;
use source::Opened;
use walk::Walk;

/// A function that is called with each good job and with a function that returns the job's place.
pub type See<'a> = dyn FnMut(&Job, &dyn Fn() -> String) + 'a;

/// What jobs get that their source does not have.
#[derive(Debug, Clone, Default)]
pub struct JobFileOptions {
    /// The keys of jobs that lack them.
    pub captures: Captures,
    /// The secrets that jobs name.
    pub secrets: NamedSecrets,
}

/// Jobs that were checked, to be taken one at a time.
#[derive(Debug)]
pub struct JobFile {
    walk: Walk,
    count: u64,
    taken: u64,
}

impl JobFile {
    /// Opens the source, reads all of it and checks every job. With `rows`, each job is a template and makes one job for
    /// each row. A job without an id gets its number, from 1; a job from a template gets `<template>-<row>`.
    ///
    /// # Errors
    /// When the source, the rows or the jobs are wrong.
    pub fn open(source: &Source, rows: Option<&Path>) -> Result<Self, JobsError> {
        Self::open_seen(source, rows, JobFileOptions::default(), &mut |_, _| {})
    }

    /// As [`JobFile::open`], with `options`, and `see` is called with each good job.
    ///
    /// # Errors
    /// When the source, the rows or the jobs are wrong.
    pub fn open_seen(
        source: &Source,
        rows: Option<&Path>,
        options: JobFileOptions,
        see: &mut See<'_>,
    ) -> Result<Self, JobsError> {
        Self::check(Opened::new(source)?, rows, options, see)
    }

    fn check(
        opened: Opened,
        rows: Option<&Path>,
        options: JobFileOptions,
        see: &mut See<'_>,
    ) -> Result<Self, JobsError> {
        let (mut walk, problems) = Walk::new(opened, rows.map(Rows::open).transpose()?, options)?;
        let count = check::check(&mut walk, problems, see)?;
        Ok(Self { walk, count, taken: 0 })
    }

    /// How many jobs there are in all.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The secrets that the jobs name.
    #[must_use]
    pub const fn secrets(&self) -> &NamedSecrets {
        self.walk.secrets()
    }

    /// What the source has that no job uses, such as further columns of a table.
    #[must_use]
    pub fn unused(&self) -> Option<String> {
        self.walk.unused()
    }

    /// The next job; none after the last.
    ///
    /// # Errors
    /// When the source cannot be read any more, or was changed since it was opened.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator's `count` would consume it, and `?` reads better"
    )]
    pub fn next(&mut self) -> Result<Option<Job>, JobsError> {
        if self.taken == self.count {
            return Ok(None);
        }
        let changed = |place, why| Err(JobsError::Changed { place, why });
        match self.walk.next()? {
            Some(Ok((_, job))) => {
                self.taken += 1;
                Ok(Some(job))
            }
            Some(Err(fault)) => changed(self.walk.show(fault.place), fault.message),
            None => {
                let why = format!("it ends after {} of {} jobs", self.taken, self.count);
                changed(self.walk.name.clone(), why)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::time::Duration;

    use plimsoll_core::step::{Capture, Step};
    use proptest::prelude::*;

    use super::*;
    use crate::jobs::trial::{Files, ids, jobs, read};

    const VISIT: &str = r#"{"id":"p1","url":"http://site/page/1","extract":{"title":"title","rows":{"all":"tr td:first-child"}},"screenshot":"full","timeout":"20s"}"#;
    const SCRIPT: &str = r##"{"id":"s1","url":"http://site/form","steps":[{"fill":{"selector":"#name","text":"Ada"}},{"click":"#send"},{"wait_for":{"text":"Thank you"}},{"extract":{"answer":"#out"}},{"pdf":{}}]}"##;

    #[test]
    fn the_documented_jobs_are_the_same_in_each_format() {
        let lines = read("jobs.jsonl", format!("{VISIT}\r\n\n{SCRIPT}").as_bytes());
        assert_eq!(ids(&lines), [("p1", "http://site/page/1"), ("s1", "http://site/form")]);
        assert_eq!(lines[0].timeout, Some(Duration::from_secs(20)));
        assert_eq!(
            lines[1].steps.plain().iter().map(|plain| plain.step().name()).collect::<Vec<_>>(),
            ["fill", "click", "wait_for", "extract", "pdf"]
        );
        assert_eq!(read("jobs.json", format!("\u{feff}[{VISIT},\n{SCRIPT}]\n").as_bytes()), lines);
        assert_eq!(read("jobs.JSON", format!("{{\"jobs\": [{VISIT},{SCRIPT}]}}").as_bytes()), lines);
        assert_eq!(read("one.json", SCRIPT.as_bytes()), lines[1..]);
        let toml = r##"
            [[job]]
            id = "p1"
            url = "http://site/page/1"
            screenshot = "full"
            timeout = "20s"
            [job.extract]
            title = "title"
            rows.all = "tr td:first-child"

            [[job]]
            id = "s1"
            url = "http://site/form"
            steps = [
                { fill = { selector = "#name", text = "Ada" } },
                { click = "#send" },
                { wait_for = { text = "Thank you" } },
                { extract = { answer = "#out" } },
                { pdf = {} },
            ]"##;
        assert_eq!(read("jobs.toml", toml.as_bytes()), lines);
    }

    #[test]
    fn a_list_of_urls_is_a_list_of_jobs() {
        let said =
            read("jobs.txt", b"\xEF\xBB\xBFhttp://a/\r\n# more\r\n\r\n  https://b/#x \n  # http://c/\n");
        assert_eq!(ids(&said), [("1", "http://a/"), ("2", "https://b/#x")]);
    }

    #[test]
    fn a_stream_is_read_twice_and_known_by_its_beginning() {
        let stream = |text: &str| {
            let opened =
                Opened::stream("stdin".into(), Path::new(""), text.as_bytes()).expect("a temporary file");
            JobFile::check(opened, None, JobFileOptions::default(), &mut |_, _| {})
                .map(jobs)
                .map_err(|why| why.to_string())
        };
        assert_eq!(stream("http://a/").map(|jobs| jobs.len()), Ok(1));
        assert_eq!(stream(&format!("\n{VISIT}\n{SCRIPT}\n")).map(|jobs| jobs.len()), Ok(2));
        assert_eq!(stream(&format!(" [{VISIT}]")).map(|jobs| jobs.len()), Ok(1));
        assert_eq!(stream("[[job]]\nurl = 'http://a/'").map(|jobs| jobs.len()), Ok(1));
        assert_eq!(stream("title;url\nx;http://a/").map(|jobs| jobs.len()), Ok(1));
        assert_eq!(stream("<urlset><url><loc>http://a/</loc></url></urlset>").map(|jobs| jobs.len()), Ok(1));
        assert_eq!(stream(" \n"), Err("stdin has no jobs".into()));
    }

    #[test]
    fn urls_on_the_command_line_are_jobs() {
        let open = |urls: &[&str]| {
            let source = Source::Urls(urls.iter().map(ToString::to_string).collect());
            JobFile::open(&source, None).map(jobs).map_err(|why| why.to_string())
        };
        let said = open(&["http://a/", "https://b/#x"]).expect("two pages");
        assert_eq!(ids(&said), [("1", "http://a/"), ("2", "https://b/#x")]);
        let said = open(&["http://a/", "http://b/ c", "ftp://c/"]).expect_err("two mistakes");
        assert!(said.starts_with("the command line has 2 mistakes; no job was run\n"), "{said}");
        assert!(
            said.contains("the command line:2:11: text after") && said.contains("the command line:3: "),
            "{said}"
        );
    }

    #[test]
    fn what_all_jobs_bring_back_is_added_in_each_format() {
        let captures = serde_json::from_str(r#"{"screenshot":"full","pdf":{}}"#).expect("keys");
        let options = JobFileOptions { captures, ..JobFileOptions::default() };
        let files = Files::new(&[
            ("a.txt", b"http://a/{{x}}"),
            ("a.jsonl", br##"{"url":"http://a/","screenshot":"#b"}"##),
            ("a.csv", b"url\nhttp://a/"),
            ("a.xml", b"<urlset><url><loc>http://a/</loc></url></urlset>"),
            ("r.csv", b"x\n1\n"),
        ]);
        for (name, rows) in [("a.txt", Some("r.csv")), ("a.jsonl", None), ("a.csv", None), ("a.xml", None)] {
            let (source, rows) = (Source::Path(files.path(name)), rows.map(|rows| files.path(rows)));
            let mut steps = Vec::new();
            JobFile::open_seen(&source, rows.as_deref(), options.clone(), &mut |job, _| {
                steps = (&job.steps).into_iter().cloned().collect();
            })
            .expect("a good job");
            let [Step::Screenshot(taken), Step::Pdf(_)] = &steps[..] else { panic!("{name}: {steps:?}") };
            assert_eq!(taken.of == Capture::Full, name != "a.jsonl", "{name}");
        }
    }

    #[test]
    fn a_missing_secret_is_told_with_its_place() {
        let files = Files::new(&[
            ("a.txt", b"http://a/\nhttp://u:{{secret:PLIMSOLL_TEST_NONE}}@a/"),
            (
                "a.jsonl",
                b"{\"url\":\"http://{{secret:X}}/\"}\n{\"url\":\"http://a/\",\"timeout\":\"{{secret:X}}\"}",
            ),
            ("a.toml", b"[[job]]\nid = \"{{secret:X}}\"\nurl = \"http://a/\""),
        ]);
        let said = |name| files.open(name, None).expect_err("a mistake");
        let told = "a.txt:2: there is no secret `PLIMSOLL_TEST_NONE`; set the environment variable PLIMSOLL_SECRET_PLIMSOLL_TEST_NONE";
        assert!(said("a.txt").contains(told), "{}", said("a.txt"));
        assert!(
            said("a.jsonl").contains("a.jsonl:1: url: `http://{{secret:X}}/` is no URL"),
            "{}",
            said("a.jsonl")
        );
        assert!(
            said("a.jsonl").contains("a.jsonl:2: timeout") && said("a.jsonl").is_ascii(),
            "{}",
            said("a.jsonl")
        );
        assert!(said("a.toml").contains("`id` has a secret"), "{}", said("a.toml"));
    }

    #[test]
    fn uploads_are_seen_from_the_job_file() {
        let files = Files::new(&[(
            "a.jsonl",
            br#"{"url":"http://a/","steps":[{"if":"i","then":[{"upload":{"selector":"i","files":["b/c.txt","/d"]}}]},{"use":"p"}],"procedures":{"p":[{"upload":{"selector":"i","files":["b/c.txt","/d"]}}]}}"#,
        )]);
        let said = jobs(files.open("a.jsonl", None).expect("a good job"));
        let plain = said[0].steps.plain();
        let uploads = plain
            .iter()
            .filter_map(|plain| if let Step::Upload(upload) = plain.step() { Some(upload) } else { None });
        let uploads: Vec<_> = uploads.map(|upload| upload.files.clone()).collect();
        let expected = vec![files.path("b/c.txt"), PathBuf::from("/d")];
        assert_eq!(uploads, [expected.clone(), expected], "in control flow too");
    }

    #[test]
    fn a_file_that_changes_meanwhile_is_noticed() {
        let long = "{\"url\":\"http://a/\"}\n".repeat(10_000);
        let files = Files::new(&[("a.jsonl", long.as_bytes())]);
        let mut file = files.open("a.jsonl", None).expect("good jobs");
        assert!(file.next().is_ok_and(|job| job.is_some()));
        fs::write(files.path("a.jsonl"), "{\"url\":\"http://a/\"}\n".repeat(9_000)).expect("a shorter file");
        let why = std::iter::repeat_with(|| file.next()).find_map(Result::err).expect("it ends too early");
        assert!(matches!(why, JobsError::Changed { .. }), "{why}");
        fs::write(files.path("a.jsonl"), &long).expect("the file again");
        let mut file = files.open("a.jsonl", None).expect("good jobs");
        fs::write(files.path("a.jsonl"), long.replace("http", "ftp!")).expect("other jobs");
        let said = files.said(&file.next().expect_err("no page"));
        assert!(
            said.starts_with(
                "a.jsonl:1:19 was changed after the jobs had been checked (url: `ftp!://a/` is no URL"
            ),
            "{said}"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[\\[\\]{}\":,a-z#.\n= ]{0,60}") {
            for name in ["a.txt", "a.jsonl", "a.json", "a.toml", "a.csv", "a.xml"] {
                for content in [&bytes[..], text.as_bytes()] {
                    let files = Files::new(&[("r.csv", content), (name, content)]);
                    for rows in [None, Some("r.csv")] {
                        if let Ok(file) = files.open(name, rows) {
                            prop_assert!(!jobs(file).is_empty());
                        }
                    }
                }
            }
        }
    }
}
