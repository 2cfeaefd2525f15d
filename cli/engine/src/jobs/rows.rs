//! [`Rows`]: the rows of a `.csv` file. They fill the placeholders of a template, or are jobs by themselves.
//!
//! The first line names the columns. Every row is looked through when the file is opened, so that a row with too few
//! values is reported before a job runs. After that rows are read one after the other, once for each template.

use std::collections::HashMap;
use std::io::{self, Cursor};
use std::path::Path;

use csv::{Position, Reader, ReaderBuilder, StringRecord};

use super::csv_shape::{self, Shape};
use super::error::{Fault, JobsError, Place, Problems};
use super::lines;
use super::source::{self, LARGEST_DOCUMENT};
use super::template::TemplateError;
use super::text_place::LineStarts;

/// What to do about a table that is too large.
pub(super) const SPLIT: &str = "split the rows over several files";

/// The rows of a file, one after the other.
#[derive(Debug)]
pub(super) struct Rows {
    /// The file's name in messages.
    pub(super) name: String,
    columns: Columns,
    reader: Reader<Cursor<String>>,
    separator: u8,
    first: Position,
    /// How many lines stand before the text: a line `sep=;`.
    above: u64,
    /// How many rows there are.
    pub(super) count: u64,
    /// The row read last, and where it begins in the text.
    record: StringRecord,
    begun: usize,
    line: u64,
    number: u64,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    /// Its number, from 1; the line of names does not count.
    pub(super) number: u64,
    /// The line on which it begins in its file, from 1.
    pub(super) line: u64,
    rows: &'a Rows,
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

    /// A name that two columns have. A column without a name is named by nothing.
    fn twice(&self) -> Option<&str> {
        // The map has the last place of each name.
        let mut places = self.names.iter().zip(0..).filter(|(name, _)| !name.is_empty());
        places.find_map(|(name, place)| (self.places.get(name) != Some(&place)).then_some(name.as_str()))
    }

    fn place(&self, name: &str) -> Result<usize, TemplateError> {
        self.places.get(name).copied().ok_or_else(|| TemplateError::no_column(name, &self.names))
    }
}

impl<'a> Row<'a> {
    pub(super) fn get(self, name: &str) -> Result<&'a str, TemplateError> {
        let place = self.rows.columns.place(name)?;
        self.value(place).ok_or_else(|| TemplateError::no_column(name, &self.rows.columns.names))
    }

    /// The value in the column with this number, from 0.
    pub(super) fn value(self, column: usize) -> Option<&'a str> {
        self.rows.record.get(column)
    }

    /// Whether the row has a value for each column. The rows of a file without mistakes have.
    pub(super) fn is_whole(self) -> bool {
        self.rows.record.len() == self.rows.columns.names.len()
    }

    /// The place of the value in the column with this number.
    pub(super) fn place(self, column: usize) -> Place {
        let row = Place::line(self.line);
        let (text, begun) = (self.rows.reader.get_ref().get_ref(), self.rows.begun);
        match csv_shape::start_of(text, begun, self.rows.separator, column) {
            Some(start) => {
                let place = LineStarts::new(&text[begun..start]).place(&text[begun..start], start - begun);
                Place { line: self.line + place.line - 1, ..place }
            }
            None => row,
        }
    }
}

impl Rows {
    /// Opens and checks the file.
    pub(super) fn open(path: &Path) -> Result<Self, JobsError> {
        let mut opened = source::Opened::rows(path)?;
        let bytes = source::whole(&opened.name, &mut opened.file, LARGEST_DOCUMENT, SPLIT)?;
        let name = opened.name;
        let text = match lines::text(&bytes, 1) {
            Ok(text) => text.to_owned(),
            Err(fault) => {
                Problems::from(fault).into_result(&name, None)?;
                String::new()
            }
        };
        let (rows, problems) = Self::read(name, text)?;
        problems.into_result(&rows.name, None)?;
        if rows.count == 0 {
            return Err(JobsError::NoRows(rows.name));
        }
        Ok(rows)
    }

