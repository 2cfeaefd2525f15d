//! [`JobsError`]: why jobs cannot be read. It reports all mistakes of a file at once, each with its place.

use std::fmt;
use std::io;
use std::path::PathBuf;

use plimsoll_core::secret_mark;
use plimsoll_core::shown::excerpt;

use super::format;

/// Why jobs cannot be read. Unless it is [`JobsError::Changed`], no job has been handed out.
#[derive(Debug, thiserror::Error)]
pub enum JobsError {
    /// There is no such file.
    #[error("there is no file {}", .0.display())]
    Missing(PathBuf),
    /// The path is a directory.
    #[error("{} is a directory; name a file in it", .0.display())]
    Directory(PathBuf),
    /// A device has no jobs.
    #[error("{0} is a device; jobs are read from files, pipes and terminals")]
    Device(String),
    /// Reading failed.
    #[error("cannot read {name}: {why}")]
    Unreadable {
        /// The file, or `stdin`.
        name: String,
        /// The system's error.
        why: io::Error,
    },
    /// A stream could not be written to a temporary file, which is needed because jobs are read twice.
    #[error(
        "cannot keep {name} in a temporary file: {why}; set TMPDIR to a directory with room, or write the jobs to a file"
    )]
    Spool {
        /// The stream.
        name: String,
        /// The system's error.
        why: io::Error,
    },
    /// The name of the file does not tell its format.
    #[error("cannot tell what is in {} by its name; jobs are read from {}, or `-` for stdin", .0.display(), format::KNOWN)]
    UnknownExtension(PathBuf),
    /// Rows were given for jobs that are no templates.
    #[error(
        "{0} has no placeholders that --rows could fill; templates are .txt, .jsonl, .json and .toml files"
    )]
    NoTemplates(String),
    /// The file has no jobs.
    #[error("{0} has no jobs")]
    Empty(String),
    /// The file with rows has no rows.
    #[error("{0} has no rows; its first line names the columns, each line after it is a row")]
    NoRows(String),
    /// A file that is read as a whole is too large.
    #[error("{name} is larger than {} MiB, the most that is read as a whole; {remedy}", .limit >> 20)]
    TooLarge {
        /// The file.
        name: String,
        /// The limit in bytes.
        limit: u64,
        /// What to do instead.
        remedy: &'static str,
    },
    /// The file has more jobs than one run may have.
    #[error("{name} makes more than {limit} jobs, the most that one run takes; split it up")]
    TooMany {
        /// The file.
        name: String,
        /// The limit.
        limit: u64,
    },
    /// Something is wrong with the jobs.
    #[error("{}", Listing { name, problems, more: *more })]
    Invalid {
        /// The file.
        name: String,
        /// The first 20 mistakes, in the order of the file.
        problems: Vec<Problem>,
        /// How many more mistakes there are.
        more: u64,
    },
    /// The file was changed after it had been checked.
    #[error(
        "{place} was changed after the jobs had been checked ({why}); let files rest while they are being run"
    )]
    Changed {
        /// Where it was noticed.
        place: String,
        /// What was found there instead of the job.
        why: String,
    },
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// `jobs.jsonl:12:5`: file, line and, if known, column, both from 1.
    pub place: String,
    /// What is wrong and how to fix it.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

struct Listing<'a> {
    name: &'a str,
    problems: &'a [Problem],
    more: u64,
}

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.problems.len() as u64 + self.more;
        let plural = if total == 1 { "" } else { "s" };
        write!(f, "{} has {total} mistake{plural}; no job was run", self.name)?;
        for problem in self.problems {
            write!(f, "\n  {problem}")?;
        }
        if self.more > 0 {
            write!(f, "\n  ... and {} more", self.more)?;
        }
        Ok(())
    }
}

/// A place in a job file, and the row that filled the template there. Places are ordered as in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// From 1.
    pub(super) line: u64,
    /// The row's line in its own file.
    pub(super) row: Option<u64>,
    /// In characters, from 1.
    pub(super) column: Option<u64>,
}

impl Place {
    pub(super) const fn line(line: u64) -> Self {
        Self { line, row: None, column: None }
    }

    pub(super) fn show(self, file: &str, rows: Option<&str>) -> String {
        let mut text = format!("{file}:{}", self.line);
        if let Some(column) = self.column {
            text += &format!(":{column}");
        }
        if let (Some(line), Some(rows)) = (self.row, rows) {
            text += &format!(" with {rows}:{line}");
        }
        text
    }
}

/// What is wrong, and where.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) place: Place,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(place: Place, why: impl fmt::Display) -> Self {
        Self { place, message: why.to_string() }
    }
}

/// Mistakes as they are found: the first few are kept, the rest are counted.
#[derive(Debug, Default)]
pub(super) struct Problems {
    kept: Vec<Fault>,
    more: u64,
}

impl Problems {
    /// How many mistakes are reported in full.
    pub(super) const MAX: usize = 20;

    pub(super) fn add(&mut self, fault: Fault) {
        if self.has_room() { self.kept.push(fault) } else { self.more += 1 }
    }

    /// Adds the mistakes of the file `name`, which the text at `place` names.
    pub(super) fn add_inside(&mut self, place: Place, name: &str, inside: Self) {
        for fault in inside.kept {
            let within = fault.place.show(name, None);
            self.add(Fault::new(place, format_args!("{within}: {}", fault.message)));
        }
        self.more += inside.more;
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.kept.is_empty() && self.more == 0
    }

    pub(super) fn add_untold(&mut self, count: u64) {
        self.more += count;
    }

    pub(super) fn has_room(&self) -> bool {
        self.kept.len() < Self::MAX
    }

    /// `Ok`, or every mistake in `file`.
    pub(super) fn into_result(mut self, file: &str, rows: Option<&str>) -> Result<(), JobsError> {
        if self.is_empty() {
            return Ok(());
        }
        /// In characters.
        const LONGEST: usize = 600;
        self.kept.sort_by_key(|fault| fault.place);
        let tell = |Fault { place, message }| Problem {
            place: place.show(file, rows),
            message: excerpt(&secret_mark::shown(&message), LONGEST),
        };
        Err(JobsError::Invalid {
            name: file.to_owned(),
            problems: self.kept.into_iter().map(tell).collect(),
            more: self.more,
        })
    }
}

impl From<Fault> for Problems {
    fn from(fault: Fault) -> Self {
        Self { kept: vec![fault], more: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_problems_are_told_in_order_and_the_rest_are_counted() {
        let mut problems = Problems::default();
        for line in (1..=30).rev() {
            problems.add(Fault::new(Place::line(line), "wrong"));
        }
        let said = problems.into_result("a.txt", None).expect_err("problems").to_string();
        let lines: Vec<_> = said.lines().collect();
        assert_eq!(lines.len(), 22);
        assert_eq!(lines[0], "a.txt has 30 mistakes; no job was run");
        assert_eq!(lines[1], "  a.txt:11: wrong");
        assert_eq!(lines[21], "  ... and 10 more");
    }

    #[test]
    fn a_message_cannot_speak_to_the_terminal_or_flood_it() {
        let mut problems = Problems::default();
        problems.add(Fault::new(Place::line(1), "a\u{1b}[2Jb\n".to_owned() + &"é".repeat(1 << 20)));
        let said = problems.into_result("a.txt", None).expect_err("a problem").to_string();
        let (_, said) = said.split_once("1: ").expect("the place");
        assert!(said.starts_with("a\\u001b[2Jb\\né"), "{said:.40}");
        assert!(said.chars().count() < 620);
    }
}
