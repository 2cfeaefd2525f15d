//! [`Rows`]: the rows of a `.csv` file, which fill the placeholders of a template.
//!
//! The first line names the columns. All rows are read once when the file is opened, so that a row with too few values is
//! reported before a job runs. After that they are streamed, once for each template.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use csv::{ErrorKind, Position, Reader, ReaderBuilder, StringRecord};

use super::error::{Fault, JobsError, Place, Problems};
use super::source::{self, LARGEST_DOCUMENT};
use super::template::TemplateError;

/// The rows of a file, one after the other.
#[derive(Debug)]
pub(super) struct Rows {
    /// The file's name in messages.
    pub(super) name: String,
    columns: Columns,
    reader: Reader<File>,
    first: Position,
    /// The row read last.
    record: StringRecord,
    number: u64,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    /// Its number, from 1; the line of names does not count.
    pub(super) number: u64,
    /// The line on which it begins in its file, from 1.
    pub(super) line: u64,
    columns: &'a Columns,
    record: &'a StringRecord,
}

/// The names of the columns, and the place of each.
#[derive(Debug, Default)]
struct Columns {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Columns {
    fn new(names: Vec<String>) -> Self {
        let places = names.iter().cloned().zip(0..).collect();
        Self { names, places }
    }

    /// A name that two columns have.
    fn twice(&self) -> Option<&str> {
        // The map has the last place of each name.
        let mut places = self.names.iter().zip(0..);
        places.find_map(|(name, place)| (self.places.get(name) != Some(&place)).then_some(name.as_str()))
    }

    fn place(&self, name: &str) -> Result<usize, TemplateError> {
        self.places.get(name).copied().ok_or_else(|| TemplateError::no_column(name, &self.names))
    }
}

impl<'a> Row<'a> {
    pub(super) fn get(self, name: &str) -> Result<&'a str, TemplateError> {
        let place = self.columns.place(name)?;
        self.record.get(place).ok_or_else(|| TemplateError::no_column(name, &self.columns.names))
    }
}

impl Rows {
    /// Opens and checks the file.
    pub(super) fn open(path: &Path) -> Result<Self, JobsError> {
        let (name, kind, file) = source::open(path)?;
        let unreadable = |why| JobsError::Unreadable { name: name.clone(), why };
        let file = if kind.is_file() {
            file
        } else {
            source::Opened::stream(name.clone(), Path::new(""), file)?.file
        };
        if file.metadata().map_err(unreadable)?.len() > LARGEST_DOCUMENT {
            return Err(JobsError::TooLarge {
                name,
                limit: LARGEST_DOCUMENT,
                remedy: "split the rows over several files",
            });
        }
        let mut reader = ReaderBuilder::new().from_reader(file);
        let mut problems = Problems::default();
        let columns = match reader.headers() {
            Ok(header) => Columns::new(header.iter().map(|column| column.trim().to_owned()).collect()),
            Err(why) => {
                problems.add(fault(&why));
                Columns::default()
            }
        };
        if let Some(twice) = columns.twice() {
            problems.add(Fault::new(Place::line(1), format_args!("two columns are named `{twice}`")));
        }
        let first = reader.position().clone();
        let mut rows = Self { name, columns, reader, first, record: StringRecord::new(), number: 0 };
        loop {
            match rows.next() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(fault) => problems.add(fault),
            }
        }
        problems.into_result(&rows.name, None)?;
        if rows.number == 0 {
            return Err(JobsError::NoRows(rows.name));
        }
        rows.rewind()?;
        Ok(rows)
    }

    /// An empty text when the column exists, and the template error when it does not.
    pub(super) fn check(&self, name: &str) -> Result<&'static str, TemplateError> {
        self.columns.place(name).map(|_| "")
    }

    pub(super) fn rewind(&mut self) -> Result<(), JobsError> {
        self.number = 0;
        let rewound = self.reader.seek(self.first.clone());
        rewound.map_err(|why| JobsError::Unreadable { name: self.name.clone(), why: why.into() })
    }

    pub(super) fn next(&mut self) -> Result<Option<Row<'_>>, Fault> {
        if !self.reader.read_record(&mut self.record).map_err(|why| fault(&why))? {
            return Ok(None);
        }
        self.number += 1;
        let line = self.record.position().map_or(0, Position::line);
        Ok(Some(Row { number: self.number, line, columns: &self.columns, record: &self.record }))
    }
}

