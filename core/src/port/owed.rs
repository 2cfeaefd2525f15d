//! What each step owes, and the check of a driver's answer against it: [`StepOutput::check`].
//!
//! | step | owes |
//! |---|---|
//! | `goto` | a page: a URL, and a status from 100 to 999 or none |
//! | `extract` | data with exactly the fields of the step: a text or null, a list of them, a list of records |
//! | `evaluate` | data with exactly one field, the step's `name`: any JSON |
//! | `content` | the same field: a text |
//! | `get_cookies` | the same field: a list of cookies, each with a `name` and a `value` |
//! | `screenshot`, `pdf` | a file of the kind that the step asks for |
//! | every other step | no output |
//!
//! An output that passes is used as it is; any other output is a [`WrongOutput`], and nothing of it is used.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use url::Url;

use crate::port::output::{Artifact, ArtifactKind, Page, StepOutput};
use crate::step::{Field, ImageFormat, Step};

/// The most text that one step may add to a job's data, in bytes, names of fields included.
pub const LONGEST_DATA: usize = 128 << 20;
/// The largest picture or PDF, in bytes.
pub const LONGEST_ARTIFACT: usize = 256 << 20;
/// A text from a driver is quoted up to this length, in bytes.
const QUOTED: usize = 80;

/// Why an output is not what its step owes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongOutput {
    /// An output of another kind.
    #[error("the step owes {owed}, and the answer is {came}")]
    Kind {
        /// What the step owes.
        owed: &'static str,
        /// What came.
        came: &'static str,
    },
    /// The address of the page is not a URL.
    #[error("the step owes the URL of a page, and the answer has `{0}`")]
    Url(String),
    /// The status of the page is not one of HTTP.
    #[error("the step owes a status from 100 to 999 or none, and the answer has {0}")]
    Status(u16),
    /// A field that the step names is not in the data.
    #[error("the step owes the field `{0}`, and the answer does not have it")]
    Missing(String),
    /// A field that the step does not name is in the data.
    #[error("the answer has the field `{0}`, which the step does not ask for")]
    Unasked(String),
    /// A field has a value of another type.
    #[error("the step owes {owed} in the field `{field}`, and the answer has {came}")]
    Field {
        /// The field; `cards[2].price` is the field `price` of the third record.
        field: String,
        /// What the step owes.
        owed: &'static str,
        /// What came.
        came: &'static str,
    },
    /// The content of a file is not of its kind.
    #[error("the step owes {owed}, and the file of {bytes} bytes does not begin like one")]
    Content {
        /// What the step owes.
        owed: &'static str,
        /// The size of the file.
        bytes: usize,
    },
    /// The output is too large.
    #[error("the answer has {bytes} bytes, and at most {most} are allowed")]
    Large {
        /// The size of the output.
        bytes: usize,
        /// The limit.
        most: usize,
    },
}

impl StepOutput {
    /// Checks that this is what `step` owes.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, step: &Step) -> Result<(), WrongOutput> {
        match (Owed::by(step), self) {
            (Owed::Nothing, Self::Done) => Ok(()),
            (Owed::Page, Self::Page(page)) => check_page(page),
            (Owed::Data(fields), Self::Data(data)) => {
                within(data.iter().map(|(name, value)| name.len() + size(value)).sum(), LONGEST_DATA)?;
                check_record(data, &fields, "")
            }
            (Owed::File(kind), Self::Artifact(artifact)) => check_file(artifact, kind),
            (owed, other) => Err(WrongOutput::Kind { owed: owed.name(), came: other.kind() }),
        }
    }

    /// The kind of output, for messages.
    const fn kind(&self) -> &'static str {
        match self {
            Self::Done => "no output",
            Self::Page(_) => "a page",
            Self::Data(_) => "data",
            Self::Artifact(artifact) => artifact.kind.name(),
        }
    }
}

/// What a step owes.
enum Owed<'a> {
    Nothing,
    Page,
    Data(Vec<(&'a str, Shape<'a>)>),
    File(ArtifactKind),
}

/// The value that a field of the data must have.
enum Shape<'a> {
    Any,
    Text,
    Cookies,
    /// A text, or null where the element is missing.
    Taken,
    TakenOfEach,
    Records(&'a BTreeMap<String, Field>),
}

impl<'a> Owed<'a> {
    fn by(step: &'a Step) -> Self {
        match step {
            Step::Goto(_) => Self::Page,
            Step::Extract(extract) => Self::Data(shapes(&extract.fields)),
            Step::Evaluate(evaluate) => Self::Data(vec![(&evaluate.name, Shape::Any)]),
            Step::Content(content) => Self::Data(vec![(&content.name, Shape::Text)]),
            Step::GetCookies(cookies) => Self::Data(vec![(&cookies.name, Shape::Cookies)]),
            Step::Screenshot(screenshot) => Self::File(match screenshot.format {
                ImageFormat::Png => ArtifactKind::Png,
                ImageFormat::Jpeg => ArtifactKind::Jpeg,
            }),
            Step::Pdf(_) => Self::File(ArtifactKind::Pdf),
            Step::WaitFor(_)
            | Step::Click(_)
            | Step::Fill(_)
            | Step::Type(_)
            | Step::Press(_)
            | Step::Select(_)
            | Step::Check(_)
            | Step::Uncheck(_)
            | Step::Hover(_)
            | Step::Drag(_)
            | Step::Scroll(_)
            | Step::Upload(_)
            | Step::SetCookies(_)
            | Step::SetViewport(_)
            | Step::Expect(_) => Self::Nothing,
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Nothing => "no output",
            Self::Page => "a page",
            Self::Data(_) => "data",
            Self::File(kind) => kind.name(),
        }
    }
}

