//! Faults of fetching a page: each has its class, and no fetch hangs or grows without limit.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::future::join;
use plimsoll_core::outcome::{FailureClass, Recurrence};
use plimsoll_kit::dead_port::DeadPort;
use plimsoll_kit::site::LOOPBACK;
use plimsoll_kit::{nasty_site, tls_site};
use serde_json::json;

use crate::peer::{Peer, answer};
use crate::rig::{Tab, browser, browser_with, failed};

use FailureClass::{BrowserCrash, Navigation, Script, Timeout, Unsupported};
use Recurrence::{Persistent, Transient};

/// The time limit for a page that never ends.
const SOON: Duration = Duration::from_millis(500);

#[tokio::test]
async fn each_fault_on_the_way_has_its_class() {
    let (site, dead) = (nasty_site::serve(LOOPBACK).expect("a port"), DeadPort::reserve().expect("a port"));
    let tls = tls_site::serve(LOOPBACK).expect("a port");
    let mut tab = Tab::open(&*browser().await).await;
    for (url, recurrence, words) in [
        (dead.url("/"), Transient, "nothing listens there"),
        ("http://no-such-host.invalid/".to_owned(), Persistent, "no such host"),
        (tls.url("/"), Persistent, "certificate"),
        (site.url("/redirect-loop"), Persistent, "redirects in circles, or more than 20 times"),
        (site.url("/no-content"), Persistent, "is no page"),
        (site.url("/download"), Persistent, "is no page"),
        (site.url("/huge"), Persistent, "larger than 16.0 MiB (`max_body`)"),
        (site.url("/cut"), Transient, "broke off"),
    ] {
        failed(tab.goto(&url).await, Navigation, recurrence, words);
    }
    assert_eq!(tab.0.incidents().downloads, 1);
    assert!(tab.goto(&site.url("/garbage")).await.is_ok(), "bytes that are no UTF-8 are still a page");
}

#[tokio::test]
async fn what_never_ends_is_ended_by_its_deadline() {
    let site = nasty_site::serve(LOOPBACK).expect("a port");
    let mut tab = Tab::open(&*browser().await).await;
    for (path, words) in [
        ("/hang", "no response from"),
        ("/slow/60000", "no response from"),
        ("/drip", "has answered but not ended"),
    ] {
        let done = tab.perform_within(SOON, json!({"goto": site.url(path)})).await;
        failed(done, Timeout, Transient, words);
    }
    assert!(tab.goto(&site.url("/nested")).await.is_ok(), "the context is of use still");
}

#[tokio::test]
async fn a_peer_that_breaks_the_rules_is_a_fault_and_no_more() {
    let peer = Peer::serve(|path| match path {
        "/nothing" => Vec::new(),
        "/no-http" => b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec(),
        "/half-head" => b"HTTP/1.1 200 OK\r\nContent-Ty".to_vec(),
        "/short" => b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 99\r\n\r\n<p>".to_vec(),
        "/endless-head" => [b"HTTP/1.1 200 OK\r\nX: ".as_slice(), &vec![b'x'; 4 << 20]].concat(),
        "/brotli" => answer("Content-Encoding: br\r\nContent-Type: text/html", b"???"),
        "/no-gzip" => answer("Content-Encoding: gzip\r\nContent-Type: text/html", b"<p>not packed"),
        "/half-gzip" => {
            let packed = &include_bytes!("packed.html.gz")[..20];
            answer("Content-Encoding: gzip\r\nContent-Type: text/html", packed)
        }
        "/bomb" => answer("Content-Encoding: gzip\r\nContent-Type: text/html", &packed_zeros(64 << 20)),
        "/ftp" => b"HTTP/1.1 302 Found\r\nLocation: ftp://h/x\r\nContent-Length: 0\r\n\r\n".to_vec(),
        "/file" => {
            b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n".to_vec()
        }
        "/nowhere" => b"HTTP/1.1 302 Found\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n".to_vec(),
        _ => Vec::new(),
    });
    let mut tab = Tab::open(&*browser().await).await;
    for (path, recurrence, words) in [
        ("/nothing", Transient, "the server hung up"),
        ("/no-http", Persistent, "no HTTP"),
        ("/half-head", Transient, "the server hung up"),
        ("/short", Transient, "broke off"),
        ("/endless-head", Persistent, "no HTTP"),
        ("/brotli", Persistent, "packed as `br`"),
        ("/no-gzip", Persistent, "cannot be unpacked"),
        ("/half-gzip", Persistent, "cannot be unpacked"),
        ("/bomb", Persistent, "larger than 16.0 MiB"),
        ("/ftp", Persistent, "the scheme `ftp`"),
        ("/file", Persistent, "the scheme `file`"),
        ("/nowhere", Persistent, "is no URL"),
    ] {
        failed(tab.goto(&peer.url(path)).await, Navigation, recurrence, words);
    }
}

