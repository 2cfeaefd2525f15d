//! The cause of a failed navigation: WebDriver reports none, so the driver finds it.

use plimsoll_kit::berth::Berth;
use plimsoll_kit::dead_port::DeadPort;
use plimsoll_kit::nasty_site;
use plimsoll_kit::site::LOOPBACK;
use plimsoll_webdriver::Family;

use super::rig::{AMPLE, Rig, go, request, visit};

/// Opens each URL, first in a new context and then in a context that has had a page.
async fn names_its_cause(family: Family, cases: &[(&str, &str)]) {
    let _berth = Berth::take();
    let (rig, site) = (Rig::of(family), nasty_site::serve(LOOPBACK).expect("a port"));
    let dead = DeadPort::reserve().expect("a port");
    let browser = rig.launch().await;
    for (url, cause) in cases {
        let url = url.replace("SITE", &site.url("")).replace("DEAD", &dead.url("/"));
        let mut fresh = browser.open(request(&url), AMPLE).ready().await.expect("a context");
        let first = go(fresh.as_mut(), &url, AMPLE).await.expect_err(&url);
        fresh.close().await.expect("gone");
        let mut used = visit(browser.as_ref(), &site.url("/nested")).await;
        let later = go(used.as_mut(), &url, AMPLE).await.expect_err(&url);
        used.close().await.expect("gone");
        for fault in [first, later] {
            assert!(fault.message.contains(cause), "{url}: {fault}");
        }
    }
    browser.close().await.expect("gone");
    rig.assert_clean();
}

#[tokio::test]
async fn a_failed_navigation_of_chromium_names_its_cause() {
    let cases = [
        ("DEAD", "ERR_CONNECTION_REFUSED"),
        ("http://no-such-host.invalid/", "ERR_NAME_NOT_RESOLVED"),
        ("SITE/redirect-loop", "in circles"),
        ("SITE/download", "is a download"),
        ("SITE/no-content", "no content"),
        ("SITE/cut", "broke off"),
        ("chrome://crash", "died"),
    ];
    names_its_cause(Family::Chromium, &cases).await;
}

#[tokio::test]
async fn a_failed_navigation_of_firefox_names_its_cause() {
    let cases = [
        ("DEAD", "nothing listens there"),
        ("http://no-such-host.invalid/", "no such host"),
        ("SITE/redirect-loop", "in circles"),
    ];
    names_its_cause(Family::Firefox, &cases).await;
}
