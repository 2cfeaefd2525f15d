//! Responses that a browser stores: in its cache, and in a service worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::http::header;
use axum::response::{Html, IntoResponse};
use axum::routing::get;

/// One address of each kind, for the index.
pub(super) const EXAMPLES: [&str; 2] = ["/cached", "/worker/answer"];

/// The service worker that `/worker` installs for `/worker/`.
const WORKER: &str = include_str!("worker.js");

pub(super) fn routes() -> Router {
    let asked = Arc::new(AtomicU32::new(0));
    Router::new()
        .route("/cached", get(move || async move { cached(asked.fetch_add(1, Ordering::Relaxed) + 1) }))
        .route("/worker/worker.js", get(|| async { ([(header::CONTENT_TYPE, "text/javascript")], WORKER) }))
        .route(
            "/worker/answer",
            get(|| async { Html("<!doctype html><title>Answer</title><p id=out>from the server</p>") }),
        )
}

/// A page that may be cached for an hour, and shows how often it was requested.
fn cached(time: u32) -> impl IntoResponse {
    let page = format!("<!doctype html><title>Cached</title><p id=out>{time}</p>");
    ([(header::CACHE_CONTROL, "max-age=3600")], Html(page))
}

#[cfg(test)]
mod tests {
    use crate::nasty_site::serve;
    use crate::plain_client;
    use crate::site::LOOPBACK;

    #[test]
    fn what_may_be_kept_says_so_and_counts() {
        let site = serve(LOOPBACK).unwrap();
        assert!(plain_client::get(&site, "/cached").head.contains("cache-control: max-age=3600"));
        assert!(plain_client::get(&site, "/cached").body.contains("<p id=out>2</p>"));
        assert!(plain_client::get(&site, "/worker").head.contains("cache-control: no-store"));
    }
}
