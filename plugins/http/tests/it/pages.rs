//! Results of pages, beyond the cases of the common suite (`tests/conformance`).

use plimsoll_core::outcome::{FailureClass, Recurrence};
use plimsoll_core::port::StepOutput;
use plimsoll_kit::site::LOOPBACK;
use plimsoll_kit::{demo_site, nasty_site};
use serde_json::{Value, json};

use crate::peer::{Peer, answer};
use crate::rig::{Tab, browser, failed};

#[tokio::test]
async fn pages_have_statuses_and_are_found_through_redirects() {
    let site = nasty_site::serve(LOOPBACK).expect("a port");
    let mut tab = Tab::open(&*browser().await).await;
    let arrived = tab.goto(&site.url("/redirect/3#part")).await.expect("a page");
    assert_eq!((arrived.url, arrived.status), (site.url("/redirect/0#part"), Some(200)));
    for status in [200, 404, 503] {
        let page = tab.goto(&site.url(&format!("/status/{status}"))).await.expect("a page");
        assert_eq!(page.status, Some(status));
        assert_eq!(tab.text("h1").await, format!("Status {status}"));
    }
    let html = tab.data(json!({"content": "html"})).await["html"].clone();
    assert!(html.as_str().is_some_and(|html| html.starts_with("<!DOCTYPE html>\n<html>")), "{html}");
    let blank = tab.goto("about:blank").await.expect("a page");
    assert_eq!((blank.url.as_str(), blank.status), ("about:blank", None));
    assert_eq!(tab.text("body").await, "");
    for state in ["commit", "dom", "load", "idle"] {
        let goto = json!({"goto": {"url": site.url("/nested"), "wait_until": state}});
        assert!(matches!(tab.perform(goto).await, Ok(StepOutput::Page(_))), "{state}");
        tab.perform(json!({"wait_for": {"load": state}})).await.expect(state);
    }
}

#[tokio::test]
async fn text_and_packed_pages_are_read() {
    let peer = Peer::serve(|path| match path {
        "/text" => answer("Content-Type: text/plain; charset=utf-8", "\n a <b> & c\u{e9}\n".as_bytes()),
        "/json" => answer("Content-Type: application/json", "{\"a\": \"\u{e9}\"}".as_bytes()),
        "/latin" => answer("Content-Type: text/html; charset=iso-8859-1", b"<p>caf\xe9"),
        "/based" => {
            answer("Content-Type: text/html", b"<base href=/deep/er/><a href=x>l</a><img src='//h/i'>")
        }
        _ => {
            let packed = include_bytes!("packed.html.gz");
            answer("Content-Type: text/html\r\nContent-Encoding: gzip", packed)
        }
    });
    let mut tab = Tab::open(&*browser().await).await;
    for (path, selector, text) in [
        ("/text", "pre", "a <b> & c\u{e9}"),
        ("/json", "pre", "{\"a\": \"\u{e9}\"}"),
        ("/latin", "p", "caf\u{e9}"),
        ("/packed", "p", "unpacked"),
    ] {
        tab.goto(&peer.url(path)).await.expect(path);
        assert_eq!(tab.text(selector).await, text, "{path}");
    }
    tab.goto(&peer.url("/based")).await.expect("a page");
    let data = tab
        .data(json!({"extract": {
            "href": {"selector": "a", "attribute": "href"}, "src": {"selector": "img", "attribute": "SRC"}}}))
        .await;
    assert_eq!(Value::Object(data), json!({"href": peer.url("/deep/er/x"), "src": "http://h/i"}));
}

#[tokio::test]
async fn conditions_hold_at_once_or_never() {
    let site = demo_site::serve(LOOPBACK).expect("a port");
    let mut tab = Tab::open(&*browser().await).await;
    tab.goto(&site.url("/page/2")).await.expect("a page");
    for step in [
        json!({"wait_for": {"selector": "article p", "state": "attached"}}),
        json!({"wait_for": {"selector": "#none", "state": "detached"}}),
        json!({"wait_for": {"text": "2 of  12"}}),
        json!({"wait_for": {"url": "*/page/*"}}),
        json!({"expect": {"selector": "nav.pages a", "count": 2}}),
        json!({"expect": {"selector": "nav.pages span", "text": "of 12"}}),
        json!({"expect": {"text": "of 12"}}),
        json!({"expect": {"url": "/page/2"}}),
    ] {
        assert_eq!(tab.perform(step.clone()).await, Ok(StepOutput::Done), "{step}");
    }
    let missing = tab.perform(json!({"wait_for": {"selector": "#none", "state": "attached"}})).await;
    failed(
        missing,
        FailureClass::Timeout,
        Recurrence::Transient,
        "`#none` to be attached: it is not in the page",
    );
    for (that, words) in [
        (json!({"selector": "nav.pages a", "count": 3}), "3 matches of `nav.pages a`, but there are 2"),
        (json!({"title": "Nowhere"}), "expected the title to contain \"Nowhere\", but it is "),
        (json!({"text": "Atlantis"}), "expected the page to contain \"Atlantis\", but it contains "),
        (json!({"url": "/page/9"}), "expected the url to match \"/page/9\", but it is "),
    ] {
        let expected = tab.perform(json!({"expect": that})).await;
        failed(expected, FailureClass::Assertion, Recurrence::Persistent, words);
    }
    let wrong = tab.perform(json!({"expect": {"selector": "p >", "count": 1}})).await;
    failed(wrong, FailureClass::Script, Recurrence::Persistent, "`p >` is not a valid selector");
}

#[tokio::test]
async fn what_takes_a_browser_is_unsupported() {
    let mut tab = Tab::open(&*browser().await).await;
    for step in [
        json!({"click": "a"}),
        json!({"evaluate": "1"}),
        json!({"screenshot": "page"}),
        json!({"pdf": {}}),
        json!({"set_viewport": {"width": 10, "height": 10}}),
        json!({"wait_for": "a"}),
        json!({"wait_for": {"function": "1"}}),
        json!({"expect": {"selector": "a", "state": "hidden"}}),
        json!({"goto": "chrome://crash"}),
        json!({"goto": "http://ada:secret@127.0.0.1/"}),
    ] {
        let done = tab.perform(step.clone()).await;
        failed(done.clone(), FailureClass::Unsupported, Recurrence::Persistent, "");
        assert!(!format!("{done:?}").contains("secret"), "{done:?}");
    }
}
