//! The output of a step.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::outcome::{FailureClass, Fault};
use crate::step::Cookie;

/// The output of one step.
#[derive(Debug, Clone, PartialEq)]
pub enum StepOutput {
    /// The step has no output.
    Done,
    /// A page was opened.
    Page(Page),
    /// Values for the job's data.
    Data(Map<String, Value>),
    /// A picture or a PDF.
    Artifact(Artifact),
}

impl StepOutput {
    /// One value for the job's data.
    #[must_use]
    pub fn named(name: &str, value: Value) -> Self {
        Self::Data(Map::from_iter([(name.to_owned(), value)]))
    }

    /// Cookies for the job's data.
    ///
    /// # Errors
    /// A fault of class `internal` when they cannot be written as JSON.
    pub fn cookies(name: &str, cookies: &[Cookie]) -> Result<Self, Fault> {
        let written = serde_json::to_value(cookies).map_err(|why| {
            Fault::persistent(FailureClass::Internal, format!("cannot write cookies as JSON: {why}"))
        })?;
        Ok(Self::named(name, written))
    }
}

/// A page that was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Where the navigation ended, after redirects.
    pub url: String,
    /// The HTTP status of the document; `None` for documents without one (`about:blank`).
    pub status: Option<u16>,
}

/// A picture or a PDF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// The kind of file.
    pub kind: ArtifactKind,
    /// The file's content.
    pub bytes: Vec<u8>,
}

/// The kind of file of an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArtifactKind {
    /// A PNG picture.
    Png,
    /// A JPEG picture.
    Jpeg,
    /// A PDF document.
    Pdf,
}

impl ArtifactKind {
    /// The file name extension, without a dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Pdf => "pdf",
        }
    }
}

/// Actions of a page that are handled by a fixed rule (see [`crate::step`]) and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Incidents {
    /// Dialogs that were answered.
    pub dialogs: u32,
    /// Popups that were closed.
    pub popups: u32,
    /// Downloads that were refused.
    pub downloads: u32,
}

impl Incidents {
    /// Whether all counts are zero.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
