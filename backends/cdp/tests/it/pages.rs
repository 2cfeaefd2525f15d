//! Pages, well-behaved and not: what a `goto` says of each, in how much time.

use std::time::Duration;

use plimsoll_core::job::Setup;
use plimsoll_core::outcome::{FailureClass, Fault, Recurrence};
use plimsoll_core::port::{Browser, OpenRequest, Page};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::step::{Cookie, Goto, Viewport};
use plimsoll_kit::dead_port::DeadPort;
use plimsoll_kit::nasty_site;
use plimsoll_kit::site::{LOOPBACK, Site};

use crate::rig::{AMPLE, Rig, evaluate, goto, open, visit, visit_with};

fn nasty() -> Site {
    nasty_site::serve(LOOPBACK).expect("a free port")
}

#[tokio::test]
async fn a_page_arrives_with_its_address_and_status_both_ways() {
    let (rig, site) = (Rig::new(), nasty());
    let browser = rig.launch().await;
    for (path, end, status) in [
        ("/nested", "/nested", 200),
        ("/redirect/3", "/redirect/0", 200),
        ("/status/404", "/status/404", 404),
        ("/slow/400", "/slow/400", 200),
    ] {
        let visit = visit(browser.as_ref(), &site.url(path), AMPLE).await;
        let page = visit.page.as_ref().expect("it opens");
        assert_eq!((page.url.as_str(), page.status), (site.url(end).as_str(), Some(status)), "{path}");
        assert_eq!(site.hits(path), 1, "{path} was asked for once");
        visit.close().await;
    }
    let mut context =
        browser.open(OpenRequest { setup: Setup::default(), first: None }, AMPLE).await.expect("opens");
    for path in ["/status/503", "/nested"] {
        let page = open(context.as_mut(), goto(&site.url(path)), AMPLE).await.expect("it opens");
        assert_eq!(page.url, site.url(path));
    }
    let blank = open(context.as_mut(), goto("about:blank"), AMPLE).await.expect("it opens");
    assert_eq!(blank.status, None);
    context.close().await.expect("gone");
    browser.close().await.expect("gone");
    rig.assert_clean();
}

#[tokio::test]
async fn what_cannot_be_opened_is_told_by_class_and_recurrence() {
    use FailureClass::{Navigation, PageCrash, Timeout};
    use Recurrence::{Persistent, Transient};
    let (rig, site) = (Rig::new(), nasty());
    let browser = rig.launch().await;
    let dead = DeadPort::reserve().expect("a port");
    let cases = [
        (dead.url("/"), Navigation, Transient, "ERR_CONNECTION_REFUSED"),
        ("http://no-such-host.invalid/".to_owned(), Navigation, Persistent, "ERR_NAME_NOT_RESOLVED"),
        (site.url("/redirect-loop"), Navigation, Persistent, "in circles"),
        (site.url("/download"), Navigation, Persistent, "is a download"),
        (site.url("/no-content"), Navigation, Persistent, "no content"),
        (site.url("/cut"), Navigation, Transient, "broke off"),
        (site.url("/hang"), Timeout, Transient, "no response"),
        (site.url("/drip"), Timeout, Transient, "not loaded"),
        (site.url("/busy"), Timeout, Transient, "not loaded"),
        ("chrome://hang".to_owned(), Timeout, Transient, ""),
        ("chrome://crash".to_owned(), PageCrash, Transient, "died"),
        ("chrome://kill".to_owned(), PageCrash, Transient, "died"),
    ];
    let failing = cases.iter().map(async |(url, class, recurrence, says)| {
        // Each way: opened with the page, and told to go there later.
        for first in [Some(goto(url)), None] {
            let fault = failure(browser.as_ref(), url, first, *class).await;
            assert_eq!((fault.class, fault.recurrence), (*class, *recurrence), "{url}: {fault}");
            assert!(fault.message.contains(says), "{url}: {fault}");
        }
    });
    let sibling = async {
        for _ in 0..5 {
            let visit = visit(browser.as_ref(), &site.url("/nested"), AMPLE).await;
            assert_eq!(visit.status(), Some(200), "siblings are untouched");
            visit.close().await;
        }
    };
    tokio::join!(futures_util::future::join_all(failing), sibling);
    browser.close().await.expect("gone");
    rig.assert_clean();
}

