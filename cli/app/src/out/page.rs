//! `report.html`: the report as one page that needs no other file.
//!
//! The page is a constant (markup, style and script) that contains the report's JSON as data. The script builds everything
//! from that data as text nodes, never as markup, so that text from a job or a web page cannot become markup of the page.
//! The page's content security policy forbids every request.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;

use super::artifacts::Artifacts;
use super::report::Report;
use super::thumbnail;

const SHELL: &str = include_str!("report.html");
const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

#[derive(Serialize)]
struct Data<'a> {
    report: &'a Report,
    /// Thumbnails by artifact name; a picture that could not be read has none.
    thumbnails: BTreeMap<&'a str, String>,
}

/// The page for `report`, with thumbnails of its pictures.
///
/// # Errors
/// Never for a report that can be written as JSON.
pub(super) fn render(report: &Report, artifacts: &Artifacts) -> io::Result<String> {
    let thumbnail = |name: &str| thumbnail::data_uri(&artifacts.read(name, thumbnail::MAX_FILE).ok()?);
    let names = report.pictures.iter().map(|picture| picture.artifact.as_str());
    let thumbnails = names.filter_map(|name| Some((name, thumbnail(name)?))).collect();
    Ok(page(&serde_json::to_string(&Data { report, thumbnails })?))
}

fn page(json: &str) -> String {
    // The data is inserted last, so that placeholders in it are not filled.
    SHELL.replacen("/*STYLE*/", STYLE, 1).replacen("/*SCRIPT*/", SCRIPT, 1).replacen(
        "/*DATA*/",
        &embedded(json),
        1,
    )
}

/// JSON for the inside of a `<script>`: nothing in it can end the element or open a comment. The characters that are
/// replaced occur in JSON only in strings, where their escapes mean the same.
fn embedded(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' => safe.push_str("\\u003c"),
            '>' => safe.push_str("\\u003e"),
            '&' => safe.push_str("\\u0026"),
            '\u{2028}' => safe.push_str("\\u2028"),
            '\u{2029}' => safe.push_str("\\u2029"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn data_of(page: &str) -> Value {
        let (_, rest) =
            page.split_once("<script type=\"application/json\" id=\"data\">").expect("the data's element");
        let (json, _) = rest.split_once("</script>").expect("the element's end");
        serde_json::from_str(json).expect("the data is JSON")
    }

    proptest! {
        #[test]
        fn whatever_a_job_wrote_comes_out_as_it_was_and_ends_no_element(
            text in "(\\PC|[<>&/\u{2028}\u{2029}]|</script>|<!--|/\\*DATA\\*/|/\\*STYLE\\*/){0,12}",
        ) {
            let page = page(&serde_json::to_string(&Value::String(text.clone())).expect("a text"));
            prop_assert_eq!(data_of(&page), Value::String(text));
            prop_assert_eq!(page.len() - embedded_len(&page), shell_len());
        }
    }

    fn embedded_len(page: &str) -> usize {
        let (_, rest) = page.split_once("id=\"data\">").expect("the data's element");
        rest.split_once("</script>").expect("the element's end").0.len()
    }

    fn shell_len() -> usize {
        page("").len()
    }

    #[test]
    fn the_page_is_whole_and_asks_nobody_for_anything() {
        let page = page("{}");
        assert!(!page.contains("/*STYLE*/") && !page.contains("/*SCRIPT*/") && !page.contains("/*DATA*/"));
        assert!(page.contains("default-src 'none'"));
        let xmlns = "http://www.w3.org/2000/svg";
        let rest = page.replace(xmlns, "");
        for outside in ["http://", "https://", "src=\"//", "@import", "url("] {
            assert!(!rest.contains(outside), "{outside}");
        }
        for markup in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
            assert!(!page.contains(markup), "{markup}");
        }
    }
}
