//! Faulty responses: statuses, redirects, silence, endless and enormous bodies.

use std::convert::Infallible;
use std::io;
use std::sync::LazyLock;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use futures_util::{StreamExt, stream};

/// The time between two bytes of `/drip`: longer than an idle check, shorter than any deadline.
const DRIP: Duration = Duration::from_secs(1);
/// The time before `/cut` ends: long enough for its beginning to be sent.
const CUT_AFTER: Duration = Duration::from_millis(50);
/// The longest delay of a slow response; `/hang` never responds.
const SLOWEST: Duration = Duration::from_secs(600);
/// Memory that `/hungry` may take, so that a typing error cannot empty the machine.
const HUNGRIEST_MIB: u32 = 1024;
/// The greatest size of `/long` in KiB; `/huge` serves larger pages.
const LONGEST_KIB: usize = 64 << 10;
/// The number of chunks of `/huge`, each of `CHUNK_BYTES`: 100 MiB in all.
const HUGE_CHUNKS: usize = 1600;
const CHUNK_BYTES: usize = 64 * 1024;

/// One address of each kind, for the index.
pub(super) const EXAMPLES: [&str; 13] = [
    "/status/503",
    "/redirect-loop",
    "/redirect/3",
    "/drip",
    "/hang",
    "/cut",
    "/slow/1500",
    "/download",
    "/huge",
    "/long/64",
    "/no-content",
    "/hungry/256",
    "/garbage",
];

pub(super) fn routes() -> Router {
    Router::new()
        .route("/status/{code}", get(status))
        .route("/redirect-loop", get(|| async { Redirect::to("/redirect-loop") }))
        .route("/redirect/{n}", get(redirect))
        .route("/drip", get(|| async { html_stream(drip()) }))
        .route("/hang", get(std::future::pending::<()>))
        .route("/cut", get(cut))
        .route("/slow/{ms}", get(slow))
        .route("/download", get(download))
        .route("/huge", get(|| async { html_stream(huge()) }))
        .route("/long/{kib}", get(long))
        .route("/no-content", get(|| async { StatusCode::NO_CONTENT }))
        .route("/hungry/{mib}", get(hungry))
        .route("/garbage", get(garbage))
}

/// A page with this status; anything but 200 to 599 is a 400.
async fn status(Path(code): Path<u16>) -> Response {
    match StatusCode::from_u16(code).ok().filter(|_| (200..=599).contains(&code)) {
        Some(status) => (status, Html(titled(&format!("Status {code}")))).into_response(),
        None => (StatusCode::BAD_REQUEST, "a status is 200 to 599").into_response(),
    }
}

/// `n` redirects, then a page.
async fn redirect(Path(n): Path<u32>) -> Response {
    match n.checked_sub(1) {
        Some(fewer) => Redirect::to(&format!("/redirect/{fewer}")).into_response(),
        None => Html(titled("Arrived")).into_response(),
    }
}

async fn slow(Path(ms): Path<u64>) -> Html<String> {
    tokio::time::sleep(Duration::from_millis(ms).min(SLOWEST)).await;
    Html(titled("Slow"))
}

/// Closes the connection in the middle of the body, after its beginning was sent.
async fn cut() -> Response {
    let end = stream::once(async {
        tokio::time::sleep(CUT_AFTER).await;
        Err(io::Error::other("cut"))
    });
    let half = stream::iter([Ok("<!doctype html><title>Cut</title><p>And then")]).chain(end);
    ([(header::CONTENT_TYPE, "text/html")], Body::from_stream(half)).into_response()
}

async fn download() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/csv"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"manifest.csv\""),
    ];
    (headers, "ship,draught\nCapella,6.4\n")
}

/// A page that takes `mib` MiB of real memory and keeps them.
async fn hungry(Path(mib): Path<u32>) -> Html<String> {
    let mib = mib.min(HUNGRIEST_MIB);
    Html(format!(
        "<!doctype html><title>Hungry</title><p id=out></p><script>\n\
         const held = [];\n\
         for (let n = 0; n < {mib}; n++) held.push(new Uint8Array(1 << 20).fill(n + 1));\n\
         document.querySelector('#out').textContent = `holding ${{held.length}} MiB`;\n\
         </script>"
    ))
}

