//! Pages that misbehave, all in one run: each gets its class in bounded time, and the healthy jobs beside them are
//! not affected.

use std::time::Duration;

use plimsoll_kit::dead_port::DeadPort;
use plimsoll_kit::site::{LOOPBACK, Site};
use plimsoll_kit::{demo_site, nasty_site, tls_site};
use serde_json::{Value, json};

use crate::rig::Rig;

/// Healthy jobs on a site of their own, and on the nasty one.
const SIBLINGS: usize = 16;

/// A page that fails: its name, its URL, its class, and a part of its message.
type Failing = (&'static str, String, &'static str, &'static str);

#[test]
fn nasty_pages_are_classed_and_their_siblings_untouched() {
    let rig = Rig::new();
    let (nasty, healthy) =
        (nasty_site::serve(LOOPBACK).expect("a port"), demo_site::serve(LOOPBACK).expect("a port"));
    let (dead, unsigned) = (DeadPort::reserve().expect("a port"), tls_site::serve(LOOPBACK).expect("a port"));
    let failing = failing(&nasty, &dead, &unsigned);
    let mut jobs: Vec<Value> = Vec::new();
    for (id, url, class, _) in &failing {
        // Jobs that must time out get a short time limit; the others get a long one.
        let mut job =
            json!({"id": id, "url": url, "timeout": if *class == "timeout" { "4s" } else { "60s" }});
        if *id == "deaf-to-steps" {
            job["steps"] = json!([{"evaluate": "new Promise(done => setTimeout(done, 1000))"}, {"extract": {"out": "h1"}}]);
        }
        jobs.push(job);
    }
    jobs.extend(peculiar(&nasty));
    let sibling = |n: usize| {
        let url = if n.is_multiple_of(4) {
            nasty.url("/nested")
        } else {
            healthy.url(&format!("/page/{}", n % 12 + 1))
        };
        json!({"id": format!("sibling-{n}"), "url": url, "timeout": "60s", "extract": {"title": "h1"}})
    };
    // Mixed, so that each nasty page has healthy ones beside it.
    for n in 0..SIBLINGS {
        jobs.insert((2 * n + 1).min(jobs.len()), sibling(n));
    }
    rig.jobs(jobs.clone());
    let ended = rig.run(&["--concurrency", "8"]).expect(1);

    assert!(ended.took < Duration::from_secs(150), "something hung: {:?}", ended.took);
    assert_eq!(ended.results().len(), jobs.len());
    let mut wrong = Vec::new();
    for (id, _, class, says) in failing {
        let line = ended.result(id);
        let message = line["message"].as_str().unwrap_or_default();
        if line["class"] != class
            || line["outcome"] != "failed"
            || message.is_empty()
            || !message.contains(says)
        {
            wrong.push(format!("{id} should be {class}: {line}"));
        }
        if class == "timeout" && line["ms"].as_u64().is_none_or(|ms| !(3_900..8_000).contains(&ms)) {
            wrong.push(format!("{id} had 4 s: {line}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for n in 0..SIBLINGS {
        let line = ended.result(&format!("sibling-{n}"));
        assert_eq!((&line["outcome"], &line["attempts"]), (&json!("succeeded"), &json!(1)), "{line}");
        assert!(line["data"]["title"].as_str().is_some_and(|title| !title.is_empty()), "{line}");
    }
    let said = |id: &str| {
        let line = ended.result(id);
        assert_eq!(line["outcome"], "succeeded", "{line}");
        line
    };
    assert_eq!(
        (&said("accepted-404")["status"], &said("accepted-404")["data"]["title"]),
        (&json!(404), &json!("Status 404"))
    );
    assert_eq!(said("accepted-500")["status"], 500);
    assert_eq!(said("redirected")["data"]["title"], "Arrived");
    assert_eq!(
        (&said("alert")["data"]["out"], &said("alert")["incidents"]["dialogs"]),
        (&json!("answered"), &json!(1))
    );
    assert_eq!(said("leaving")["incidents"]["dialogs"], 1);
    assert_eq!(
        (&said("confirm")["data"]["out"], &said("confirm")["incidents"]["dialogs"]),
        (&json!("no"), &json!(1))
    );
    assert!(said("popups")["incidents"]["popups"].as_u64() > Some(10), "{}", said("popups"));
    assert_eq!(said("throws")["data"]["out"], "still here");
    said("garbage");
    // The machine's speed decides whether 100 MiB are read in time; the job must end in both cases.
    let huge = ended.result("huge");
    assert!(
        huge["outcome"] == "succeeded" || huge["class"] == "timeout" || huge["class"] == "page_crash",
        "{huge}"
    );
    let report = ended.report();
    assert_eq!((&report["lost"], &report["task_panics"]), (&json!(0), &json!(0)));
    assert_eq!(report["browser_restarts"], 0, "no page takes its browser down");
    rig.assert_clean();
}

/// The pages that fail, and how.
fn failing(nasty: &Site, dead: &DeadPort, unsigned: &Site) -> [Failing; 18] {
    let at = |path: &str| nasty.url(path);
    [
        ("refused", dead.url("/"), "navigation", "CONNECTION_REFUSED"),
        ("unknown-host", "http://no-such-host.invalid/".to_owned(), "navigation", "NAME_NOT_RESOLVED"),
        ("unsigned", unsigned.url("/"), "navigation", "CERT"),
        ("not-found", at("/status/404"), "http_status", "404"),
        ("server-error", at("/status/500"), "http_status", "500"),
        ("circle", at("/redirect-loop"), "navigation", "circles"),
        ("download", at("/download"), "navigation", "download"),
        ("no-content", at("/no-content"), "navigation", "no content"),
        ("cut", at("/cut"), "navigation", "broke off"),
        ("drip", at("/drip"), "timeout", ""),
        ("hang", at("/hang"), "timeout", ""),
        ("busy", at("/busy"), "timeout", ""),
        ("frame", at("/iframe-slow"), "timeout", ""),
        ("hung-renderer", "chrome://hang".to_owned(), "timeout", ""),
        ("crash", "chrome://crash".to_owned(), "page_crash", ""),
        ("kill", "chrome://kill".to_owned(), "page_crash", ""),
        ("too-many-redirects", at("/redirect/30"), "navigation", ""),
        ("deaf-to-steps", at("/busy-later?ms=0"), "timeout", ""),
    ]
}

/// The unusual pages that succeed.
fn peculiar(nasty: &Site) -> [Value; 10] {
    let at = |path: &str| nasty.url(path);
    let touch = json!([{"click": "#touch"}, {"goto": at("/nested")}]);
    let storm = "for (let n = 0; n < 50; n++) window.open('/nested?' + n, '_blank'); 'over'";
    // Popups are counted when they are closed, which takes time.
    let pause = "new Promise(done => setTimeout(done, 2000))";
    [
        json!({"id": "accepted-404", "url": at("/status/404"), "accept_status": [404], "extract": {"title": "h1"}}),
        json!({"id": "accepted-500", "url": at("/status/500"), "accept_status": [404, 500]}),
        json!({"id": "redirected", "url": at("/redirect/3"), "extract": {"title": "h1"}}),
        json!({"id": "alert", "url": at("/alert"), "extract": {"out": "#out"}}),
        json!({"id": "leaving", "url": at("/alert-on-unload"), "steps": touch}),
        json!({"id": "confirm", "url": at("/confirm"), "extract": {"out": "#out"}}),
        json!({"id": "popups", "url": at("/popups"), "steps": [{"evaluate": storm}, {"evaluate": pause}]}),
        json!({"id": "garbage", "url": at("/garbage")}),
        json!({"id": "throws", "url": at("/throws"), "extract": {"out": "#out"}}),
        json!({"id": "huge", "url": at("/huge"), "timeout": "15s", "extract": {"one": "p"}}),
    ]
}
