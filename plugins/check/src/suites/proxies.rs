//! A context's own proxy: used, bypassed, and unreachable.

use crate::dead_port::DeadPort;
use crate::nasty_site;
use crate::site::LOOPBACK;
use plimsoll_core::outcome::{FailureClass, Recurrence};
use serde_json::json;

use crate::case::cases;
use crate::rig::Rig;

cases![
    a_context_goes_through_its_own_proxy,
    some_hosts_may_be_reached_past_the_proxy,
    a_proxy_that_is_not_there_is_told,
];

async fn a_context_goes_through_its_own_proxy(rig: &Rig) {
    // A site answers requests for another site's pages with its own pages.
    let proxy = nasty_site::serve(LOOPBACK).expect("a port");
    let elsewhere = "http://no-such-host.invalid/nested";
    let (mut tab, page) = rig.set_up(elsewhere, json!({"proxy": proxy.url("")})).await;
    assert_eq!(page.expect("the proxy knows the host").url, elsewhere);
    assert_eq!(tab.text("h1").await, "Fleet");
    tab.go("/long/1").await.expect("this machine's addresses too");
    assert_eq!((proxy.hits("/nested"), proxy.hits("/long/1"), rig.site.hits("/long/1")), (1, 1, 0));
    let mut beside = rig.fresh("/nested").await;
    beside.go("/long/2").await.expect("a page");
    assert_eq!((proxy.hits("/nested"), proxy.hits("/long/2")), (1, 0), "its neighbour goes directly");
}

async fn some_hosts_may_be_reached_past_the_proxy(rig: &Rig) {
    let proxy = nasty_site::serve(LOOPBACK).expect("a port");
    let setup = json!({"proxy": {"server": proxy.url(""), "bypass": ["127.0.0.1"]}});
    let (mut tab, page) = rig.set_up("/long/3", setup).await;
    page.expect("a page");
    assert_eq!((proxy.hits("/long/3"), rig.site.hits("/long/3")), (0, 1));
    tab.go("http://no-such-host.invalid/nested").await.expect("the proxy knows the host");
    assert_eq!(proxy.hits("/nested"), 1);
}

async fn a_proxy_that_is_not_there_is_told(rig: &Rig) {
    let dead = DeadPort::reserve().expect("a port");
    let (tab, page) = rig.set_up("/nested", json!({"proxy": dead.url("")})).await;
    let fault = page.expect_err("nobody is there");
    assert_eq!((fault.class, fault.recurrence), (FailureClass::Proxy, Recurrence::Transient), "{fault}");
    tab.close().await;
}
