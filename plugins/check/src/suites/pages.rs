//! Normal and misbehaving pages: the result of `goto`, and what pages do by themselves.

use std::time::Duration;

use crate::dead_port::DeadPort;
use plimsoll_core::capability::Capability;
use plimsoll_core::outcome::{FailureClass, Recurrence};
use serde_json::json;

use crate::case::cases;
use crate::rig::Rig;
#[cfg(feature = "tls")]
use crate::site::LOOPBACK;
use crate::site::Site;
use crate::tab::Tab;
use crate::uses;
use crate::verdict::lacks_one;

cases![
    a_page_arrives_with_its_address,
    a_page_arrives_with_its_status,
    what_cannot_be_opened_is_a_failed_navigation,
    a_certificate_that_nobody_signed_is_a_failed_navigation,
    a_context_outlives_its_failed_navigations,
    a_download_is_no_page,
    an_answer_without_content_is_no_page,
    an_answer_that_breaks_off_is_no_page,
    fault_pages_fail_as_they_should,
    each_load_state_is_waited_for,
    headers_go_along_with_each_request,
    cookies_go_along_from_the_first_request,
    a_viewport_is_there_from_the_first_page,
    its_pixels_are_there_too,
    a_cookie_for_nowhere_opens_no_context,
    dialogs_are_answered_by_rule,
    dialogs_are_counted,
    leaving_a_page_is_always_allowed,
    popups_are_closed_and_counted,
    a_storm_of_popups_harms_nobody,
    a_download_is_refused_and_counted,
    long_pages_are_brought_back_whole,
];

async fn a_page_arrives_with_its_address(rig: &Rig) {
    // First for the page with which the context was opened, then later.
    let (mut tab, page) = rig.set_up("/redirect/3", json!({})).await;
    assert_eq!(page.expect("it opens").url, rig.site.url("/redirect/0"));
    for (path, end) in
        [("/redirect/2", "/redirect/0"), ("/slow/400", "/slow/400"), ("/nested#a", "/nested#a")]
    {
        assert_eq!(tab.go(path).await.expect("it opens").url, rig.site.url(end), "{path}");
    }
    let mut tab = rig.blank(json!({})).await.expect("a context");
    let blank = tab.go("about:blank").await.expect("it opens");
    assert_eq!((blank.url.as_str(), blank.status), ("about:blank", None));
    assert_eq!(tab.go("/nested").await.expect("it opens").url, rig.site.url("/nested"));
}

async fn a_page_arrives_with_its_status(rig: &Rig) {
    let knows = rig.declares(Capability::Statuses);
    if knows {
        uses::asked(&[Capability::Statuses].into_iter().collect());
    }
    let mut tab = rig.open("/nested").await;
    for (path, status) in
        [("/nested", 200), ("/status/404", 404), ("/status/503", 503), ("/redirect/2", 200), ("/nested", 200)]
    {
        let page = tab.go(path).await.expect("it opens");
        assert_eq!(page.status, knows.then_some(status), "{path}");
    }
    if !knows {
        lacks_one(Capability::Statuses);
    }
    uses::done(&[Capability::Statuses].into_iter().collect());
    let (_tab, page) = rig.set_up("/status/418", json!({})).await;
    assert_eq!(page.expect("it opens").status, Some(418));
}

async fn what_cannot_be_opened_is_a_failed_navigation(rig: &Rig) {
    use Recurrence::{Persistent, Transient};
    let dead = DeadPort::reserve().expect("a port");
    let cases = [
        (dead.url("/"), Transient),
        ("http://no-such-host.invalid/".to_owned(), Persistent),
        (rig.site.url("/redirect-loop"), Persistent),
    ];
    let mut tab = rig.open("/nested").await;
    for (url, recurrence) in &cases {
        let fault = tab.go(url).await.expect_err(url);
        assert_eq!(
            (fault.class, fault.recurrence),
            (FailureClass::Navigation, *recurrence),
            "{url}: {fault}"
        );
    }
    drop(tab);
    for (url, recurrence) in &cases[..2] {
        let (tab, page) = rig.set_up(url, json!({})).await;
        let fault = page.expect_err(url);
        assert_eq!(
            (fault.class, fault.recurrence),
            (FailureClass::Navigation, *recurrence),
            "{url}: {fault}"
        );
        tab.close().await;
    }
}

async fn a_certificate_that_nobody_signed_is_a_failed_navigation(rig: &Rig) {
    let unsigned = unsigned_site();
    let mut tab = rig.open("/nested").await;
    let fault = tab.go(&unsigned.url("/")).await.expect_err("nobody vouches for it");
    assert_eq!(
        (fault.class, fault.recurrence),
        (FailureClass::Navigation, Recurrence::Persistent),
        "{fault}"
    );
}