impl ArtifactKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Png => "a PNG picture",
            Self::Jpeg => "a JPEG picture",
            Self::Pdf => "a PDF document",
        }
    }

    /// The bytes with which every file of this kind begins.
    const fn signature(self) -> &'static [u8] {
        match self {
            Self::Png => b"\x89PNG\r\n\x1a\n",
            Self::Jpeg => b"\xff\xd8\xff",
            Self::Pdf => b"%PDF-",
        }
    }
}

fn shapes<'a>(fields: &'a BTreeMap<String, Field>) -> Vec<(&'a str, Shape<'a>)> {
    let shape = |field: &'a Field| match field {
        Field::One { .. } => Shape::Taken,
        Field::All { .. } => Shape::TakenOfEach,
        Field::Records { fields, .. } => Shape::Records(fields),
    };
    fields.iter().map(|(name, field)| (name.as_str(), shape(field))).collect()
}

fn check_page(page: &Page) -> Result<(), WrongOutput> {
    if Url::parse(&page.url).is_err() {
        return Err(WrongOutput::Url(quoted(&page.url)));
    }
    match page.status {
        Some(status) if !(100..=999).contains(&status) => Err(WrongOutput::Status(status)),
        _ => Ok(()),
    }
}

fn check_file(artifact: &Artifact, owed: ArtifactKind) -> Result<(), WrongOutput> {
    if artifact.kind != owed {
        return Err(WrongOutput::Kind { owed: owed.name(), came: artifact.kind.name() });
    }
    let bytes = artifact.bytes.len();
    within(bytes, LONGEST_ARTIFACT)?;
    if artifact.bytes.starts_with(owed.signature()) {
        Ok(())
    } else {
        Err(WrongOutput::Content { owed: owed.name(), bytes })
    }
}

/// Checks a record; `path` is its place in the data, as a prefix.
fn check_record(
    record: &Map<String, Value>,
    owed: &[(&str, Shape<'_>)],
    path: &str,
) -> Result<(), WrongOutput> {
    for (name, shape) in owed {
        let field = format!("{path}{name}");
        let value = record.get(*name).ok_or_else(|| WrongOutput::Missing(field.clone()))?;
        check_value(value, shape, &field)?;
    }
    let unasked = record.keys().find(|name| owed.iter().all(|(asked, _)| asked != name));
    unasked.map_or(Ok(()), |name| Err(WrongOutput::Unasked(quoted(&format!("{path}{name}")))))
}

fn check_value(value: &Value, shape: &Shape<'_>, field: &str) -> Result<(), WrongOutput> {
    let wrong = |owed| Err(WrongOutput::Field { field: field.to_owned(), owed, came: type_of(value) });
    match (shape, value) {
        (Shape::Any, _) | (Shape::Text | Shape::Taken, Value::String(_)) | (Shape::Taken, Value::Null) => {
            Ok(())
        }
        (Shape::Text, _) => wrong("a text"),
        (Shape::Taken, _) => wrong("a text or null"),
        (Shape::TakenOfEach, Value::Array(items)) => items
            .iter()
            .zip(0..)
            .try_for_each(|(item, n)| check_value(item, &Shape::Taken, &format!("{field}[{n}]"))),
        (Shape::TakenOfEach, _) => wrong("a list"),
        (Shape::Records(fields), Value::Array(items)) => {
            let owed = shapes(fields);
            items.iter().zip(0..).try_for_each(|(item, n)| match item {
                Value::Object(record) => check_record(record, &owed, &format!("{field}[{n}].")),
                other => {
                    let field = format!("{field}[{n}]");
                    Err(WrongOutput::Field { field, owed: "a record", came: type_of(other) })
                }
            })
        }
        (Shape::Records(_), _) => wrong("a list of records"),
        (Shape::Cookies, Value::Array(cookies)) if cookies.iter().all(is_cookie) => Ok(()),
        (Shape::Cookies, _) => wrong("a list of cookies, each with a `name` and a `value`"),
    }
}

fn is_cookie(value: &Value) -> bool {
    ["name", "value"].iter().all(|key| value.get(key).is_some_and(Value::is_string))
}

const fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a record",
    }
}

fn within(bytes: usize, most: usize) -> Result<(), WrongOutput> {
    if bytes > most { Err(WrongOutput::Large { bytes, most }) } else { Ok(()) }
}

/// The memory that a value takes, roughly: its texts, and one unit for each value.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| 1 + size(item)).sum(),
        Value::Object(fields) => fields.iter().map(|(name, value)| 1 + name.len() + size(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
    }
}

fn quoted(text: &str) -> String {
    let kept = &text[..text.floor_char_boundary(QUOTED)];
    if kept.len() < text.len() { format!("{kept}…") } else { kept.to_owned() }
}

#[cfg(test)]
mod tests;
