//! [`url()`]: the URL on a line of a list of URLs.
//!
//! ```text
//!   URL              the URL
//!   URL # a note     the URL; `#` after a blank begins a note
//!   URL anything     a mistake: what stands after the URL would be lost
//! ```

/// Text after a URL, and where it begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Beside {
    /// In characters, from 1.
    pub(super) column: u64,
    pub(super) why: &'static str,
}

/// Two URLs on a line are no rarer than a URL in the path of another one, so neither is assumed.
const TWO: &str = "a second URL on the line; write each on a line of its own, or `,` `;` `|` as %2C %3B %7C if this is one URL";
const REST: &str = "text after the URL; a note begins with `#`, a blank in a URL is written %20, and a table is a .csv \
                    file whose first line names its columns, one of them `url`";

/// The URL of a line that is not empty.
pub(super) fn url(line: &str) -> Result<&str, Beside> {
    let beside = |at: usize, why| Err(Beside { column: line[..at].chars().count() as u64 + 1, why });
    let start = line.len() - line.trim_start().len();
    let (url, rest) = line[start..].split_at(length(&line[start..]));
    let after = rest.trim_start();
    if !after.is_empty() && !after.starts_with('#') {
        let first = after.split(char::is_whitespace).next().unwrap_or_default();
        return beside(line.len() - after.len(), if first.contains("://") { TWO } else { REST });
    }
    match second(url) {
        Some(at) => beside(start + at, TWO),
        None => Ok(url),
    }
}

/// The length of what stands before the first blank outside of a placeholder, in bytes.
fn length(text: &str) -> usize {
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        let placeholder = text[at..].starts_with("{{").then(|| text[at..].find("}}")).flatten();
        at += match placeholder {
            Some(end) => end + 2,
            None if character.is_whitespace() => break,
            None => character.len_utf8(),
        };
    }
    at
}

/// Where a second URL begins after a separator. In a query a URL after a comma is a value.
fn second(url: &str) -> Option<usize> {
    let path = &url[..url.find(['?', '#']).unwrap_or(url.len())];
    let mut ends = path.match_indices([',', ';', '|']).map(|(at, _)| at + 1);
    ends.find(|at| ["http://", "https://"].iter().any(|scheme| path[*at..].starts_with(scheme)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_url_and_perhaps_a_note() {
        for (line, read) in [
            ("http://a/", "http://a/"),
            ("  http://a/#top  ", "http://a/#top"),
            ("http://a/ # note", "http://a/"),
            ("http://a/\t#note http://b/", "http://a/"),
            ("http://a/\u{a0}# note", "http://a/"),
            ("http://a/{{ the city }}/{{x}} # note", "http://a/{{ the city }}/{{x}}"),
            ("http://a/{{{{b", "http://a/{{{{b"),
            ("http://web/2020/http://a/", "http://web/2020/http://a/"),
            ("http://a/?of=http://b/,http://c/", "http://a/?of=http://b/,http://c/"),
            ("http://a/x,y;z|w", "http://a/x,y;z|w"),
        ] {
            assert_eq!(url(line), Ok(read), "{line}");
        }
    }

    #[test]
    fn nothing_after_a_url_is_lost() {
        for (line, column, why) in [
            ("http://a/\ttitle", 11, REST),
            ("http://ä/ title # note", 11, REST),
            ("http://a/b c", 12, REST),
            (" http://a/ http://b/", 12, TWO),
            ("http://a/\rhttp://b/", 11, TWO),
            ("http://a/\u{a0}https://b/", 11, TWO),
            ("http://a/, http://b/", 12, TWO),
            ("http://a/,http://b/", 11, TWO),
            ("http://a;https://b/?q", 10, TWO),
            ("http://a/|http://b/", 11, TWO),
            ("http://a/{{x y", 14, REST),
        ] {
            assert_eq!(url(line), Err(Beside { column, why }), "{line}");
        }
    }
}
