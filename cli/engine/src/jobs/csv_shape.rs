//! [`Shape`]: what the values of a `.csv` file cannot tell once they are read: quotes that are not closed, and the places of
//! rows with too many or too few values.
//!
//! The crate `csv` reads every text in some way: a quote without an end takes the rest of the file into one value. So the
//! rows are looked through once before they are read, and each value that would be read otherwise than it is written is a
//! mistake.

use memchr::{memchr, memchr3};

use super::error::{Fault, Place, Problems};

/// The separators of values, of which the first line of a file tells the one that is meant.
const SEPARATORS: [u8; 3] = *b",;\t";

/// The rows of a text, as far as they can be read.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) problems: Problems,
    /// How many rows there are, without the line of names.
    pub(super) rows: u64,
    /// The length of the text before the row whose quotes have no end.
    pub(super) readable: usize,
}

/// How the values of a text are separated, and where its first line begins: a line `sep=;` before it is a note of the
/// program that wrote the file.
pub(super) fn separator(text: &str) -> (u8, usize) {
    let line = text.split(['\n', '\r']).next().unwrap_or_default();
    if let Some(&[separator]) = line.strip_prefix("sep=").map(str::as_bytes) {
        let end = if text[line.len()..].starts_with("\r\n") { 2 } else { 1 };
        return (separator, text.len().min(line.len() + end));
    }
    let values = |separator| row(text.as_bytes(), 0, separator).0.len();
    // The first of those that make the most values.
    let most = SEPARATORS.into_iter().rev().max_by_key(|separator| values(*separator));
    (most.unwrap_or(b','), 0)
}

impl Shape {
    /// Looks through `text`, which begins on the line `first`.
    pub(super) fn of(text: &str, separator: u8, first: u64) -> Self {
        let mut shape = Self { problems: Problems::default(), rows: 0, readable: text.len() };
        let (mut at, mut columns, mut lines) = (0, None, Lines { text, first, line: first, start: 0 });
        while at < text.len() {
            let (values, end) = row(text.as_bytes(), at, separator);
            let is_empty = values.len() == 1 && values[0].end == at;
            if !is_empty {
                if let Some(flaw) = values.iter().find_map(|value| value.flaw) {
                    shape.problems.add(flaw.told(&mut lines));
                    if let Flaw::Unclosed(_) = flaw {
                        shape.readable = at;
                        break;
                    }
                }
                shape.rows += u64::from(columns.is_some());
                let columns = *columns.get_or_insert(values.len());
                if values.len() != columns {
                    // The first value that is too many, or the end of the row.
                    let place = values.get(columns).map_or(end, |value| value.start);
                    let plural = if values.len() == 1 { "" } else { "s" };
                    let why = format!(
                        "the row has {} value{plural} for {columns} columns; put values with {} in quotes",
                        values.len(),
                        if separator == b',' { "commas" } else { "separators" }
                    );
                    shape.problems.add(Fault::new(lines.place(place), why));
                }
            }
            at = end + if text[end..].starts_with("\r\n") { 2 } else { 1 };
        }
        shape
    }
}

/// The place of the value `index` in the row that begins at `at`; offsets in `text`.
pub(super) fn start_of(text: &str, at: usize, separator: u8, index: usize) -> Option<usize> {
    row(text.as_bytes(), at, separator).0.get(index).map(|value| value.start)
}

/// A value as it is written; offsets in the text.
#[derive(Debug)]
struct Value {
    start: usize,
    end: usize,
    flaw: Option<Flaw>,
}

/// Why a value would be read otherwise than it is meant.
#[derive(Debug, Clone, Copy)]
enum Flaw {
    /// The quote here has no end.
    Unclosed(usize),
    /// A quote after a blank is a character of the value.
    BlankBefore(usize),
    /// Something stands after the closing quote of the value that begins at the second offset.
    After(usize, usize),
}

impl Flaw {
    fn told(self, lines: &mut Lines<'_>) -> Fault {
        match self {
            Self::Unclosed(at) => Fault::new(
                lines.place(at),
                "the quote that begins here has no end; close it, and write a quote inside of a value twice",
            ),
            Self::BlankBefore(at) => {
                Fault::new(lines.place(at), "a quote after a blank does not quote; take the blank out")
            }
            Self::After(at, quote) => {
                let quote = lines.place(quote);
                let begun = format!("{}:{}", quote.line, quote.column.unwrap_or(1));
                let why = format!(
                    "text after a closing quote, of the value that begins at {begun}; write a quote inside of a value twice"
                );
                Fault::new(lines.place(at), why)
            }
        }
    }
}

