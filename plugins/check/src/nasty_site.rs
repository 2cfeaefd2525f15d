//! A site with one kind of misbehaviour per route. `/` lists them.
//!
//! Faults of the *server* are in `transport` (responses that loop, drip, hang or never end), `echo` (responses that
//! repeat the request) and `keeping` (responses that a browser stores); faults of the *page* are files in
//! `nasty_site/`, and pages that attack others are in [`attacks`]. Pages take their delays from the query
//! (`/late?ms=300`), so a test chooses them.

pub mod attacks;
mod echo;
mod keeping;
mod transport;

use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::response::Html;
use axum::routing::get;

use crate::site::Site;

/// Serves `/NAME` from `nasty_site/NAME.html`, for each name.
macro_rules! pages {
    ($($name:literal),* $(,)?) => {
        &[$((concat!("/", $name), include_str!(concat!("nasty_site/", $name, ".html")))),*]
    };
}

/// Pages that misbehave by themselves, or that are difficult for scripts.
const PAGES: &[(&str, &str)] = pages![
    "alert",
    "alert-on-unload",
    "busy",
    "busy-later",
    "confirm",
    "covered",
    "crowd",
    "disabled",
    "enormous",
    "form-post",
    "hidden",
    "hover",
    "iframe-slow",
    "keys",
    "late",
    "moving",
    "nested",
    "popups",
    "scroll",
    "select",
    "spa",
    "storage",
    "throws",
    "upload",
    "worker",
];

/// Serves every misbehaviour at `addr`.
///
/// # Errors
/// When the address cannot be bound.
pub fn serve(addr: SocketAddr) -> io::Result<Site> {
    let router = PAGES.iter().fold(Router::new(), |router, &(path, html)| {
        router.route(path, get(move || async move { Html(html) }))
    });
    let index = Html(index());
    let router = router.route("/", get(move || async move { index }));
    let router = router.merge(transport::routes()).merge(echo::routes());
    Site::plain(addr, router.merge(keeping::routes()).merge(attacks::routes()))
}

/// A page that links to every other.
fn index() -> String {
    let all = PAGES.iter().map(|&(path, _)| path).chain(transport::EXAMPLES).chain(echo::EXAMPLES);
    let all = all.chain(keeping::EXAMPLES).map(str::to_owned);
    let all = all.chain(attacks::Attack::all().into_iter().map(|attack| attack.path()));
    let links: String = all.map(|path| format!("<li><a href=\"{path}\">{path}</a>\n")).collect();
    format!("<!doctype html><title>Foul weather</title><h1>Foul weather</h1><ul>\n{links}</ul>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plain_client;
    use crate::site::LOOPBACK;

    #[test]
    fn every_page_has_a_title_and_is_listed() {
        let site = serve(LOOPBACK).unwrap();
        let index = plain_client::get(&site, "/").body;
        for (path, _) in PAGES {
            let answer = plain_client::get(&site, path);
            assert_eq!(answer.status, 200, "{path}");
            assert!(answer.body.contains("<title>"), "{path}");
            assert!(index.contains(&format!("\"{path}\"")), "{path} is not listed");
        }
    }

    #[test]
    fn an_unknown_path_is_not_found() {
        let site = serve(LOOPBACK).unwrap();
        assert_eq!(plain_client::get(&site, "/no-such-page").status, 404);
    }
}
