//! The page that every measurement uses: 6 KB of HTML, one stylesheet, one script, and 100 table rows built by
//! the script. Caching is forbidden, so that each visit loads all of it.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::http::header;
use axum::response::Html;
use axum::routing::get;

use plimsoll_check::site::Site;

const PAGE: &str = include_str!("bench_page/index.html");
const STYLE: &str = include_str!("bench_page/style.css");
const TABLE: &str = include_str!("bench_page/table.js");

/// Serves the page at `/` of `addr`.
///
/// # Errors
/// When the address cannot be bound.
pub fn serve(addr: SocketAddr) -> io::Result<Site> {
    let pages = Router::new()
        .route("/", get(|| async { Html(PAGE) }))
        .route("/style.css", get(|| async { ([(header::CONTENT_TYPE, "text/css")], STYLE) }))
        .route("/table.js", get(|| async { ([(header::CONTENT_TYPE, "text/javascript")], TABLE) }))
        // Full browsers request it; a response without a body costs least.
        .route("/favicon.ico", get(|| async { axum::http::StatusCode::NO_CONTENT }));
    Site::plain(addr, pages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_check::plain_client;
    use plimsoll_check::site::LOOPBACK;

    #[test]
    fn is_the_page_of_the_measurements() {
        let site = serve(LOOPBACK).unwrap();
        let page = plain_client::get(&site, "/");
        assert!((5_800..=6_400).contains(&page.body.len()), "{} bytes are not 6 KB", page.body.len());
        for needed in ["<title>", "href=\"/style.css\"", "src=\"/table.js\""] {
            assert_eq!(page.body.matches(needed).count(), 1, "{needed}");
        }
        for (path, kind) in [("/", "text/html"), ("/style.css", "text/css"), ("/table.js", "text/javascript")]
        {
            let answer = plain_client::get(&site, path);
            assert_eq!(answer.status, 200, "{path}");
            assert!(answer.head.contains(&format!("content-type: {kind}")), "{path}: {}", answer.head);
            assert!(answer.head.contains("cache-control: no-store"), "{path}: {}", answer.head);
        }
    }
}