/// A page with `kib` KiB of text in `#out`; each sixteen bytes differ from the others.
async fn long(Path(kib): Path<usize>) -> Html<String> {
    let lines = (0..kib.min(LONGEST_KIB) * 64).map(|n| format!("line {n:>010}\n"));
    let lines: String = lines.collect();
    Html(format!("<!doctype html><title>Long</title><pre id=out>{lines}</pre>"))
}

/// Bytes that are neither UTF-8 nor HTML, declared as both.
async fn garbage() -> impl IntoResponse {
    let bytes: Vec<u8> = (0..4096_u32).map(|n| n.wrapping_mul(197).to_le_bytes()[0]).collect();
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], bytes)
}

/// The head of a page at once, then a byte each second for ever.
fn drip() -> impl stream::Stream<Item = &'static str> + Send {
    let drops = stream::repeat(()).then(|()| async {
        tokio::time::sleep(DRIP).await;
        "."
    });
    stream::iter(["<!doctype html><title>Drip</title><p>"]).chain(drops)
}

/// A page of 100 MiB; the browser's reading sets the pace.
fn huge() -> impl stream::Stream<Item = &'static str> + Send {
    const LINE: &str = "<p>Row upon row upon row of the same thing, for no reason at all.</p>\n";
    static CHUNK: LazyLock<String> = LazyLock::new(|| {
        let mut chunk = LINE.repeat(CHUNK_BYTES / LINE.len());
        chunk.push_str(&" ".repeat(CHUNK_BYTES - chunk.len()));
        chunk
    });
    stream::iter(["<!doctype html><title>Huge</title>"])
        .chain(stream::repeat(CHUNK.as_str()).take(HUGE_CHUNKS))
}

fn html_stream(parts: impl stream::Stream<Item = &'static str> + Send + 'static) -> Response {
    let body = Body::from_stream(parts.map(Ok::<_, Infallible>));
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response()
}

fn titled(title: &str) -> String {
    format!("<!doctype html><title>{title}</title><h1>{title}</h1>")
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read};

    use crate::nasty_site::serve;
    use crate::plain_client;
    use crate::site::{LOOPBACK, Site};

    fn first_bytes(site: &Site, path: &str) -> std::io::Result<String> {
        let mut stream = plain_client::send(site, &format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
        stream.set_read_timeout(Some(std::time::Duration::from_millis(300)))?;
        let mut bytes = [0; 2048];
        let read = stream.read(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes[..read]).into_owned())
    }

    #[test]
    fn statuses_and_redirects_are_what_the_path_says() {
        let site = serve(LOOPBACK).unwrap();
        for (path, status) in [
            ("/status/404", 404),
            ("/status/599", 599),
            ("/status/199", 400),
            ("/no-content", 204),
            ("/redirect/0", 200),
        ] {
            assert_eq!(plain_client::get(&site, path).status, status, "{path}");
        }
        for (path, target) in [("/redirect/3", "/redirect/2"), ("/redirect-loop", "/redirect-loop")] {
            let head = plain_client::get(&site, path).head;
            assert!(head.contains(&format!("location: {target}\r\n")), "{path}: {head}");
        }
    }

    #[test]
    fn drip_sends_its_head_at_once_and_hang_sends_nothing() {
        let site = serve(LOOPBACK).unwrap();
        assert!(first_bytes(&site, "/drip").unwrap().starts_with("HTTP/1.1 200 OK"));
        let silence = first_bytes(&site, "/hang").unwrap_err();
        assert!(matches!(silence.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{silence}");
    }

    #[test]
    fn long_is_as_long_as_its_path_says() {
        let site = serve(LOOPBACK).unwrap();
        let page = plain_client::get(&site, "/long/3").body;
        let text = page.split("<pre id=out>").nth(1).unwrap().trim_end_matches("</pre>");
        assert_eq!(text.len(), 3 << 10);
        assert!(text.ends_with("line 0000000191\n"), "{text}");
    }

    #[test]
    fn huge_is_100_mib_and_cut_ends_before_its_end() {
        let site = serve(LOOPBACK).unwrap();
        let mut stream = plain_client::send(&site, "GET /huge HTTP/1.0\r\n\r\n");
        let bytes = std::io::copy(&mut stream, &mut std::io::sink()).unwrap();
        assert!((100 << 20..101 << 20).contains(&bytes), "{bytes}");
        let cut = plain_client::get(&site, "/cut").body;
        assert!(!cut.ends_with("0\r\n\r\n"), "a whole chunked body ends in a last chunk: {cut}");
    }
}
