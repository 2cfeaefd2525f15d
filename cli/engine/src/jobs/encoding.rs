//! [`utf8`]: a job file as UTF-8. A file that begins with the byte order mark of UTF-16 is decoded.
//!
//! ```text
//!   FF FE or FE FF ──► decoded piece by piece into a temporary file
//!   anything else  ──► the file itself; what is not UTF-8 in it is a mistake of its line
//! ```

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, Write};

use encoding_rs::{DecoderResult, Encoding, UTF_16BE, UTF_16LE};

use super::error::{Fault, JobsError, Place, Problems};

/// `file` from its beginning, as UTF-8.
pub(super) fn utf8(name: &str, mut file: File) -> Result<File, JobsError> {
    let unreadable = |why| JobsError::Unreadable { name: name.to_owned(), why };
    let mut mark = [0; 2];
    file.rewind().map_err(unreadable)?;
    let length = file.read(&mut mark).map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    match &mark[..length] {
        b"\xFF\xFE" => decoded(name, &mut file, UTF_16LE),
        b"\xFE\xFF" => decoded(name, &mut file, UTF_16BE),
        _ => Ok(file),
    }
}

fn decoded(name: &str, file: &mut File, encoding: &'static Encoding) -> Result<File, JobsError> {
    let unreadable = |why| JobsError::Unreadable { name: name.to_owned(), why };
    let spool = |why| JobsError::Spool { name: name.to_owned(), why };
    let mut text = BufWriter::new(tempfile::tempfile().map_err(spool)?);
    let mut decoder = encoding.new_decoder_with_bom_removal();
    let (mut bytes, mut piece) = (vec![0; 1 << 16], String::with_capacity(1 << 18));
    let mut place = Place { column: Some(1), ..Place::line(1) };
    loop {
        let length = match file.read(&mut bytes) {
            Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
            read => read.map_err(unreadable)?,
        };
        piece.clear();
        // A piece of 64 KiB makes at most three bytes of each two, which the capacity holds.
        let (result, _) =
            decoder.decode_to_string_without_replacement(&bytes[..length], &mut piece, length == 0);
        place = after(place, &piece);
        if let DecoderResult::Malformed(..) = result {
            let fault =
                Fault::new(place, "not UTF-16, which its byte order mark promises; save the file as UTF-8");
            Problems::from(fault).into_result(name, None)?;
        }
        text.write_all(piece.as_bytes()).map_err(spool)?;
        if length == 0 {
            break;
        }
    }
    let mut text = text.into_inner().map_err(|why| spool(why.into_error()))?;
    text.rewind().map_err(spool)?;
    Ok(text)
}

/// The place after `text`, which begins at `place`.
fn after(place: Place, text: &str) -> Place {
    let lines = text.matches('\n').count() as u64;
    let begun = text.rsplit('\n').next().unwrap_or_default().chars().count() as u64;
    let before = if lines == 0 { place.column.unwrap_or(1) } else { 1 };
    Place { line: place.line + lines, column: Some(before + begun), ..place }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::jobs::trial::{ids, problems, read};

    /// The text in UTF-16 with its mark, the lower byte first or last.
    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
    }

    #[test]
    fn a_file_in_utf_16_is_known_by_its_mark() {
        let list = "# Bücher ⚓ 🚢\r\nhttp://a/ä\r\nhttp://b/\r\n";
        for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
            let said = read("a.txt", &utf16(list, bytes));
            assert_eq!(ids(&said), [("1", "http://a/%C3%A4"), ("2", "http://b/")]);
            assert_eq!(read("a.json", &utf16("[{\"url\":\"http://a/\"}]", bytes)).len(), 1);
            assert_eq!(read("a.csv", &utf16("url;title\r\nhttp://a/;ä\r\n", bytes)).len(), 1);
            let long = utf16(&format!("{}\nhttp://b/", "http://a/\n".repeat(50_000)), bytes);
            assert_eq!(read("a.txt", &long).len(), 50_001);
        }
    }

    #[test]
    fn what_is_no_utf_16_is_told_with_its_place() {
        let mut half = utf16("http://a/\nhttp://ä", u16::to_le_bytes);
        half.extend([0x00, 0xD8, b'x', 0]);
        let said = problems("a.txt", &half);
        assert_eq!(said, "a.txt:2:9: not UTF-16, which its byte order mark promises; save the file as UTF-8");
        let unmarked = &utf16("http://a/", u16::to_le_bytes)[2..];
        assert!(
            problems("a.txt", unmarked).starts_with("a.txt:1:2: a zero byte"),
            "{}",
            problems("a.txt", unmarked)
        );
    }

    proptest! {
        #[test]
        fn any_text_is_the_same_in_both_encodings(text in "[a-zäé船🚢#/: \r\n]{0,60}") {
            let list = format!("http://first/\n{text}");
            let outcome = |bytes: &[u8]| {
                let files = crate::jobs::trial::Files::new(&[("a.txt", bytes)]);
                files.open("a.txt", None).map(crate::jobs::trial::jobs)
            };
            prop_assert_eq!(outcome(&utf16(&list, u16::to_le_bytes)), outcome(list.as_bytes()));
        }
    }
}
