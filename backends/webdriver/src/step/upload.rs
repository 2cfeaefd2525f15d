//! Giving files to a file input.
//!
//! The browser reads the files itself, and it may run as another user than we do. So after the input has them,
//! the page is asked how long they are: a file that the browser cannot read has no length there, or a wrong one.

use std::path::{Path, PathBuf};

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::page::{Act, Verdict};
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::Upload;
use serde::Deserialize;
use serde_json::{Value, json};

use super::probe;
use crate::call::Code;
use crate::session::LOOK;
use crate::tab::Tab;

/// A file that exists.
#[derive(Debug)]
struct Paper {
    path: String,
    length: u64,
}

/// A reference to an element.
#[derive(Debug, Deserialize)]
struct Element {
    /// The key is the standard's own.
    #[serde(rename = "element-6066-11e4-a52e-4f735466cecf")]
    id: String,
}

/// Gives the step's files to its input.
pub(super) async fn upload(tab: &Tab, step: &Upload, budget: Budget) -> Result<(), Fault> {
    let (selector, budget) = (&step.selector, budget.at_most(step.timeout));
    let papers = step.files.iter().map(Paper::find).collect::<Result<Vec<_>, _>>()?;
    probe::act::<()>(tab, selector, Act::FILE_INPUT, json!(papers.len()), budget).await?;
    if papers.is_empty() {
        return Ok(());
    }
    // To what an input holds WebDriver would add.
    probe::act::<()>(tab, selector, Act::FILE_INPUT, json!(0), budget).await?;

    let id = element(tab, selector, budget).await?;
    let paths: Vec<&str> = papers.iter().map(|paper| paper.path.as_str()).collect();
    let keys = json!({ "text": paths.join("\n") });
    let given = tab.session().post::<Value>(&format!("element/{id}/value"), &keys, budget.left()).await;
    given.map_err(|error| match error.code() {
        // It looks whether they are there, and it may not be allowed to.
        Some(Code::InvalidArgument) => unreadable(papers.first().map_or("", |paper| paper.path.as_str())),
        _ => error.into(),
    })?;

    let lengths = Act::FILES.script(selector, &Value::Null);
    // A page that took the files and moved on, or emptied its input again, has read them.
    let looked = probe::look::<Vec<Option<u64>>>(tab, &lengths, budget.left().min(LOOK)).await;
    let Ok(Verdict::Ready(lengths)) = looked else { return Ok(()) };
    let unread = papers.iter().zip(lengths).find(|(paper, length)| *length != Some(paper.length));
    unread.map_or(Ok(()), |(paper, _)| Err(unreadable(&paper.path)))
}

/// The remote end's name for the first match.
pub(super) async fn element(tab: &Tab, selector: &str, budget: Budget) -> Result<String, Fault> {
    let script = format!("return {};", Act::ELEMENT.script(selector, &Value::Null));
    let element: Option<Element> = tab.session().run(&script, &json!([]), LOOK, budget.left()).await?;
    element.map(|element| element.id).ok_or_else(|| {
        Fault::transient(FailureClass::Script, format!("`{selector}` went away in the middle of the step"))
    })
}

impl Paper {
    fn find(file: &PathBuf) -> Result<Self, Fault> {
        let found = std::path::absolute(file).and_then(|path| Ok((std::fs::metadata(&path)?, path)));
        match found {
            Ok((data, path)) if data.is_file() => match path.to_str() {
                Some(path) => Ok(Self { path: path.to_owned(), length: data.len() }),
                None => Err(unusable(file, "has a name that is not UTF-8")),
            },
            Ok(_) => Err(unusable(file, "is not a file")),
            Err(why) => Err(unusable(file, &format!("cannot be found: {why}"))),
        }
    }
}

fn unreadable(path: &str) -> Fault {
    unusable(path, "cannot be read by the browser; it may run as another user, such as nobody")
}

fn unusable(file: impl AsRef<Path>, why: &str) -> Fault {
    Fault::persistent(FailureClass::Script, format!("the file {} to upload {why}", file.as_ref().display()))
}