fn fault(why: &csv::Error) -> Fault {
    let place = Place::line(why.position().map_or(1, Position::line));
    match why.kind() {
        ErrorKind::UnequalLengths { expected_len, len, .. } => Fault::new(
            place,
            format_args!(
                "the row has {len} values for {expected_len} columns; put values with commas in quotes"
            ),
        ),
        ErrorKind::Utf8 { .. } => Fault::new(place, "not UTF-8; save the file as UTF-8"),
        _ => Fault::new(place, why),
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_core::step::Step;

    use crate::jobs::trial::{Files, ids, jobs};

    #[test]
    fn a_template_makes_a_job_a_row() {
        let rows = "name,city\nAda,\"London, UK\"\nBob,\"a\nb\"\n".as_bytes();
        let template =
            br##"{"url":"http://a/{{name}}","steps":[{"fill":{"selector":"#c","text":"{{ city }} {{{{x}}"}}]}
            {"id":"t","url":"http://a/"}
            {"id":"{{name}}","url":"http://a/"}"##;
        let files = Files::new(&[("a.jsonl", template), ("r.csv", rows), ("a.txt", b"http://a/{{city}}")]);
        let said = jobs(files.open("a.jsonl", Some("r.csv")).expect("a template"));
        let said_ids = ids(&said);
        assert_eq!(said_ids[..3], [("1-1", "http://a/Ada"), ("1-2", "http://a/Bob"), ("t-1", "http://a/")]);
        assert_eq!(said_ids[3..], [("t-2", "http://a/"), ("Ada", "http://a/"), ("Bob", "http://a/")]);
        assert!(matches!(&said[0].steps[..], [Step::Fill(fill)] if fill.text == "London, UK {{x}}"));
        assert_eq!(jobs(files.open("a.txt", Some("r.csv")).expect("a template")).len(), 2);
    }

    #[test]
    fn many_columns_cost_no_more_than_their_length() {
        // With a search for each name, this takes minutes.
        let names: Vec<_> = (0..200_000).map(|n| format!("c{n}")).collect();
        let rows = format!("{}\n{}\n", names.join(","), vec!["v"; names.len()].join(","));
        let fills: String = names.iter().step_by(2).map(|name| format!("{{{{{name}}}}}")).collect();
        let files =
            Files::new(&[("a.txt", format!("http://a/{fills}").as_bytes()), ("r.csv", rows.as_bytes())]);
        let said = jobs(files.open("a.txt", Some("r.csv")).expect("a template"));
        assert_eq!(ids(&said), [("1-1", &*format!("http://a/{}", "v".repeat(100_000)))]);
        let unknown = Files::new(&[("a.txt", b"http://a/{{x}}"), ("r.csv", rows.as_bytes())]);
        let said = unknown.open("a.txt", Some("r.csv")).expect_err("no such column");
        assert!(said.contains("c0, c1") && said.contains("and 199980 more"), "{said}");
    }

    #[test]
    fn a_filled_job_has_a_bound() {
        let cell = "v".repeat(1 << 20);
        let rows = format!("a\n{cell}\n");
        let template = |fills: usize| format!("http://a/{}", "{{a}}".repeat(fills));
        let open = |fills| {
            let files = Files::new(&[("a.txt", template(fills).as_bytes()), ("r.csv", rows.as_bytes())]);
            files.open("a.txt", Some("r.csv")).map(jobs)
        };
        assert!(open(15).is_ok());
        let said = open(17).expect_err("too large");
        assert!(said.contains("with r.csv:2: the values make the job larger than 16 MiB"), "{said}");
    }

    #[test]
    fn what_is_wrong_with_a_template_is_told_once_and_with_a_row_each_time() {
        let said = |template: &[u8], rows: &[u8]| {
            let files = Files::new(&[("a.jsonl", template), ("r.csv", rows)]);
            files
                .open("a.jsonl", Some("r.csv"))
                .expect_err("a mistake")
                .lines()
                .skip(1)
                .map(str::trim)
                .collect::<Vec<_>>()
                .join("|")
        };
        let template = br#"{"url":"{{page}}"}"#;
        assert_eq!(
            said(template, b"pages\na\nb"),
            "a.jsonl:1: `{{page}}` names no column; did you mean `pages`?; the columns are pages"
        );
        assert_eq!(said(br#"{"uri":"{{page}}"}"#, b"page\na\nb").matches("unknown key").count(), 1);
        assert_eq!(
            said(template, b"page\nhttp://a/\n\"ftp://\nb\"\nfile:///c"),
            "a.jsonl:1 with r.csv:3: url: `ftp://\\nb` has the scheme `ftp`; only http and https pages can be opened|\
             a.jsonl:1 with r.csv:5: url: `file:///c` has the scheme `file`; only http and https pages can be opened"
        );
        assert_eq!(
            said(br#"{"id":"{{id}}","url":"http://a/"}"#, b"id\nx\ny\nx"),
            "a.jsonl:1 with r.csv:4: id `x` is taken: a.jsonl:1 with r.csv:2 has it"
        );
        assert_eq!(
            said(template, b"page,b\n1\n"),
            "r.csv:2: the row has 1 values for 2 columns; put values with commas in quotes"
        );
        assert_eq!(said(template, b"page,page\n1,2\n"), "r.csv:1: two columns are named `page`");
        assert_eq!(said(template, b"page\nok\n\xFF\n"), "r.csv:3: not UTF-8; save the file as UTF-8");
        let empty = Files::new(&[("a.jsonl", template), ("r.csv", b"page\n")]).open("a.jsonl", Some("r.csv"));
        assert!(empty.expect_err("no rows").starts_with("r.csv has no rows"));
    }
}
