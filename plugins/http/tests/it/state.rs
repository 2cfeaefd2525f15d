//! The state that a context keeps, and its isolation from other contexts.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use plimsoll_core::job::Setup;
use plimsoll_core::outcome::{FailureClass, Recurrence};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_kit::site::LOOPBACK;
use plimsoll_kit::{demo_site, nasty_site};
use serde_json::{Value, json};

use crate::peer::Peer;
use crate::rig::{Tab, browser, failed};

#[tokio::test]
async fn cookies_stay_in_their_context() {
    let site = nasty_site::serve(LOOPBACK).expect("a port");
    let browser = browser().await;
    let (mut one, mut two) = (Tab::open(&*browser).await, Tab::open(&*browser).await);
    one.goto(&site.url("/cookies/set/berth/seven")).await.expect("a page");
    for (tab, sent) in [(&mut one, "berth=seven"), (&mut two, "none")] {
        tab.goto(&site.url("/cookies")).await.expect("a page");
        assert_eq!(tab.text("#out").await, sent);
    }
    assert_eq!(two.data(json!({"get_cookies": "jar"})).await["jar"], json!([]));
    let kept = one.data(json!({"get_cookies": {}})).await["cookies"][0].clone();
    assert_eq!(
        (&kept["name"], &kept["domain"], &kept["path"]),
        (&json!("berth"), &json!("127.0.0.1"), &json!("/"))
    );
    assert!(kept["expires"].as_f64().is_some(), "{kept}");
}

#[tokio::test]
async fn cookies_that_a_job_sets_are_kept_as_written() {
    let site = nasty_site::serve(LOOPBACK).expect("a port");
    let browser = browser().await;
    let far = json!({"name": "far", "value": "x", "domain": "example.invalid", "path": "/a",
        "expires": 4_000_000_000_i64, "http_only": true, "secure": true, "same_site": "lax"});
    let mut tab = Tab::open(&*browser).await;
    let homeless = tab.perform(json!({"set_cookies": [{"name": "a", "value": "b"}]})).await;
    failed(homeless, FailureClass::Script, Recurrence::Persistent, "names no host");
    tab.goto(&site.url("/nested")).await.expect("a page");
    tab.perform(json!({"set_cookies": [
        {"name": "berth", "value": "7"}, far,
        {"name": "wide", "value": "w", "domain": ".example.invalid"},
        {"name": "gone", "value": "g", "expires": 1},
    ]}))
    .await
    .expect("cookies");
    let mut found = tab.data(json!({"get_cookies": {}})).await["cookies"].as_array().expect("a list").clone();
    found.sort_by_key(|cookie| cookie["name"].to_string());
    let mut far = far;
    far["expires"] = json!(4_000_000_000.0);
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!((&found[0]["value"], found[0].get("expires")), (&json!("7"), None));
    assert_eq!(found[1], far);
    assert_eq!(found[2]["domain"], ".example.invalid");
    for (name, value) in [("a;b", "x"), ("a", "x; Domain=evil.invalid"), ("", "x"), ("a", &"x".repeat(5000))]
    {
        let refused = tab.perform(json!({"set_cookies": [{"name": name, "value": value}]})).await;
        failed(refused, FailureClass::Script, Recurrence::Persistent, "cannot be set");
    }
    tab.goto(&site.url("/cookies")).await.expect("a page");
    assert_eq!(tab.text("#out").await, "berth=7", "cookies of other hosts are not sent");
}

#[tokio::test]
async fn headers_and_cookies_of_a_job_go_along_but_secrets_stay_on_their_site() {
    let site = nasty_site::serve(LOOPBACK).expect("a port");
    let elsewhere = site.url("/headers").replace("127.0.0.1", "localhost");
    let target = elsewhere.clone();
    let peer = Peer::serve(move |_| {
        format!("HTTP/1.1 302 Found\r\nLocation: {target}\r\nSet-Cookie: hop=1\r\nContent-Length: 0\r\n\r\n")
            .into()
    });
    let own = [("X-Berth", "7"), ("Authorization", "Bearer secret"), ("User-Agent", "own")];
    let headers = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let cookies =
        serde_json::from_value(json!([{"name": "a", "value": "b", "url": site.url("/")}])).expect("cookies");
    let setup = Setup { headers: BTreeMap::from(headers), cookies, ..Setup::default() };
    let browser = browser().await;
    let mut tab = Tab::open_with(&*browser, setup).await.expect("a context");
    let mut sent = async |url: &str| {
        tab.goto(url).await.expect("a page");
        let text = tab.text("pre").await;
        serde_json::from_str::<Value>(text.as_str().expect("text")).expect("JSON")
    };
    let here = sent(&site.url("/headers")).await;
    assert_eq!((&here["x-berth"], &here["authorization"]), (&json!("7"), &json!("Bearer secret")));
    assert_eq!((&here["cookie"], &here["user-agent"]), (&json!("a=b"), &json!("own")));
    let there = sent(&peer.url("/")).await;
    assert_eq!((&there["x-berth"], &there["authorization"]), (&json!("7"), &Value::Null));
    assert_eq!(there.get("cookie"), None, "cookies of 127.0.0.1 are not for localhost");

    for (name, value) in [("Host", "evil"), ("Content-Length", "5"), ("a b", "x"), ("X", "a\nb")] {
        let headers = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        let refused = Tab::open_with(&*browser, Setup { headers, ..Setup::default() }).await;
        failed(refused.map(|_| ()), FailureClass::Script, Recurrence::Persistent, name);
    }
    let mut plain = Tab::open(&*browser).await;
    plain.goto(&site.url("/headers")).await.expect("a page");
    let honest = plain.text("pre").await;
    assert!(honest.as_str().is_some_and(|text| text.contains("(+http driver)")), "{honest}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_contexts_side_by_side_do_not_mix() {
    let site = nasty_site::serve(LOOPBACK).expect("a port");
    let browser = browser().await;
    let visit = async |n: usize| {
        let mut tab = Tab::open(&*browser).await;
        tab.goto(&site.url(&format!("/cookies/set/n/{n}"))).await.expect("a page");
        tab.goto(&site.url("/cookies")).await.expect("a page");
        assert_eq!(tab.text("#out").await, format!("n={n}"));
        tab.0.close().await.expect("a context that is gone");
    };
    join_all((0..100).map(visit)).await;
    browser.close().await.expect("a browser that is gone");
}

/// Its figure, with `--release` and `--no-capture`, is the driver's pace.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_visits_all_succeed() {
    const VISITS: usize = 1000;
    const SIDE_BY_SIDE: usize = 20;
    let site = demo_site::serve(LOOPBACK).expect("a port");
    let browser = browser().await;
    let clock = Clock::start();
    let visits = async |first: usize| {
        for n in (first..VISITS).step_by(SIDE_BY_SIDE) {
            let mut tab = Tab::open(&*browser).await;
            let url = site.url(&format!("/page/{}", n % demo_site::PAGES + 1));
            assert_eq!(tab.goto(&url).await.expect("a page").status, Some(200));
            let fields =
                json!({"extract": {"title": "title", "text": {"all": "article p"}, "next": "a[rel=next]"}});
            let data = tab.data(fields).await;
            assert!(data.values().all(|value| !value.is_null()), "{data:?}");
            tab.0.close().await.expect("a context that is gone");
        }
    };
    join_all((0..SIDE_BY_SIDE).map(visits)).await;
    assert_eq!(site.total_hits(), VISITS as u64);
    println!("{:.0} visits a second", VISITS as f64 / clock.now().elapsed().as_secs_f64());
}