/// A server that answers everything with 404 and no body, of which Chromium makes an error page.
fn empty_404() -> std::net::SocketAddr {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind(LOOPBACK).expect("a free port");
    let addr = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        // Ends with the test's process: it holds nothing but its port.
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

/// The fault of a page that cannot be opened, known and cleared away in bounded time.
async fn failure(browser: &dyn Browser, url: &str, first: Option<Goto>, class: FailureClass) -> Fault {
    // Several of these pages keep a processor busy until their time is up; the others wait for their turn.
    let times_out = class == FailureClass::Timeout;
    let budget = if times_out { Duration::from_secs(3) } else { AMPLE };
    let bound = if times_out { budget + Duration::from_millis(500) } else { Duration::from_secs(8) };
    let request = OpenRequest { setup: Setup::default(), first };
    let mut context = browser.open(request, AMPLE).await.expect("a context");
    let clock = Clock::start();
    let fault = open(context.as_mut(), goto(url), budget).await.expect_err(url);
    let took = clock.now().elapsed();
    assert!(took < bound, "{url} took {took:?}: {fault}");
    let clock = Clock::start();
    context.close().await.expect("the context is gone");
    let took = clock.now().elapsed();
    assert!(took < Duration::from_secs(3), "{url} took {took:?} to close");
    fault
}

#[tokio::test]
async fn dialogs_are_answered_by_rule_and_counted() {
    let (rig, site) = (Rig::new(), nasty());
    let browser = rig.launch().await;
    for (path, answered) in [("/alert", "answered"), ("/confirm", "no")] {
        let mut visit = visit(browser.as_ref(), &site.url(path), AMPLE).await;
        assert_eq!(visit.status(), Some(200), "{path}");
        let out = visit.evaluate("document.querySelector('#out').textContent").await.expect("a page");
        assert_eq!(out, answered, "{path}");
        assert_eq!(visit.context.incidents().dialogs, 1, "{path}");
        visit.close().await;
    }
    let mut leaving = visit(browser.as_ref(), &site.url("/alert-on-unload"), AMPLE).await;
    // A page's wish to be asked counts only after the user has touched it.
    leaving.evaluate("document.querySelector('#touch').click()").await.expect("a page");
    let page = open(leaving.context.as_mut(), goto(&site.url("/nested")), AMPLE).await;
    assert_eq!(page.expect("leaving is allowed").status, Some(200));
    assert_eq!(leaving.context.incidents().dialogs, 1);
    leaving.close().await;
    browser.close().await.expect("gone");
    rig.assert_clean();
}

#[tokio::test]
async fn popups_are_closed_and_counted_and_a_storm_harms_nobody() {
    let (rig, site) = (Rig::new(), nasty());
    let browser = rig.launch().await;
    let mut stormy = visit(browser.as_ref(), &site.url("/popups"), AMPLE).await;
    let mut sibling = visit(browser.as_ref(), &site.url("/nested"), AMPLE).await;
    let storm = "for (let n = 0; n < 100; n++) window.open('/nested?' + n, '_blank'); 'over'";
    assert_eq!(stormy.evaluate(storm).await.expect("the page goes on"), "over");
    let clock = Clock::start();
    assert_eq!(sibling.evaluate("document.title").await.map(|title| title.is_string()), Ok(true));
    let took = clock.now().elapsed();
    assert!(took < Duration::from_secs(3), "a sibling waited {took:?}");
    let popups = stormy.context.incidents().popups;
    assert!(popups > 20, "{popups} popups");
    assert_eq!(sibling.context.incidents().popups, 0);
    assert_eq!(site.hits("/nested"), 1, "popups are closed before they load");
    stormy.close().await;
    sibling.close().await;
    browser.close().await.expect("gone");
    rig.assert_clean();
}

#[tokio::test]
async fn what_a_job_sets_up_is_in_place_with_the_first_request() {
    let (rig, site) = (Rig::new(), nasty());
    let browser = rig.launch().await;
    let cookie: Cookie = serde_json::from_str(r#"{"name":"berth","value":"seven"}"#).expect("a cookie");
    let setup = Setup {
        viewport: Some(Viewport { width: 444, height: 333, scale: 2.0 }),
        headers: [("X-Berth".to_owned(), "7".to_owned())].into(),
        cookies: vec![cookie],
        ..Setup::default()
    };
    let mut visit = visit_with(browser.as_ref(), setup, goto(&site.url("/headers")), AMPLE).await;
    let headers = visit.evaluate("JSON.parse(document.body.innerText)").await.expect("a page");
    assert_eq!((&headers["x-berth"], &headers["cookie"]), (&"7".into(), &"berth=seven".into()));
    let size = visit.evaluate("[innerWidth, innerHeight, devicePixelRatio]").await.expect("a page");
    assert_eq!(size, serde_json::json!([444, 333, 2]));
    visit.close().await;

    let bad: Cookie = serde_json::from_str(r#"{"name":"a","value":"b","domain":"::"}"#).expect("a cookie");
    let request = OpenRequest { setup: Setup { cookies: vec![bad], ..Setup::default() }, first: None };
    let fault = browser.open(request, AMPLE).await.err().expect("refused");
    assert_eq!((fault.class, fault.recurrence), (FailureClass::Script, Recurrence::Persistent), "{fault}");

    let mut plain = self::visit(browser.as_ref(), &site.url("/cookies"), AMPLE).await;
    assert_eq!(
        evaluate(plain.context.as_mut(), "out.textContent").await.expect("a page"),
        "none",
        "contexts are isolated"
    );
    plain.close().await;
    browser.close().await.expect("gone");
    rig.assert_clean();
}
