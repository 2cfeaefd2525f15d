//! Page errors that are specific to this driver: duplicate requests, and the cause of a failed navigation.

use std::time::Duration;

use plimsoll_core::job::Setup;
use plimsoll_core::port::{OpenRequest, Page};
use plimsoll_kit::dead_port::DeadPort;
use plimsoll_kit::nasty_site;
use plimsoll_kit::site::{LOOPBACK, Site};

use crate::rig::{AMPLE, Rig, goto, open, visit};

fn nasty() -> Site {
    nasty_site::serve(LOOPBACK).expect("a free port")
}

#[tokio::test]
async fn a_page_that_a_context_opens_with_is_requested_once() {
    let (rig, site) = (Rig::new(), nasty());
    let browser = rig.launch().await;
    for path in ["/nested", "/redirect/3", "/status/404", "/slow/400"] {
        let visit = visit(browser.as_ref(), &site.url(path), AMPLE).await;
        assert!(visit.page.is_ok(), "{path}: {:?}", visit.page);
        assert_eq!(site.hits(path), 1, "{path}");
        visit.close().await;
    }
    browser.close().await.expect("gone");
    rig.assert_clean();
}

#[tokio::test]
async fn a_failed_navigation_names_its_cause() {
    let (rig, site) = (Rig::new(), nasty());
    let browser = rig.launch().await;
    let dead = DeadPort::reserve().expect("a port");
    for (url, cause) in [
        (dead.url("/"), "ERR_CONNECTION_REFUSED"),
        ("http://no-such-host.invalid/".to_owned(), "ERR_NAME_NOT_RESOLVED"),
        (site.url("/redirect-loop"), "in circles"),
        (site.url("/download"), "is a download"),
        (site.url("/no-content"), "no content"),
        (site.url("/cut"), "broke off"),
        ("chrome://crash".to_owned(), "died"),
        (site.url("/hang"), "no response"),
        (site.url("/drip"), "not loaded"),
    ] {
        let never_ends = url.ends_with("/hang") || url.ends_with("/drip");
        let budget = if never_ends { Duration::from_secs(1) } else { AMPLE };
        // A target is created with its URL; a context without a page navigates later.
        for first in [Some(goto(&url)), None] {
            let request = OpenRequest { setup: Setup::default(), first };
            let mut context = browser.open(request, AMPLE).ready().await.expect("a context");
            let fault = open(context.as_mut(), goto(&url), budget).await.expect_err(&url);
            assert!(fault.message.contains(cause), "{url}: {fault}");
            context.close().await.expect("gone");
        }
    }
    browser.close().await.expect("gone");
    rig.assert_clean();
}

/// A server that answers every request with 404 and no body; Chromium then shows an error page.
fn empty_404() -> std::net::SocketAddr {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind(LOOPBACK).expect("a free port");
    let addr = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        // The thread ends with the test's process: it holds nothing but its port.
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ =
                stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    addr
}

#[tokio::test]
async fn an_error_without_a_body_still_has_its_status() {
    let rig = Rig::new();
    let browser = rig.launch().await;
    let url = format!("http://{}/gone", empty_404());
    let mut visit = visit(browser.as_ref(), &url, AMPLE).await;
    let expected = Page { url: url.clone(), status: Some(404) };
    assert_eq!(visit.page, Ok(expected.clone()));
    assert_eq!(open(visit.context.as_mut(), goto(&url), AMPLE).await, Ok(expected), "told to go there again");
    visit.close().await;
    browser.close().await.expect("gone");
    rig.assert_clean();
}