/// The values of the row that begins at `at`, and where the row ends, before its line's end.
fn row(text: &[u8], mut at: usize, separator: u8) -> (Vec<Value>, usize) {
    let mut values = Vec::new();
    loop {
        let value = value(text, at, separator);
        let end = value.end;
        values.push(value);
        if text.get(end) != Some(&separator) {
            return (values, end);
        }
        at = end + 1;
    }
}

fn value(text: &[u8], start: usize, separator: u8) -> Value {
    let end_from =
        |at: usize| memchr3(separator, b'\n', b'\r', &text[at..]).map_or(text.len(), |end| at + end);
    let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t') && **byte != separator;
    let blanks = text[start..].iter().take_while(is_blank).count();
    if text.get(start + blanks) != Some(&b'"') {
        return Value { start, end: end_from(start), flaw: None };
    }
    if blanks > 0 {
        return Value { start, end: end_from(start), flaw: Some(Flaw::BlankBefore(start)) };
    }
    let mut at = start + 1;
    let closed = loop {
        match memchr(b'"', &text[at..]) {
            None => return Value { start, end: text.len(), flaw: Some(Flaw::Unclosed(start)) },
            Some(quote) if text.get(at + quote + 1) == Some(&b'"') => at += quote + 2,
            Some(quote) => break at + quote + 1,
        }
    };
    let end = end_from(closed);
    Value { start, end, flaw: (end > closed).then_some(Flaw::After(closed, start)) }
}

/// Places in a text, which are mostly asked for in its order.
struct Lines<'t> {
    text: &'t str,
    first: u64,
    line: u64,
    /// Where the line begins.
    start: usize,
}

impl Lines<'_> {
    fn place(&mut self, at: usize) -> Place {
        if at < self.start {
            (self.line, self.start) = (self.first, 0);
        }
        while let Some(end) = memchr(b'\n', &self.text.as_bytes()[self.start..at]) {
            self.line += 1;
            self.start += end + 1;
        }
        let column = self.text[self.start..at].chars().count() as u64 + 1;
        Place { column: Some(column), ..Place::line(self.line) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(text: &str) -> String {
        let (separator, start) = separator(text);
        let shape = Shape::of(&text[start..], separator, 1);
        shape.problems.into_result("r", None).map_or_else(|why| why.to_string(), |()| String::new())
    }

    #[test]
    fn the_separator_is_the_one_that_makes_the_most_columns() {
        for (text, separated) in [
            ("url,title\n", b','),
            ("url;title\r\n", b';'),
            ("url\ttitle", b'\t'),
            ("\"a,b,c\";url\n", b';'),
            ("url", b','),
            ("", b','),
            ("sep=;\nurl,a;b\n", b';'),
            ("sep=|\r\nurl|a\n", b'|'),
        ] {
            assert_eq!(separator(text).0, separated, "{text}");
        }
        assert_eq!(separator("sep=;\r\nurl").1, 7);
        assert_eq!(separator("sep=;").1, 5);
    }

    #[test]
    fn a_value_that_would_be_read_otherwise_is_told() {
        for (text, told) in [
            ("a,b\n1,\"2\n3,4\n", "  r:2:3: the quote that begins here has no end; close it"),
            (
                "a,b\n\"1\n2\",\"x\"y\n",
                "  r:3:7: text after a closing quote, of the value that begins at 3:4",
            ),
            ("a,b\nä, \"2\"\n", "  r:2:3: a quote after a blank"),
            ("a,b\n1\n1,2\n", "  r:2:2: the row has 1 value for 2 columns; put values with commas in quotes"),
            (
                "a;b\n1;2;3\n",
                "  r:2:5: the row has 3 values for 2 columns; put values with separators in quotes",
            ),
            ("a,b\n\"x\"\"y\"z,2\n", "  r:2:7: text after a closing quote, of the value that begins at 2:1"),
        ] {
            let said = said(text);
            assert!(said.contains(told) && said.starts_with("r has 1 mistake;"), "{text}: {said}");
        }
        assert_eq!(said("a,b\n\n1,\"2\n,\"\"\"\"\r\n\r\n x,5\"\n"), "");
        assert!(said("a,b\n1\n2\n\"3\n4,5").starts_with("r has 3 mistakes;"));
    }

    proptest! {
        /// The crate that reads the values is the model.
        #[test]
        fn a_text_without_a_mistake_is_read_in_the_same_rows(text in "([a ,\"\n\r]|\"[a,\n]{0,4}\",?){0,20}") {
            let shape = Shape::of(&text, b',', 1);
            let Shape { problems, rows, .. } = shape;
            if problems.into_result("r", None).is_ok() {
                let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
                let records: Result<Vec<_>, _> = reader.records().collect();
                let records = records.expect("as many values in each row");
                prop_assert_eq!(rows, (records.len() as u64).saturating_sub(1));
            }
        }
    }
}
