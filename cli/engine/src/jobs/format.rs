//! [`Format`]: how jobs are written, and how the format is recognised.

use std::path::Path;

/// The formats as a message lists them.
pub(super) const KNOWN: &str =
    ".txt (a URL a line), .jsonl or .ndjson (a job a line), .json, .toml ([[job]] tables)";

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
}

impl Format {
    /// By the extension of a file's name.
    pub(super) fn of_name(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "txt" => Some(Self::Urls),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            "json" => Some(Self::Json),
            "toml" => Some(Self::Toml),
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
            _ => Self::Urls,
        }
    }
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
        assert_eq!(Format::of_beginning(b""), Format::Urls);
    }
}
