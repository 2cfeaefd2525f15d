//! The demonstration site: a few ordinary pages about load lines.
//!
//! | address | what is there |
//! |---|---|
//! | `/` | links to everything |
//! | `/page/1` … `/page/12` | a title, text, links to the neighbours |
//! | `/form` | `#name`, `#email`, `#topic`, `#agree`, `#send`; the answer appears in `#out` |
//! | `/table` | 100 rows that a script builds |
//! | `/gallery` | drawings |
//!
//! Everything is compiled in; the pages' text is `logbook.txt`, one entry a page.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use axum::extract::{Form, Path};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use plimsoll_check::site::Site;

/// The number of `/page/N`; the first is 1.
pub const PAGES: usize = 12;

const FRAME: &str = include_str!("demo_site/frame.html");
const LOGBOOK: &str = include_str!("demo_site/logbook.txt");

/// The pages that are files: address, title, body.
const FILES: &[(&str, &str, &str)] = &[
    ("/form", "Write to the harbour office", include_str!("demo_site/form.html")),
    ("/table", "The log of a hundred calls", include_str!("demo_site/table.html")),
    ("/gallery", "Drawings", include_str!("demo_site/gallery.html")),
];

/// What the pages are made of: address, media type, content.
const ASSETS: &[(&str, &str, &str)] = &[
    ("/style.css", "text/css", include_str!("demo_site/style.css")),
    ("/form.js", "text/javascript", include_str!("demo_site/form.js")),
    ("/table.js", "text/javascript", include_str!("demo_site/table.js")),
    ("/mark.svg", "image/svg+xml", include_str!("demo_site/mark.svg")),
    ("/favicon.ico", "image/svg+xml", include_str!("demo_site/mark.svg")),
    ("/hull.svg", "image/svg+xml", include_str!("demo_site/hull.svg")),
    ("/waters.svg", "image/svg+xml", include_str!("demo_site/waters.svg")),
    ("/flags.svg", "image/svg+xml", include_str!("demo_site/flags.svg")),
];

/// Serves the demonstration at `addr`.
///
/// # Errors
/// When the address cannot be bound.
pub fn serve(addr: SocketAddr) -> io::Result<Site> {
    let mut router = Router::new()
        .route("/", get(|| async { Html(index()) }))
        .route("/page/{number}", get(page))
        .route("/form", post(answer));
    for &(path, title, body) in FILES {
        router = router.route(path, get(move || async move { Html(framed(title, body)) }));
    }
    for &(path, kind, content) in ASSETS {
        router = router.route(path, get(move || async move { ([(header::CONTENT_TYPE, kind)], content) }));
    }
    Site::plain(addr, router)
}

/// The logbook's entries: a title line, then paragraphs; an empty line ends an entry.
fn entries() -> impl Iterator<Item = (&'static str, impl Iterator<Item = &'static str>)> {
    LOGBOOK.split("\n\n").filter_map(|entry| {
        let mut lines = entry.trim().lines();
        lines.next().map(|title| (title, lines))
    })
}

fn index() -> String {
    let cards: String = entries()
        .zip(1..)
        .map(|((title, mut text), number)| {
            let lead = text.next().unwrap_or_default();
            let lead = lead.split_inclusive('.').next().unwrap_or_default();
            format!(
                "<a class=\"card\" href=\"/page/{number}\"><b>{number}</b><h2>{title}</h2><p>{lead}</p></a>\n"
            )
        })
        .collect();
    let hero = "<section class=\"hero\"><img src=\"/hull.svg\" alt=\"a loaded hull at her marks\">\
                <p class=\"lead\">A ship may carry what the water she is in will bear, and not a crate more. \
                The line on her side says how much that is.</p></section>";
    framed("The load line", &format!("{hero}\n<div class=\"cards\">\n{cards}</div>"))
}

async fn page(Path(number): Path<usize>) -> Response {
    let Some((title, text)) = number.checked_sub(1).and_then(|index| entries().nth(index)) else {
        return (StatusCode::NOT_FOUND, Html(framed("Not on this chart", "<p>There is no such page.</p>")))
            .into_response();
    };
    let text: String = text.map(|paragraph| format!("<p>{paragraph}</p>\n")).collect();
    let back = if number == 1 { PAGES } else { number - 1 };
    let on = number % PAGES + 1;
    let body = format!(
        "<article>{text}</article>\n<nav class=\"pages\"><a rel=\"prev\" href=\"/page/{back}\">Page {back}</a>\
         <span>{number} of {PAGES}</span><a rel=\"next\" href=\"/page/{on}\">Page {on}</a></nav>"
    );
    Html(framed(title, &body)).into_response()
}

/// Responds to the form as `form.js` posts it.
async fn answer(Form(letter): Form<BTreeMap<String, String>>) -> (StatusCode, Json<Value>) {
    match letter.get("name").map(|name| name.trim()).filter(|name| !name.is_empty()) {
        Some(name) => (StatusCode::OK, Json(json!({ "answer": format!("Thank you, {name}") }))),
        None => (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": "a letter needs a name" }))),
    }
}

fn framed(title: &str, body: &str) -> String {
    FRAME.replace("{{title}}", title).replace("{{body}}", body)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use plimsoll_check::plain_client;
    use plimsoll_check::site::LOOPBACK;

    /// Every address on the site that `html` names.
    fn references(html: &str) -> impl Iterator<Item = &str> {
        let after = |mark| html.split(mark).skip(1).filter_map(|rest: &str| rest.split('"').next());
        after("href=\"").chain(after("src=\"")).filter(|target| target.starts_with('/'))
    }

    #[test]
    fn every_link_leads_somewhere_and_every_page_is_reached() {
        let site = serve(LOOPBACK).unwrap();
        let (mut seen, mut next) = (BTreeSet::new(), vec!["/".to_owned()]);
        while let Some(path) = next.pop() {
            if seen.insert(path.clone()) {
                let answer = plain_client::get(&site, &path);
                assert_eq!(answer.status, 200, "{path}");
                assert!(!answer.body.contains("{{"), "{path} has an unfilled place");
                next.extend(references(&answer.body).map(str::to_owned));
            }
        }
        let pages = (1..=PAGES).map(|n| format!("/page/{n}"));
        let files = FILES.iter().map(|&(path, ..)| path.to_owned());
        for path in pages.chain(files) {
            assert!(seen.contains(&path), "nothing links to {path}");
        }
        assert_eq!(site.total_hits(), seen.len() as u64);
    }

    #[test]
    fn each_page_has_its_own_title_and_a_number_beyond_the_last_is_not_found() {
        let site = serve(LOOPBACK).unwrap();
        let titles: BTreeSet<_> = (1..=PAGES)
            .map(|n| plain_client::get(&site, &format!("/page/{n}")).body)
            .map(|body| body.split("</title>").next().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(titles.len(), PAGES);
        assert_eq!(entries().count(), PAGES);
        for path in ["/page/0", "/page/13"] {
            assert_eq!(plain_client::get(&site, path).status, 404, "{path}");
        }
    }

    #[test]
    fn a_letter_is_answered_by_name_and_refused_without_one() {
        let site = serve(LOOPBACK).unwrap();
        let answer = plain_client::post(&site, "/form", "name=Ada&topic=draught");
        assert!(answer.body.contains(r#""answer":"Thank you, Ada""#), "{}", answer.body);
        assert_eq!(plain_client::post(&site, "/form", "topic=draught").status, 422);
    }
}
