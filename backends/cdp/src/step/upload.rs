//! Giving files to a file input.
//!
//! The browser reads the files itself, and it may run as another user than we do. So after the input has them,
//! the page is asked how long they are: a file that the browser cannot read has no length there, or a wrong one.

use std::path::{Path, PathBuf};

use chromiumoxide_cdp::cdp::browser_protocol::dom::SetFileInputFilesParams;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::page::{Act, Verdict};
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::Upload;
use serde_json::{Value, json};

use super::probe;
use crate::evaluate;
use crate::page::Page;

/// A file that exists.
#[derive(Debug)]
struct Paper {
    path: String,
    length: u64,
}

/// Gives the step's files to its input.
pub(super) async fn upload(page: &Page, step: &Upload, budget: Budget) -> Result<(), Fault> {
    let (selector, budget) = (&step.selector, budget.at_most(step.timeout));
    let papers = step.files.iter().map(Paper::find).collect::<Result<Vec<_>, _>>()?;
    probe::act::<()>(page, selector, Act::FILE_INPUT, json!(papers.len()), budget).await?;
    if papers.is_empty() {
        return Ok(());
    }

    let element = Act::ELEMENT.script(selector, &Value::Null);
    let Some(object) = evaluate::object(page, &element, budget.left()).await? else {
        let message = format!("`{selector}` went away before it was given its files");
        return Err(Fault::transient(FailureClass::Script, message));
    };
    let files = papers.iter().map(|paper| paper.path.clone()).collect();
    let params =
        SetFileInputFilesParams { object_id: Some(object.into()), ..SetFileInputFilesParams::new(files) };
    page.call(params, budget.left()).await?;

    let lengths = Act::FILES.script(selector, &Value::Null);
    // A page that took the files and moved on, or emptied its input again, has read them.
    let Ok(Verdict::Ready(lengths)) = probe::look::<Vec<Option<u64>>>(page, &lengths, budget).await else {
        return Ok(());
    };
    let unread = papers.iter().zip(lengths).find(|(paper, length)| *length != Some(paper.length));
    unread.map_or(Ok(()), |(paper, _)| {
        Err(unusable(
            &paper.path,
            "cannot be read by the browser; it may run as another user, such as nobody",
        ))
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

fn unusable(file: impl AsRef<Path>, why: &str) -> Fault {
    Fault::persistent(FailureClass::Script, format!("the file {} to upload {why}", file.as_ref().display()))
}
