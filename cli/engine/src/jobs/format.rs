//! [`Format`]: how jobs are written, and how the format is recognised.

use std::path::Path;

/// The formats as a message lists them.
pub(super) const KNOWN: &str = ".txt (a URL a line), .jsonl or .ndjson (a job a line), .json, .toml ([[job]] tables), .csv (with a column `url`), .xml (a sitemap)";

/// How jobs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// One URL on each line.
    Urls,
    /// One JSON object on each line.
    JsonLines,
    /// One JSON document.
    Json,
    /// One TOML document.
    Toml,
    /// A table of separated values with a column `url`.
    Csv,
    /// A sitemap, or an index of sitemaps.
    Sitemap,
}

impl Format {
    /// By the extension of a file's name.
    pub(super) fn of_name(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "txt" => Some(Self::Urls),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            "json" => Some(Self::Json),
            "toml" => Some(Self::Toml),
            "csv" | "tsv" => Some(Self::Csv),
            "xml" => Some(Self::Sitemap),
            _ => None,
        }
    }

    /// The format of a stream without a name, by its first characters. `[[` begins a `[[job]]` table: in JSON it would
    /// begin a job that is a list, and there is no such job.
    pub(super) fn of_beginning(beginning: &[u8]) -> Self {
        let beginning = beginning.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(beginning).trim_ascii_start();
        match beginning {
            [b'{', ..] => Self::JsonLines,
            [b'[', b'[', ..] => Self::Toml,
            [b'[', ..] => Self::Json,
            [b'<', ..] => Self::Sitemap,
            _ if names_url(beginning) => Self::Csv,
            _ => Self::Urls,
        }
    }
}

/// Whether the first line names columns, one of them `url`.
fn names_url(beginning: &[u8]) -> bool {
    let line = beginning.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let mut names = line.split(|byte| matches!(byte, b',' | b';' | b'\t'));
    names.any(|name| {
        let name = name.trim_ascii();
        let name = name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")).unwrap_or(name);
        name.eq_ignore_ascii_case(b"url")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_known_by_how_it_begins() {
        assert_eq!(Format::of_beginning(b"\xEF\xBB\xBF\r\n {\"url\""), Format::JsonLines);
        assert_eq!(Format::of_beginning(b" [\n {"), Format::Json);
        assert_eq!(Format::of_beginning(b"[[job]]\n"), Format::Toml);
        assert_eq!(Format::of_beginning(b"http://a/\n"), Format::Urls);
        assert_eq!(Format::of_beginning(b"title;\"URL\"\r\na;b"), Format::Csv);
        assert_eq!(Format::of_beginning(b"url\rhttp://a/"), Format::Csv);
        assert_eq!(Format::of_beginning(b" <?xml version='1.0'?>"), Format::Sitemap);
        assert_eq!(Format::of_beginning(b""), Format::Urls);
    }
}
