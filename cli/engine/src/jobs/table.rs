//! [`UrlTable`]: a `.csv` file whose rows are jobs. The column `url` has their pages; the column `id`, if there is one, has
//! their ids.

use std::io;

use serde_json::{Value, json};

use super::error::{Fault, JobsError, Place, Problems};
use super::rows::{Row, Rows};
use crate::decode::{DecodeError, Segment, nearest};

/// The jobs of a table.
#[derive(Debug)]
pub(super) struct UrlTable {
    rows: Rows,
    url: usize,
    id: Option<usize>,
}

/// The job of one row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    row: Row<'a>,
    url: usize,
    id: Option<usize>,
}

impl UrlTable {
    /// The jobs of the table in `text`, and what is wrong with its rows.
    pub(super) fn parse(name: String, text: String) -> Result<(Self, Problems), JobsError> {
        let (rows, mut problems) = Rows::read(name, text)?;
        let column = |name: &str| rows.columns().iter().position(|column| column.eq_ignore_ascii_case(name));
        let (Some(url), id) = (column("url"), column("id")) else {
            problems.add(Fault::new(Place::line(1), no_url(&rows)));
            problems.into_result(&rows.name, None)?;
            return Err(JobsError::Empty(rows.name));
        };
        Ok((Self { rows, url, id }, problems))
    }

    /// The next row. Rows with too many or too few values were mistakes already.
    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        while self.rows.advance()? {
            if self.rows.row().is_whole() {
                return Ok(Some(Line { row: self.rows.row(), url: self.url, id: self.id }));
            }
        }
        Ok(None)
    }

    pub(super) fn rewind(&mut self) -> io::Result<()> {
        self.rows.rewind()
    }

    /// The columns that no job uses.
    pub(super) fn unused(&self) -> Option<String> {
        /// Columns that a message lists.
        const LISTED: usize = 10;
        let used = [Some(self.url), self.id];
        let columns = self.rows.columns().iter().enumerate();
        let unused = columns.filter(|(column, _)| !used.contains(&Some(*column)));
        let names: Vec<String> = unused
            .map(
                |(column, name)| {
                    if name.is_empty() { format!("column {}", column + 1) } else { format!("`{name}`") }
                },
            )
            .collect();
        let (listed, more) = names.split_at(names.len().min(LISTED));
        let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        (!names.is_empty()).then(|| {
            let name = &self.rows.name;
            format!("{name}: a job takes `url` and `id` from a table; not used: {}{more}", listed.join(", "))
        })
    }
}

fn no_url(rows: &Rows) -> String {
    /// Columns that a message lists.
    const LISTED: usize = 20;
    let names = rows.columns();
    let meant = nearest("url", names.iter().map(String::as_str));
    let meant = meant.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
    let known = names[..names.len().min(LISTED)].join(", ");
    let name = &rows.name;
    format!(
        "no column is named `url`{meant}; the first line names the columns, and they are {known}; name one `url`, or write a \
         job with {{{{column}}}} in it and run that with --rows {name}"
    )
}

impl Line<'_> {
    pub(super) fn place(&self) -> Place {
        Place::line(self.row.line)
    }

    /// The job's keys.
    pub(super) fn value(&self) -> Value {
        let mut keys = json!({"url": self.row.value(self.url).unwrap_or_default()});
        let id = self.id.and_then(|id| self.row.value(id)).map(str::trim).filter(|id| !id.is_empty());
        if let Some(id) = id {
            keys["id"] = id.into();
        }
        keys
    }

    /// The place of the value with the error.
    pub(super) fn place_of(&self, error: &DecodeError) -> Place {
        let is_id = error.path().any(|segment| *segment == Segment::Key("id".to_owned()));
        self.row.place(self.id.filter(|_| is_id).unwrap_or(self.url))
    }
}

#[cfg(test)]
mod tests {
    use crate::jobs::trial::{Files, ids, problems, read};

