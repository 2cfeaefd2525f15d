//! Decides from headers and first bytes what a response is, and turns its bytes into the HTML of a page.
//!
//! | announced | becomes |
//! |---|---|
//! | `text/html` | itself |
//! | other text, JSON, JavaScript | the page that Chromium shows around it: the text in a `<pre>` |
//! | an attachment, or a type that browsers download | no page |
//! | XML, pictures, sound, PDF | a page that only a browser can show |
//! | nothing | the type that its first bytes suggest |
//!
//! The encoding comes from, in this order, a byte order mark, the header, or a `<meta>`; the default is windows-1252,
//! as in browsers.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use hyper::HeaderMap;
use hyper::header::{CONTENT_DISPOSITION, CONTENT_TYPE};

use crate::dom::{self, elements_below};
use crate::work_budget::WorkBudget;
use plimsoll_core::runtime::budget::Budget;

/// Bytes in which a `<meta>` that names the encoding is searched.
const META_WITHIN: usize = 4096;
/// Bytes that are examined to find the type of a response without a declared type.
const SNIFFED: usize = 512;

/// Text types that browsers download.
const DOWNLOADED: [&str; 10] = [
    "calendar",
    "comma-separated-values",
    "csv",
    "directory",
    "ldif",
    "rtf",
    "tab-separated-values",
    "tsv",
    "vcard",
    "x-vcard",
];

/// What a response is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Html,
    Text,
    Json,
    /// A download: it is stored, not shown.
    Download,
    /// Only a browser can show this type.
    Beyond(String),
}

/// Decides what a response with these headers is.
pub(crate) fn kind(headers: &HeaderMap, body: &[u8]) -> Kind {
    let disposition = text_of(headers, CONTENT_DISPOSITION).unwrap_or_default();
    if essence(&disposition) == "attachment" {
        return Kind::Download;
    }
    let announced = essence(&text_of(headers, CONTENT_TYPE).unwrap_or_default());
    let Some((class, name)) = announced.split_once('/') else { return sniffed(body) };
    match (class, name) {
        ("text", "html") => Kind::Html,
        ("text" | "application", "json") => Kind::Json,
        ("application", "javascript" | "ecmascript" | "x-javascript") => Kind::Text,
        ("image" | "audio" | "video", _) | ("text" | "application", "xml") | ("application", "pdf") => {
            Kind::Beyond(announced)
        }
        (_, name) if name.ends_with("+xml") => Kind::Beyond(announced),
        (_, name) if name.ends_with("+json") => Kind::Json,
        ("text", name) if !DOWNLOADED.contains(&name) => Kind::Text,
        _ => Kind::Download,
    }
}

/// Guesses what a response without a declared type is.
fn sniffed(body: &[u8]) -> Kind {
    let head = &body[..body.len().min(SNIFFED)];
    if Encoding::for_bom(head).is_none()
        && head.iter().any(|b| matches!(b, 0..=8 | 0xb | 0xe..=0x1a | 0x1c..=0x1f))
    {
        return Kind::Download;
    }
    if head.trim_ascii_start().starts_with(b"<") { Kind::Html } else { Kind::Text }
}

/// The page of a response, as HTML.
pub(crate) fn html(kind: &Kind, headers: &HeaderMap, body: &[u8]) -> String {
    let announced = text_of(headers, CONTENT_TYPE).and_then(|announced| charset(&announced));
    let encoding = announced.unwrap_or_else(|| match kind {
        Kind::Html => meta_charset(body).unwrap_or(WINDOWS_1252),
        Kind::Json => UTF_8,
        _ => WINDOWS_1252,
    });
    let (text, _, _) = encoding.decode(body);
    let escaped = || text.replace('&', "&amp;").replace('<', "&lt;").replace('\0', "\u{fffd}");
    // A parser drops the first line break in a <pre>.
    match kind {
        Kind::Html => text.into_owned(),
        Kind::Json => format!(
            "<html><head><meta name=\"color-scheme\" content=\"light dark\"><meta charset=\"utf-8\"></head><body>\
             <pre>\n{}</pre><div class=\"json-formatter-container\"></div></body></html>",
            escaped()
        ),
        _ => format!(
            "<html><head><meta name=\"color-scheme\" content=\"light dark\"></head><body>\
             <pre style=\"word-wrap: break-word; white-space: pre-wrap;\">\n{}</pre></body></html>",
            escaped()
        ),
    }
}

