//! Sets the files of a file input.
//!
//! The browser reads the files itself and may run as another user than this program. Therefore the page is then asked
//! for the lengths of the files: a file that the browser cannot read has no length or a wrong length.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::look::act;
use super::page_driver::PageDriver;
use crate::outcome::{FailureClass, Fault};
use crate::page::{Act, LOOK, Verdict};
use crate::runtime::budget::Budget;
use crate::step::Upload;

/// A file that exists.
#[derive(Debug)]
struct LocalFile {
    path: String,
    /// The length in bytes.
    length: u64,
}

/// Sets the files of the step's input.
pub(super) async fn upload(page: &impl PageDriver, step: &Upload, budget: Budget) -> Result<(), Fault> {
    let (selector, budget) = (&step.selector, budget.at_most(step.timeout));
    let files = step.files.iter().map(LocalFile::find).collect::<Result<Vec<_>, _>>()?;
    act::<()>(page, selector, Act::FILE_INPUT, &json!(files.len()), budget).await?;
    if files.is_empty() {
        return Ok(());
    }
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    page.set_files(selector, &paths, budget).await?;

    let lengths = Act::FILES.script(selector, &Value::Null);
    // A page that took the files and navigated, or emptied its input again, has read the files.
    let looked = page.look::<Vec<Option<u64>>>(&lengths, budget.left().min(LOOK)).await;
    let Ok(Verdict::Ready(lengths)) = looked else { return Ok(()) };
    let unread = files.iter().zip(lengths).find(|(file, length)| *length != Some(file.length));
    unread.map_or(Ok(()), |(file, _)| Err(unreadable(&file.path)))
}

/// The fault of a file that the browser cannot read.
#[must_use]
pub fn unreadable(path: &str) -> Fault {
    unusable(path, "cannot be read by the browser; it may run as another user, such as nobody")
}

impl LocalFile {
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