    #[test]
    fn a_row_is_a_job_whatever_separates_its_values() {
        for table in [
            "url,title\nhttp://a/?x=1;y,\"A, \"\"a\"\"\nb\"\n\nhttp://b/,B\n",
            "\u{feff}Title;URL\r\n\"A;a\";\"http://a/?x=1;y\"\r\nB;\" http://b/ \"\r\n",
            "title\turl\nA, a\t\"http://a/?x=1;y\"\nB\thttp://b/",
            "url\rhttp://a/?x=1;y\rhttp://b/\r",
            "sep=;\nurl;\n\"http://a/?x=1;y\";\nhttp://b/;\n",
        ] {
            let said = read("a.csv", table.as_bytes());
            assert_eq!(ids(&said), [("1", "http://a/?x=1;y"), ("2", "http://b/")], "{table}");
        }
        assert_eq!(read("a.tsv", b"URL\tx\nhttp://a/\t1\n").len(), 1);
        let said = read("a.csv", b"id,url\nx,http://a/\n,http://b/{{c}}\n");
        assert_eq!(ids(&said), [("x", "http://a/"), ("2", "http://b/%7B%7Bc%7D%7D")]);
    }

    #[test]
    fn all_mistakes_of_a_table_are_told_at_once_with_their_places() {
        let said = problems(
            "a.csv",
            "title,url,id\r\nä,ftp://a/,1\r\nx,http://a/\r\n\r\ny,http://b/,2,3\r\nz,\"http://c/\td\",4\r\n\"\n\",http://e/,4\r\n1,http://f/,4\r\n\"2,http://g/,5\r\n"
                .as_bytes(),
        );
        let lines: Vec<_> = said.lines().map(str::trim).collect();
        let begin = [
            "a.csv:2:3: url: `ftp://a/` has the scheme `ftp`",
            "a.csv:3:12: the row has 2 values for 3 columns",
            "a.csv:5:15: the row has 4 values for 3 columns",
            "a.csv:6:3: url: `http://c/\\u0009d` has a tab",
            "a.csv:9: id `4` is taken: a.csv:7 has it",
            "a.csv:10:1: the quote that begins here has no end",
        ];
        assert_eq!(lines.len(), begin.len(), "{said}");
        for (line, begin) in lines.iter().zip(begin) {
            assert!(
                line.starts_with(begin) || line.replace('\t', "\\u0009").starts_with(begin),
                "{line}\n{begin}"
            );
        }
        assert!(
            problems("a.csv", b"link,title\nhttp://a/,b\n").starts_with("a.csv:1: no column is named `url`")
        );
        assert!(problems("a.csv", b"urls\nhttp://a/\n").contains("did you mean `urls`?"));
        assert!(problems("a.csv", b"http://a/\nhttp://b/\n").contains("the first line names the columns"));
        assert!(
            problems("a.csv", b"url,url\nhttp://a/,b\n").starts_with("a.csv:1: two columns are named `url`")
        );
        assert_eq!(problems("a.csv", b"url,id\n"), "a.csv has no jobs");
    }

    #[test]
    fn columns_that_no_job_uses_are_told() {
        let note = |table: &str| {
            let files = Files::new(&[("a.csv", table.as_bytes())]);
            let file = files.open("a.csv", None).expect("a table");
            file.unused().map(|note| note.replace(&format!("{}/", files.0.path().display()), ""))
        };
        assert_eq!(note("url,ID\nhttp://a/,x\n"), None);
        assert_eq!(
            note("url,title,\nhttp://a/,x,\n").as_deref(),
            Some("a.csv: a job takes `url` and `id` from a table; not used: `title`, column 3")
        );
    }

    #[test]
    fn a_table_is_no_template() {
        let files = Files::new(&[("a.csv", b"url\nhttp://a/{{x}}\n"), ("r.csv", b"x\n1\n")]);
        let said = files.open("a.csv", Some("r.csv")).expect_err("no template");
        assert!(said.starts_with("a.csv has no placeholders that --rows could fill"), "{said}");
    }
}