fn text_of(headers: &HeaderMap, name: hyper::header::HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// The part before the parameters, in lower case.
fn essence(header: &str) -> String {
    header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The encoding that a content type names, if it is known.
fn charset(content_type: &str) -> Option<&'static Encoding> {
    let lower = content_type.to_ascii_lowercase();
    let (_, label) = lower.split_once("charset")?;
    let label = label.trim_start().strip_prefix('=')?.trim_start();
    let label = match label.strip_prefix(['"', '\'']) {
        Some(quoted) => quoted.split(['"', '\'']).next(),
        None => label.split([';', ' ', ',']).next(),
    };
    Encoding::for_label(label?.as_bytes())
}

/// The encoding that the document itself names. UTF-16 is not accepted: a `<meta>` in UTF-16 could not be read.
fn meta_charset(body: &[u8]) -> Option<&'static Encoding> {
    let (head, _) = WINDOWS_1252.decode_without_bom_handling(&body[..body.len().min(META_WITHIN)]);
    let dom = dom::parse(&head, &WorkBudget::new(Budget::start(std::time::Duration::MAX))).ok()?;
    let named = elements_below(dom.document()).filter(|element| element.is("meta")).find_map(|meta| {
        if let Some(label) = meta.attribute("charset") {
            return Encoding::for_label(label.as_bytes());
        }
        let is_type = meta.attribute("http-equiv")?.eq_ignore_ascii_case("content-type");
        charset(meta.attribute("content").filter(|_| is_type)?)
    })?;
    Some(if [UTF_16LE, UTF_16BE].contains(&named) { UTF_8 } else { named })
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn headers(content_type: &str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_str(content_type).expect("a header"))])
    }

    /// Measured with Chromium 156.
    #[test]
    fn types_are_shown_as_chromium_shows_them() {
        for (announced, shown) in [
            ("text/html", Kind::Html),
            ("TEXT/HTML;CHARSET=\"UTF-8\"", Kind::Html),
            ("", Kind::Html),
            ("text/plain", Kind::Text),
            ("text/css", Kind::Text),
            ("text/markdown", Kind::Text),
            ("text/foo", Kind::Text),
            ("application/javascript", Kind::Text),
            ("application/json", Kind::Json),
            ("application/ld+json", Kind::Json),
            ("text/csv", Kind::Download),
            ("text/calendar", Kind::Download),
            ("application/yaml", Kind::Download),
            ("application/octet-stream", Kind::Download),
            ("image/svg+xml", Kind::Beyond("image/svg+xml".to_owned())),
            ("application/xhtml+xml", Kind::Beyond("application/xhtml+xml".to_owned())),
        ] {
            assert_eq!(kind(&headers(announced), b"<p>x"), shown, "{announced}");
        }
        assert_eq!(kind(&HeaderMap::new(), b"plain words"), Kind::Text);
        assert_eq!(kind(&HeaderMap::new(), b"\0\x01\x02"), Kind::Download);
    }

    /// Measured with Chromium 156.
    #[test]
    fn encodings_are_found_as_chromium_finds_them() {
        let late = [b"<!-- ".as_slice(), &[b'x'; 1100], b" --><meta charset=utf-8><p>h\xc3\xa9"].concat();
        for (announced, body, read) in [
            ("text/html", b"<p>h\xe9".as_slice(), "hé"),
            ("text/html", b"<p>h\xc3\xa9", "hÃ©"),
            ("text/html; charset=bogus", b"<p>h\xc3\xa9", "hÃ©"),
            ("text/html; charset=\"UTF-8\"", b"<p>h\xc3\xa9", "hé"),
            ("text/html; charset=latin1", b"\xef\xbb\xbf<p>h\xc3\xa9", "hé"),
            ("text/html", b"\xff\xfe<\0p\0>\0h\0\xe9\0", "hé"),
            ("text/html", b"<meta charset=iso-8859-2><p>\xb1", "ą"),
            (
                "text/html",
                b"<meta http-equiv=content-type content=\"text/html; charset=koi8-r\"><p>\xc1",
                "а",
            ),
            ("text/html; charset=shift_jis", b"<meta charset=utf-8><p>\x83e", "テ"),
            ("text/html", b"<meta charset=utf-16><p>h\xc3\xa9", "hé"),
            ("text/html", &late, "hé"),
        ] {
            let html = html(&Kind::Html, &headers(announced), body);
            assert!(html.ends_with(&format!("<p>{read}")), "{announced}: {html}");
        }
    }
}
