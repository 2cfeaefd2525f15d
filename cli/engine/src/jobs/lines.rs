//! [`Lines`]: reads a file line by line in memory of fixed size, whatever the length of the file and its lines. A line
//! ends with LF, CR LF or CR.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek};

use memchr::{memchr, memchr2};

use super::error::{Fault, Place};

/// The lines of a file.
#[derive(Debug)]
pub(super) struct Lines<F> {
    reader: BufReader<F>,
    /// The line read last.
    buffer: Vec<u8>,
    number: u64,
    /// Whether a line without an end was found. Nothing after its beginning is read.
    is_endless: bool,
}

/// One line, without its end and without a byte order mark.
#[derive(Debug)]
pub(super) struct Line<'a> {
    /// From 1.
    pub(super) number: u64,
    /// Its text; an error when it is not UTF-8 or is too long.
    pub(super) text: Result<&'a str, Fault>,
}

impl Lines<File> {
    pub(super) fn rewind(&mut self) -> io::Result<()> {
        (self.number, self.is_endless) = (0, false);
        self.reader.rewind()
    }
}

impl<F: Read> Lines<F> {
    /// The longest line that is read, in bytes. A longer line is a mistake, not a job.
    pub(super) const LONGEST: u64 = 16 << 20;

    /// How much of a line that is too long is skipped to find the next one, in bytes.
    const SKIPPED: u64 = 64 << 20;

    pub(super) fn new(file: F) -> Self {
        let reader = BufReader::with_capacity(1 << 16, file);
        Self { reader, buffer: Vec::new(), number: 0, is_endless: false }
    }

    /// The next line for which `skip`, called with the line without surrounding blanks, returns `false`.
    pub(super) fn next(&mut self, skip: impl Fn(&[u8]) -> bool) -> io::Result<Option<Line<'_>>> {
        loop {
            if self.is_endless {
                return Ok(None);
            }
            let Some(length) = self.read_line()? else { return Ok(None) };
            self.number += 1;
            if length > Self::LONGEST {
                let why = format!("the line is longer than {} MiB", Self::LONGEST >> 20);
                return Ok(Some(Line {
                    number: self.number,
                    text: Err(Fault::new(Place::line(self.number), why)),
                }));
            }
            if self.number == 1 && self.buffer.starts_with(b"\xEF\xBB\xBF") {
                self.buffer.drain(..3);
            }
            if !skip(self.buffer.trim_ascii()) {
                break;
            }
        }
        Ok(Some(Line { number: self.number, text: text(&self.buffer, self.number) }))
    }

    /// Reads a line into the buffer, without its end, and returns its length; none after the last line. A line without
    /// an end is left after [`Self::SKIPPED`] more bytes than a line may have.
    fn read_line(&mut self) -> io::Result<Option<u64>> {
        self.buffer.clear();
        let mut length = 0;
        loop {
            let available = match self.reader.fill_buf() {
                Err(why) if why.kind() == ErrorKind::Interrupted => continue,
                available => available?,
            };
            if available.is_empty() {
                return Ok((length > 0).then_some(length));
            }
            let end = memchr2(b'\n', b'\r', available);
            let is_return = end.is_some_and(|end| available[end] == b'\r');
            let part = end.unwrap_or(available.len());
            let room = (Self::LONGEST as usize).saturating_sub(self.buffer.len());
            self.buffer.extend_from_slice(&available[..part.min(room)]);
            length += part as u64;
            self.reader.consume(part + usize::from(end.is_some()));
            if is_return && self.reader.fill_buf()?.first() == Some(&b'\n') {
                self.reader.consume(1);
            }
            self.is_endless = length > Self::LONGEST + Self::SKIPPED;
            if end.is_some() || self.is_endless {
                return Ok(Some(length));
            }
        }
    }
}

/// The bytes as text that begins on the line `first`.
pub(super) fn text(bytes: &[u8], first: u64) -> Result<&str, Fault> {
    let place = |offset| {
        let good = String::from_utf8_lossy(&bytes[..offset]);
        let line = first + good.matches('\n').count() as u64;
        let column = good.chars().rev().take_while(|c| *c != '\n').count() as u64 + 1;
        Place { column: Some(column), ..Place::line(line) }
    };
    let text = std::str::from_utf8(bytes).map_err(|why| {
        let byte = bytes[why.valid_up_to()];
        let why_not = format_args!("not UTF-8 (byte 0x{byte:02x}); save the file as UTF-8");
        Fault::new(place(why.valid_up_to()), why_not)
    })?;
    match memchr(0, bytes) {
        Some(zero) => Err(Fault::new(
            place(zero),
            "a zero byte: this is no text, or UTF-16 without its byte order mark; save the file as UTF-8",
        )),
        None => Ok(text.trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Vec<(u64, Result<String, String>)> {
        let mut lines = Lines::new(bytes);
        let mut all = Vec::new();
        while let Some(Line { number, text }) = lines.next(<[u8]>::is_empty).expect("memory can be read") {
            all.push((number, text.map(str::to_owned).map_err(|fault| fault.message)));
        }
        all
    }

    #[test]
    fn marks_line_ends_and_blanks_are_no_part_of_a_line() {
        let said = read(b"\xEF\xBB\xBFa\r\n\r\n  \n b\n\xEF\xBB\xBFc");
        assert_eq!(said, [(1, Ok("a".into())), (4, Ok(" b".into())), (5, Ok("\u{feff}c".into()))]);
        assert_eq!(read(b"a\r\rb\r"), [(1, Ok("a".into())), (3, Ok("b".into()))]);
        assert_eq!(read(b"a\0b")[0].1.clone().map_err(|why| why.starts_with("a zero byte")), Err(true));
    }

    #[test]
    fn a_line_that_is_no_text_or_has_no_end_spoils_no_other() {
        let mut bytes = b"a\n\xC3\xA9\xFF\n".to_vec();
        bytes.resize(bytes.len() + Lines::<File>::LONGEST as usize + 70_000, b'x');
        bytes.extend_from_slice(b"\nb");
        let said = read(&bytes);
        assert_eq!(said[0], (1, Ok("a".into())));
        assert_eq!(said[1], (2, Err("not UTF-8 (byte 0xff); save the file as UTF-8".into())));
        assert_eq!(said[2], (3, Err("the line is longer than 16 MiB".into())));
        assert_eq!(said[3], (4, Ok("b".into())));
        let mut lines = Lines::new(&b"\xC3\xA9\xFF"[..]);
        let fault =
            lines.next(<[u8]>::is_empty).expect("readable").expect("a line").text.expect_err("no UTF-8");
        assert_eq!(fault.place.column, Some(2));
    }

    #[test]
    fn a_line_without_an_end_is_one_mistake() {
        let mut lines = Lines::new(io::repeat(b'x'));
        let first = lines.next(<[u8]>::is_empty).expect("readable").expect("a line");
        assert!(first.text.is_err_and(|fault| fault.message.contains("longer than 16 MiB")));
        assert!(lines.next(<[u8]>::is_empty).expect("readable").is_none());
    }

    proptest! {
        #[test]
        fn lines_are_those_of_the_text(text in "[a-c \r\n]{0,40}") {
            let ends = text.replace("\r\n", "\n").replace('\r', "\n");
            let expected: Vec<_> = ends.split('\n').zip(1..).filter(|(line, _)| !line.trim().is_empty())
                .map(|(line, number)| (number, Ok(line.trim_end().to_owned()))).collect();
            prop_assert_eq!(read(text.as_bytes()), expected);
        }
    }
}
