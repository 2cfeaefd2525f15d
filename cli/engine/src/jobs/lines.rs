//! [`Lines`]: reads a file line by line in memory of fixed size, whatever the length of the file and its lines.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};

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
            self.buffer.clear();
            if self.is_endless {
                return Ok(None);
            }
            let length = (&mut self.reader).take(Self::LONGEST + 1).read_until(b'\n', &mut self.buffer)?;
            if length == 0 {
                return Ok(None);
            }
            self.number += 1;
            let too_long = length as u64 > Self::LONGEST && self.buffer.last() != Some(&b'\n');
            if too_long {
                let skipped = (&mut self.reader).take(Self::SKIPPED).skip_until(b'\n')?;
                self.is_endless = skipped as u64 == Self::SKIPPED;
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
}

/// The bytes as text that begins on the line `first`.
pub(super) fn text(bytes: &[u8], first: u64) -> Result<&str, Fault> {
    std::str::from_utf8(bytes).map(str::trim_end).map_err(|why| {
        let good = String::from_utf8_lossy(&bytes[..why.valid_up_to()]);
        let line = first + good.matches('\n').count() as u64;
        let column = good.chars().rev().take_while(|c| *c != '\n').count() as u64 + 1;
        Fault::new(
            Place { column: Some(column), ..Place::line(line) },
            format_args!("not UTF-8 (byte 0x{:02x}); save the file as UTF-8", bytes[why.valid_up_to()]),
        )
    })
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
            let expected: Vec<_> = text.split('\n').zip(1..).filter(|(line, _)| !line.trim().is_empty())
                .map(|(line, number)| (number, Ok(line.trim_end().to_owned()))).collect();
            prop_assert_eq!(read(text.as_bytes()), expected);
        }
    }
}
