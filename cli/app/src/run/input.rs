//! What the arguments of `plimsoll run` ask for: where the jobs are, and what each brings back.

use std::ffi::OsString;
use std::path::Path;

use plimsoll::decode;
use plimsoll::jobs::Source;
use plimsoll_core::job::Captures;
use serde_json::{Map, Value, json};

use crate::args::RunArgs;

/// Why arguments cannot be followed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Mistake {
    #[error("there are no jobs; name a file, `-` for standard input, or URLs")]
    NoJobs,
    /// The option has taken what was meant to be a job.
    #[error(
        "there are no jobs; `--screenshot` takes `{0}` for the part of the page to picture: write the jobs before it, or \
         `--screenshot page {0}`"
    )]
    Taken(String),
    #[error("`{0}` stands beside other jobs; a run takes one file, standard input, or URLs")]
    Mixed(String),
    #[error("there is no file {0}; a URL is written with its scheme, as in https://{0}")]
    NoScheme(String),
    #[error(
        "--screenshot `{0}`: a picture is of `page`, `full` or a CSS selector; write URLs before the option, or \
         `--screenshot page {0}`"
    )]
    Picture(String),
    #[error("--extract `{0}`: write it as NAME=SELECTOR, as in title=h1")]
    Extract(String),
    #[error("--extract: `{0}` is given twice")]
    Twice(String),
    #[error("{0}")]
    Refused(String),
}

/// Where the jobs are.
pub(super) fn source(args: &RunArgs) -> Result<Source, Mistake> {
    let urls: Vec<String> = args.jobs.iter().filter_map(url).collect();
    match &args.jobs[..] {
        [] => Err(args.screenshot.clone().map_or(Mistake::NoJobs, Mistake::Taken)),
        jobs if urls.len() == jobs.len() => Ok(Source::Urls(urls)),
        [job] if is_host(job) => Err(Mistake::NoScheme(job.to_string_lossy().into_owned())),
        [job] => Ok(Source::from(job.clone())),
        jobs => {
            let file = jobs.iter().find(|job| url(job).is_none());
            Err(Mistake::Mixed(file.unwrap_or(&jobs[0]).to_string_lossy().into_owned()))
        }
    }
}

/// What each job brings back that has no such key of its own.
pub(super) fn captures(args: &RunArgs) -> Result<Captures, Mistake> {
    let mut keys = Map::new();
    if let Some(what) = &args.screenshot {
        if what.contains("://") || what.trim().is_empty() {
            return Err(Mistake::Picture(what.clone()));
        }
        keys.insert("screenshot".to_owned(), what.clone().into());
    }
    if args.pdf {
        keys.insert("pdf".to_owned(), json!({}));
    }
    let mut fields = Map::new();
    for field in &args.extract {
        let named = field.split_once('=').map(|(name, selector)| (name.trim(), selector.trim()));
        let (name, selector) = named
            .filter(|(name, selector)| !name.is_empty() && !selector.is_empty())
            .ok_or_else(|| Mistake::Extract(field.clone()))?;
        if fields.insert(name.to_owned(), selector.into()).is_some() {
            return Err(Mistake::Twice(name.to_owned()));
        }
    }
    if !fields.is_empty() {
        keys.insert("extract".to_owned(), Value::Object(fields));
    }
    decode::from_value(&Value::Object(keys)).map_err(|why| Mistake::Refused(why.to_string()))
}

/// The argument, if it is a URL.
fn url(argument: &OsString) -> Option<String> {
    let text = argument.to_str()?;
    (text.contains("://") || text == "about:blank").then(|| text.to_owned())
}

/// Whether an argument that names no file could be the rest of a URL.
fn is_host(argument: &OsString) -> bool {
    const FILES: [&str; 8] = [".txt", ".jsonl", ".ndjson", ".json", ".toml", ".csv", ".tsv", ".xml"];
    let Some(text) = argument.to_str() else { return false };
    let host = text.split('/').next().unwrap_or_default();
    let is_host =
        host.contains('.') && !host.starts_with('.') && url::Url::parse(&format!("https://{text}")).is_ok();
    is_host && !FILES.iter().any(|file| text.to_lowercase().ends_with(file)) && !Path::new(argument).exists()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn args(more: &[&str]) -> RunArgs {
        let args = ["plimsoll", "run"].iter().chain(more);
        match Cli::try_parse_from(args).expect("good arguments").command {
            Command::Run(args) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn jobs_are_one_file_or_urls() {
        let of = |more: &[&str]| source(&args(more));
        assert_eq!(of(&["-"]), Ok(Source::Stdin));
        assert_eq!(of(&["jobs.txt", "--screenshot", "full"]), Ok(Source::Path("jobs.txt".into())));
        let urls = |urls: &[&str]| Ok(Source::Urls(urls.iter().map(ToString::to_string).collect()));
        assert_eq!(of(&["http://a/", "HTTPS://b/", "--pdf"]), urls(&["http://a/", "HTTPS://b/"]));
        assert_eq!(of(&["--screenshot", "full", "http://a/"]), urls(&["http://a/"]));
        assert_eq!(of(&["--pdf", "about:blank"]), urls(&["about:blank"]));
        assert_eq!(of(&[]), Err(Mistake::NoJobs));
        assert_eq!(of(&["--screenshot", "urls.txt"]), Err(Mistake::Taken("urls.txt".to_owned())));
        assert_eq!(of(&["a.txt", "b.txt"]), Err(Mistake::Mixed("a.txt".to_owned())));
        assert_eq!(of(&["http://a/", "b.txt"]), Err(Mistake::Mixed("b.txt".to_owned())));
        assert_eq!(of(&["site.example/a"]), Err(Mistake::NoScheme("site.example/a".to_owned())));
        assert_eq!(of(&["missing.jsonl"]), Ok(Source::Path("missing.jsonl".into())));
    }

    #[test]
    fn flags_are_the_keys_of_a_job() {
        let of = |more: &[&str]| captures(&args(&[&["http://a/"], more].concat()));
        let keys = |keys: Value| decode::from_value::<Captures>(&keys).expect("keys of a job");
        assert_eq!(of(&[]), Ok(Captures::default()));
        assert_eq!(of(&["--screenshot"]), Ok(keys(json!({"screenshot": "page"}))));
        assert_eq!(of(&["--screenshot", "--pdf"]), Ok(keys(json!({"screenshot": "page", "pdf": {}}))));
        assert_eq!(
            of(&["--extract", "t=title", "--extract", "next=a[rel=next]", "--screenshot", "#a > b"]),
            Ok(keys(json!({"screenshot": "#a > b", "extract": {"t": "title", "next": "a[rel=next]"}})))
        );
        for wrong in ["title", "=h1", "t=", " = "] {
            assert_eq!(of(&["--extract", wrong]), Err(Mistake::Extract(wrong.to_owned())));
        }
        assert_eq!(of(&["--extract", "t=a", "--extract", "t=b"]), Err(Mistake::Twice("t".to_owned())));
        assert_eq!(of(&["--screenshot", "http://b/"]), Err(Mistake::Picture("http://b/".to_owned())));
    }
}