/// This number of zeros, compressed.
fn packed_zeros(bytes: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let piece = vec![0; 1 << 20];
    for _ in 0..bytes / piece.len() {
        encoder.write_all(&piece).expect("a vector takes everything");
    }
    encoder.finish().expect("a vector takes everything")
}

#[tokio::test]
async fn documents_that_would_not_fit_are_refused() {
    let peer = Peer::serve(|path| {
        let body = match path {
            "/deep" => "<b>".repeat(1 << 20),
            "/deep-formatting" => {
                (0..600).map(|n| format!("<b id=a{n}>")).collect::<String>() + &"<p>".repeat(1 << 20)
            }
            "/many" => "<i></i>".repeat(1 << 20),
            "/attributes" => format!("<p {}>", (0..1 << 20).map(|n| format!("a{n} ")).collect::<String>()),
            "/image" => return answer("Content-Type: image/png", b"\x89PNG"),
            _ => "<div>".repeat(100) + &"x".repeat(1 << 20),
        };
        answer("Content-Type: text/html", body.as_bytes())
    });
    let mut tab = Tab::open(&*browser().await).await;
    for path in ["/deep", "/deep-formatting"] {
        failed(tab.goto(&peer.url(path)).await, Navigation, Persistent, "512 deep in each other");
    }
    failed(tab.goto(&peer.url("/many")).await, Navigation, Persistent, "500000 elements and texts");
    let slow = tab.perform_within(SOON, json!({"goto": peer.url("/attributes")})).await;
    failed(slow, Timeout, Transient, "");
    failed(tab.goto(&peer.url("/image")).await, Unsupported, Persistent, "`image/png`");

    tab.goto(&peer.url("/nested")).await.expect("a page");
    let all = json!({"extract": {"x": {"all": "*", "take": "html"}}});
    failed(tab.perform(all).await, Script, Persistent, "returns more than 64 MiB");
}

#[tokio::test]
async fn limits_are_settings() {
    let site = nasty_site::serve(LOOPBACK).expect("a port");
    let browser = browser_with(json!({"redirects": 2, "max_body": 2048})).await;
    let mut tab = Tab::open(&*browser).await;
    failed(tab.goto(&site.url("/redirect/3")).await, Navigation, Persistent, "more than 2 times");
    failed(tab.goto(&site.url("/garbage")).await, Navigation, Persistent, "larger than 2.0 KiB");
    assert!(tab.goto(&site.url("/redirect/2")).await.is_ok());
}

#[tokio::test]
async fn closing_a_browser_ends_what_its_contexts_do() {
    let site = nasty_site::serve(LOOPBACK).expect("a port");
    let browser = browser().await;
    let mut tab = Tab::open(&*browser).await;
    let url = site.url("/hang");
    let (waiting, closed) = join(tab.goto(&url), async {
        while site.hits("/hang") == 0 {
            tokio::task::yield_now().await;
        }
        browser.close().await
    })
    .await;
    closed.expect("a browser that is gone");
    failed(waiting, BrowserCrash, Transient, "closed");
    failed(
        Tab::open_with(&*browser, Default::default()).await.map(|_| ()),
        BrowserCrash,
        Transient,
        "closed",
    );
    browser.ended().await;
}