    /// The rows of a text, and what is wrong with them. Rows with mistakes may be among them, those after a quote without
    /// an end are not.
    pub(super) fn read(name: String, mut text: String) -> Result<(Self, Problems), JobsError> {
        let (separator, start) = csv_shape::separator(&text);
        text.drain(..start);
        let above = u64::from(start > 0);
        let Shape { mut problems, rows: count, readable } = Shape::of(&text, separator, 1 + above);
        text.truncate(readable);
        let mut reader =
            ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(Cursor::new(text));
        let unreadable = |why: csv::Error| JobsError::Unreadable { name: name.clone(), why: why.into() };
        let header = reader.headers().map_err(unreadable)?;
        let columns = Columns::new(header.iter().map(|column| column.trim().to_owned()).collect());
        if let Some(twice) = columns.twice() {
            problems.add(Fault::new(Place::line(1 + above), format_args!("two columns are named `{twice}`")));
        }
        let first = reader.position().clone();
        let record = StringRecord::new();
        Ok((
            Self {
                name,
                columns,
                reader,
                separator,
                first,
                above,
                count,
                record,
                begun: 0,
                line: 0,
                number: 0,
            },
            problems,
        ))
    }

    /// The names of the columns.
    pub(super) fn columns(&self) -> &[String] {
        &self.columns.names
    }

    /// An empty text when the column exists, and the template error when it does not.
    pub(super) fn check(&self, name: &str) -> Result<&'static str, TemplateError> {
        self.columns.place(name).map(|_| "")
    }

    pub(super) fn rewind(&mut self) -> io::Result<()> {
        self.number = 0;
        self.reader.seek(self.first.clone()).map_err(Into::into)
    }

    /// Reads the next row and returns whether there is one.
    pub(super) fn advance(&mut self) -> io::Result<bool> {
        if !self.reader.read_record(&mut self.record)? {
            return Ok(false);
        }
        self.number += 1;
        // The position is that of the end of the row before, and empty lines may follow it.
        let position = self.record.position().unwrap_or(&self.first);
        let rest = &self.reader.get_ref().get_ref()[position.byte() as usize..];
        let ends = &rest[..rest.len() - rest.trim_start_matches(['\r', '\n']).len()];
        self.begun = position.byte() as usize + ends.len();
        self.line = self.above + position.line() + ends.matches('\n').count() as u64;
        Ok(true)
    }

    /// The row read last.
    pub(super) const fn row(&self) -> Row<'_> {
        Row { number: self.number, line: self.line, rows: self }
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
        let files = Files::new(&[("a.jsonl", template), ("r.csv", rows), ("a.txt", b"http://a/{{name}}")]);
        let said = jobs(files.open("a.jsonl", Some("r.csv")).expect("a template"));
        let said_ids = ids(&said);
        assert_eq!(said_ids[..3], [("1-1", "http://a/Ada"), ("1-2", "http://a/Bob"), ("t-1", "http://a/")]);
        assert_eq!(said_ids[3..], [("t-2", "http://a/"), ("Ada", "http://a/"), ("Bob", "http://a/")]);
        assert!(
            matches!(said[0].steps.plain()[0].step(), Step::Fill(fill) if fill.text == "London, UK {{x}}")
        );
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
            "a.jsonl:1 with r.csv:3: url: `ftp://\\nb` has a tab, a line end or another control character in it; write it as \
             a URL does (%09, %0A), or take it out|\
             a.jsonl:1 with r.csv:5: url: `file:///c` has the scheme `file`; only http and https pages can be opened"
        );
        assert_eq!(
            said(br#"{"id":"{{id}}","url":"http://a/"}"#, b"id\nx\ny\nx"),
            "a.jsonl:1 with r.csv:4: id `x` is taken: a.jsonl:1 with r.csv:2 has it"
        );
        assert_eq!(
            said(template, b"page,b\n1\n"),
            "r.csv:2:2: the row has 1 value for 2 columns; put values with commas in quotes"
        );
        assert_eq!(said(template, b"page,page\n1,2\n"), "r.csv:1: two columns are named `page`");
        assert_eq!(
            said(template, b"page\nok\n\xFF\n"),
            "r.csv:3:1: not UTF-8 (byte 0xff); save the file as UTF-8"
        );
        let empty = Files::new(&[("a.jsonl", template), ("r.csv", b"page\n")]).open("a.jsonl", Some("r.csv"));
        assert!(empty.expect_err("no rows").starts_with("r.csv has no rows"));
    }
}
