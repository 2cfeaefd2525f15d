//! Pages, well-behaved and not: what a `goto` says of each.

use std::time::Duration;

use plimsoll_core::outcome::{FailureClass, Recurrence};
use plimsoll_kit::berth::Berth;
use plimsoll_kit::dead_port::DeadPort;
use plimsoll_kit::nasty_site;
use plimsoll_kit::site::LOOPBACK;
use plimsoll_webdriver::Family;

use super::rig::{AMPLE, Rig, evaluate, go, request, visit};

use FailureClass::{Navigation, PageCrash, Timeout};
use Recurrence::{Persistent, Transient};

/// Opens what cannot be opened, first in a new context and then in one that has had a page.
async fn fails(family: Family, cases: &[(String, FailureClass, Recurrence, &str)]) {
    let _berth = Berth::take();
    let (rig, site) = (Rig::of(family), nasty_site::serve(LOOPBACK).expect("a port"));
    let browser = rig.launch().await;
    for (url, class, recurrence, says) in cases {
        let url = url.replace("SITE", &site.url(""));
        let budget = if *class == Timeout { Duration::from_secs(3) } else { AMPLE };
        let mut context = browser.open(request(&url), AMPLE).await.expect("a context");
        let first = go(context.as_mut(), &url, budget).await.expect_err(&url);
        let (mut context, again) = if first.class == Navigation {
            go(context.as_mut(), &site.url("/nested"), AMPLE).await.expect("it can go elsewhere");
            let again = go(context.as_mut(), &url, budget).await.expect_err(&url);
            (context, again)
        } else {
            (context, first.clone())
        };
        for fault in [first, again] {
            assert_eq!((fault.class, fault.recurrence), (*class, *recurrence), "{url}: {fault}");
            assert!(fault.message.contains(says), "{url}: {fault}");
        }
        if *class == Navigation {
            go(context.as_mut(), &site.url("/nested"), AMPLE).await.expect("it can go elsewhere");
        }
        context.close().await.expect("gone, whatever its page does");
    }
    browser.close().await.expect("gone");
    rig.assert_clean();
}

fn case(
    url: &str,
    class: FailureClass,
    recurrence: Recurrence,
    says: &'static str,
) -> (String, FailureClass, Recurrence, &'static str) {
    (url.to_owned(), class, recurrence, says)
}

#[tokio::test]
async fn what_chromium_cannot_open_is_told_by_class_and_recurrence() {
    let dead = DeadPort::reserve().expect("a port");
    let cases = [
        case(&dead.url("/"), Navigation, Transient, "ERR_CONNECTION_REFUSED"),
        case("http://no-such-host.invalid/", Navigation, Persistent, "ERR_NAME_NOT_RESOLVED"),
        case("SITE/redirect-loop", Navigation, Persistent, "in circles"),
        case("SITE/download", Navigation, Persistent, "is a download"),
        case("SITE/no-content", Navigation, Persistent, "no content"),
        case("SITE/cut", Navigation, Transient, "broke off"),
        case("SITE/hang", Timeout, Transient, "no response"),
        case("SITE/drip", Timeout, Transient, "not loaded"),
        case("SITE/busy", Timeout, Transient, ""),
        case("chrome://hang", Timeout, Transient, ""),
        case("chrome://crash", PageCrash, Transient, "died"),
    ];
    fails(Family::Chromium, &cases).await;
}

#[tokio::test]
async fn what_firefox_cannot_open_is_told_by_class_and_recurrence() {
    let dead = DeadPort::reserve().expect("a port");
    let cases = [
        case(&dead.url("/"), Navigation, Transient, "nothing listens there"),
        case("http://no-such-host.invalid/", Navigation, Persistent, "no such host"),
        case("SITE/redirect-loop", Navigation, Persistent, "in circles"),
        case("SITE/hang", Timeout, Transient, "no response"),
        case("SITE/drip", Timeout, Transient, "not loaded"),
    ];
    fails(Family::Firefox, &cases).await;
}

/// Dialogs are answered by rule and counted, also those that open while nobody asks.
async fn dialogs(family: Family) {
    let _berth = Berth::take();
    let (rig, site) = (Rig::of(family), nasty_site::serve(LOOPBACK).expect("a port"));
    let browser = rig.launch().await;
    let mut context = visit(browser.as_ref(), &site.url("/alert")).await;
    for (path, answered, dialogs) in [("/alert", "answered", 2), ("/confirm", "no", 3)] {
        go(context.as_mut(), &site.url(path), AMPLE).await.expect("a page");
        let out = evaluate(context.as_mut(), "document.querySelector('#out').textContent", AMPLE).await;
        assert_eq!(out.expect("a page"), answered, "{path}");
        assert_eq!(context.incidents().dialogs, dialogs, "{path}");
    }
    evaluate(context.as_mut(), "alert('from a script')", AMPLE).await.expect("it goes on");
    assert_eq!(evaluate(context.as_mut(), "6 * 7", AMPLE).await.expect("it goes on"), 42);
    assert_eq!(context.incidents().dialogs, 4);
    context.close().await.expect("gone");
    browser.close().await.expect("gone");
    rig.assert_clean();
}

#[tokio::test]
async fn chromium_s_dialogs_are_answered_and_counted() {
    dialogs(Family::Chromium).await;
}

#[tokio::test]
async fn firefox_s_dialogs_are_answered_and_counted() {
    dialogs(Family::Firefox).await;
}