#[cfg(feature = "tls")]
fn unsigned_site() -> Site {
    crate::tls_site::serve(LOOPBACK).expect("a port")
}

#[cfg(not(feature = "tls"))]
fn unsigned_site() -> Site {
    crate::verdict::does_not_apply("the check has no site with TLS")
}

async fn a_download_is_no_page(rig: &Rig) {
    is_no_page(rig, "/download", Recurrence::Persistent).await;
}

async fn an_answer_without_content_is_no_page(rig: &Rig) {
    is_no_page(rig, "/no-content", Recurrence::Persistent).await;
}

async fn an_answer_that_breaks_off_is_no_page(rig: &Rig) {
    is_no_page(rig, "/cut", Recurrence::Transient).await;
}

async fn is_no_page(rig: &Rig, path: &str, recurrence: Recurrence) {
    let mut tab = rig.open("/nested").await;
    let fault = tab.go_within(Duration::from_secs(5), path).await.expect_err("there is no page");
    assert_eq!((fault.class, fault.recurrence), (FailureClass::Navigation, recurrence), "{fault}");
    tab.go("/nested").await.expect("it opens");
}

async fn a_context_outlives_its_failed_navigations(rig: &Rig) {
    let dead = DeadPort::reserve().expect("a port");
    let mut tab = rig.open("/nested").await;
    tab.go(&dead.url("/")).await.expect_err("nobody is there");
    let fault = tab.go_within(Duration::from_secs(1), "/hang").await.expect_err("nothing comes");
    assert_eq!((fault.class, fault.recurrence), (FailureClass::Timeout, Recurrence::Transient), "{fault}");
    tab.go("/nested").await.expect("it opens");
    assert_eq!(tab.text("h1").await, "Fleet");
}

async fn fault_pages_fail_as_they_should(rig: &Rig) {
    for (url, class) in [
        ("chrome://crash", FailureClass::PageCrash),
        ("chrome://kill", FailureClass::PageCrash),
        ("chrome://hang", FailureClass::Timeout),
    ] {
        let mut tab = rig.fresh("/nested").await;
        let fault = tab.go_within(Duration::from_secs(4), url).await.expect_err(url);
        assert_eq!((fault.class, fault.recurrence), (class, Recurrence::Transient), "{url}: {fault}");
        tab.close().await;
    }
    uses::done(&[Capability::FaultPages].into_iter().collect());
}

async fn each_load_state_is_waited_for(rig: &Rig) {
    let mut tab = rig.fresh("/nested").await;
    for (path, state, ready) in [
        ("/nested", "load", "complete"),
        ("/late?ms=200", "idle", "complete"),
        ("/iframe-slow", "dom", "interactive"),
        ("/drip", "commit", "loading"),
    ] {
        tab.does(json!({"goto": {"url": rig.site.url(path), "wait_until": state}})).await;
        assert_eq!(tab.js("document.readyState").await, ready, "{path}");
    }
}

async fn headers_go_along_with_each_request(rig: &Rig) {
    let headers = json!({"headers": {"X-Berth": "7", "Accept-Language": "de"}});
    let (mut tab, page) = rig.set_up("/headers", headers).await;
    page.expect("it opens");
    for path in ["/headers", "/headers?again"] {
        tab.go(path).await.expect("it opens");
        let sent = tab.text("body").await;
        let sent: serde_json::Value = serde_json::from_str(&sent).expect("JSON");
        assert_eq!((&sent["x-berth"], &sent["accept-language"]), (&json!("7"), &json!("de")));
    }
}

async fn cookies_go_along_from_the_first_request(rig: &Rig) {
    let cookies = json!({"cookies": [{"name": "berth", "value": "seven"}, {"name": "b", "value": "2", "url": rig.site.url("/")}]});
    let (mut tab, page) = rig.set_up("/cookies", cookies).await;
    page.expect("it opens");
    let sent = tab.text("#out").await;
    assert!(sent.contains("berth=seven") && sent.contains("b=2"), "{sent}");
}

async fn a_viewport_is_there_from_the_first_page(rig: &Rig) {
    let (mut tab, page) = rig.set_up("/nested", json!({"viewport": {"width": 600, "height": 500}})).await;
    page.expect("it opens");
    assert_eq!(tab.js("[innerWidth, innerHeight, devicePixelRatio]").await, json!([600, 500, 1]));
}

async fn its_pixels_are_there_too(rig: &Rig) {
    let (mut tab, page) =
        rig.set_up("/nested", json!({"viewport": {"width": 444, "height": 333, "scale": 2}})).await;
    page.expect("it opens");
    assert_eq!(tab.js("[innerWidth, innerHeight, devicePixelRatio]").await, json!([444, 333, 2]));
}

async fn a_cookie_for_nowhere_opens_no_context(rig: &Rig) {
    let nowhere = json!({"cookies": [{"name": "a", "value": "b", "domain": "::"}]});
    let fault = rig.blank(nowhere).await.err().expect("refused");
    assert_eq!((fault.class, fault.recurrence), (FailureClass::Script, Recurrence::Persistent), "{fault}");
}

async fn dialogs_are_answered_by_rule(rig: &Rig) {
    for (path, answered) in [("/alert", "answered"), ("/confirm", "no")] {
        let mut tab = rig.open("/nested").await;
        tab.go(path).await.expect("it opens");
        tab.does(json!({"wait_for": {"text": answered}})).await;
    }
    let mut tab = rig.show("<button>b</button><p id=out></p>").await;
    tab.js(
        "document.querySelector('button').onclick = () => { out.textContent = `${prompt('name?', 'x')}` }; 0",
    )
    .await;
    tab.does(json!({"click": "button"})).await;
    assert_eq!(tab.text("#out").await, "null");
}

async fn dialogs_are_counted(rig: &Rig) {
    rig.needs_scripts();
    let mut tab = rig.fresh("/alert").await;
    counted(&mut tab, |tab| tab.incidents().dialogs, 1).await;
    tab.go("/confirm").await.expect("it opens");
    tab.does(json!({"wait_for": {"text": "no"}})).await;
    counted(&mut tab, |tab| tab.incidents().dialogs, 2).await;
    tab.js("alert('from a script')").await;
    assert_eq!(tab.js("6 * 7").await, 42);
    counted(&mut tab, |tab| tab.incidents().dialogs, 3).await;
}

async fn leaving_a_page_is_always_allowed(rig: &Rig) {
    let mut tab = rig.open("/alert-on-unload").await;
    // Browsers honour `beforeunload` only after the user has touched the page.
    tab.does(json!({"click": "#touch"})).await;
    tab.go("/nested").await.expect("leaving is allowed");
    assert_eq!(tab.text("h1").await, "Fleet");
}

async fn popups_are_closed_and_counted(rig: &Rig) {
    let mut tab =
        rig.fresh("/shown?html=<button+onclick=\"window.open('/late?popup','_blank')\">Open</button>").await;
    tab.does(json!({"click": "button"})).await;
    counted(&mut tab, |tab| tab.incidents().popups, 1).await;
    assert_eq!(tab.js("location.pathname").await, "/shown", "the job stays on its page");
    assert_eq!(rig.site.hits("/late?popup"), 0, "it is closed before it has loaded");
}

async fn a_storm_of_popups_harms_nobody(rig: &Rig) {
    let (mut stormy, mut sibling) = (rig.fresh("/nested").await, rig.fresh("/nested").await);
    let storm = "for (let n = 0; n < 20; n++) window.open('/nested?' + n, '_blank'); 'over'";
    assert_eq!(stormy.js(storm).await, "over");
    let clock = rig.machine.clock.now();
    assert_eq!(sibling.js("document.title").await, "Records");
    let took = rig.machine.clock.now().since(clock);
    assert!(took < Duration::from_secs(5), "a sibling waited {took:?}");
    assert_eq!(sibling.incidents().popups, 0);
    assert_eq!(stormy.text("h1").await, "Fleet");
}

async fn a_download_is_refused_and_counted(rig: &Rig) {
    let mut tab = rig.fresh("/shown?html=<a+href=/download>Take+it</a>").await;
    tab.does(json!({"click": "a"})).await;
    counted(&mut tab, |tab| tab.incidents().downloads, 1).await;
    assert_eq!(tab.js("location.pathname").await, "/shown");
}

async fn long_pages_are_brought_back_whole(rig: &Rig) {
    const KIB: usize = 4096;
    let mut tab = rig.open(&format!("/long/{KIB}")).await;
    let data = tab.data(json!({"content": {}})).await;
    let html = data["content"].as_str().expect("text");
    assert!(html.len() > KIB << 10 && html.contains("line 0000262143"), "{} bytes", html.len());
    let text = tab.text("#out").await;
    // The last line's end is trimmed.
    assert_eq!(text.len(), (KIB << 10) - 1);
    assert!(text.ends_with("line 0000262143"), "{}", &text[text.len() - 40..]);
}

/// Waits until a count has arrived: the page continues before its driver gets the event.
async fn counted(tab: &mut Tab<'_>, count: impl Fn(&mut Tab<'_>) -> u32, expected: u32) {
    for _ in 0..50 {
        if count(tab) == expected {
            return;
        }
        tab.text("title").await;
    }
    assert_eq!(count(tab), expected);
}
