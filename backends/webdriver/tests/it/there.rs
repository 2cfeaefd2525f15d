//! The driver with a remote end that misbehaves: each fault has a class, time and memory are bounded, nothing is left.

mod closing;
mod end;
mod rig;
mod several;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use plimsoll_core::id::BrowserId;
use plimsoll_core::job::Setup;
use plimsoll_core::outcome::{FailureClass, Fault, Recurrence};
use plimsoll_core::port::{Context, Driver, OpenRequest};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::step::{Step, Viewport};
use plimsoll_kit::dead_port::DeadPort;
use plimsoll_kit::processes::{forget_peak, own_peak_kib};
use serde_json::json;
use tokio::sync::Notify;

use end::{End, Reply, refusal, well};
use rig::{AMPLE, Rig, open};

use FailureClass::{BrowserCrash, Overload, PageCrash, Script, Timeout, Unsupported};
use Recurrence::{Persistent, Transient};

/// Short enough for "at once" on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(10);
/// A short time for an answer that will be late.
const SHORT: Duration = Duration::from_millis(400);

#[track_caller]
fn is(fault: &Fault, class: FailureClass, recurrence: Recurrence) {
    assert_eq!((fault.class, fault.recurrence), (class, recurrence), "{fault}");
}

fn content() -> Step {
    serde_json::from_value(json!({ "content": {} })).expect("a step")
}

async fn fails(context: &mut dyn Context, budget: Duration) -> Fault {
    context.perform(&content(), budget).await.expect_err("the remote end sees to that")
}

/// An answer's name, the answer, and the fault class for a caller that requests a session or has a session.
type Answer = (&'static str, fn() -> Reply, FailureClass, FailureClass);

/// Answers to a session request or to a command of a session, and the meaning of each.
const ANSWERS: [Answer; 11] = [
    ("a proxy's page", || Reply::Html(502), Overload, BrowserCrash),
    ("a redirection", || Reply::Html(302), Overload, BrowserCrash),
    ("a page that calls itself a success", || Reply::Html(200), Overload, BrowserCrash),
    ("nothing", || Reply::Empty(200), Overload, BrowserCrash),
    ("nothing but a failure", || Reply::Empty(500), Overload, BrowserCrash),
    ("JSON of another shape", || Reply::Json(200, json!([])), Overload, BrowserCrash),
    ("an error of its own", || refusal(500, "unknown error"), Overload, Script),
    ("an end of the session", || refusal(404, "invalid session id"), Overload, BrowserCrash),
    ("half an answer", || Reply::Cut, BrowserCrash, BrowserCrash),
    (TOO_LONG[0], || Reply::Huge, BrowserCrash, Script),
    (TOO_LONG[1], || Reply::Flood, BrowserCrash, Script),
];

/// Answers that are longer than what is read. In mid-session that is the page's doing, and would happen again.
const TOO_LONG: [&str; 2] = ["a hundred megabytes", "bytes without end"];

/// The maximum memory for reading an answer: the longest answer that is read, plus a reserve.
const MOST_KIB: u64 = 80 << 10;

#[tokio::test]
async fn what_firefox_cannot_be_given_is_refused_before_a_session_is_requested() {
    let end = End::answering(well).await;
    let rig = Rig::of_firefox(&end.url());
    let browser = rig.launch().await;
    let viewport = Viewport { width: 600, height: 400, scale: 2.0 };
    let cookie = serde_json::from_value(json!({"name": "a", "value": "b"})).expect("a cookie");
    for setup in [
        Setup { viewport: Some(viewport), ..Setup::default() },
        Setup { headers: [("X-Berth".to_owned(), "7".to_owned())].into(), ..Setup::default() },
        Setup { cookies: vec![cookie], ..Setup::default() },
    ] {
        let request = OpenRequest { setup, first: None };
        let refused = browser.open(request, AMPLE).ready().await.err().expect("refused");
        is(&refused, Unsupported, Persistent);
    }
    assert_eq!(end.asked("POST /session"), 0);
}

#[tokio::test]
async fn a_session_that_is_not_given_has_a_class() {
    for (what, reply, class, _) in ANSWERS {
        let end = End::answering(move |method, path| match (method, path) {
            ("POST", "/session") => reply(),
            _ => well(method, path),
        });
        let end = end.await;
        let rig = Rig::at(&end.url());
        let browser = rig.launch().await;
        let refused = bounded(what, open(browser.as_ref(), AMPLE)).await.err().expect("refused");
        assert_eq!((refused.class, refused.recurrence), (class, Transient), "{what}: {refused}");
        browser.close().await.expect("there is nothing to delete");
        assert_eq!((rig.written(), rig.supervisor.panics()), (0, 0));
    }
}

#[tokio::test]
async fn what_a_remote_end_says_in_mid_session_has_its_class() {
    let crash: Answer = ("a dead page", || refusal(500, "tab crashed"), Overload, PageCrash);
    for (what, reply, _, class) in ANSWERS.into_iter().chain([crash]) {
        let end = End::answering(move |method, path| match (method, path) {
            ("POST", "/session/1/execute/sync") => reply(),
            _ => well(method, path),
        });
        let end = end.await;
        let rig = Rig::at(&end.url());
        let browser = rig.launch().await;
        let mut context = open(browser.as_ref(), AMPLE).await.expect("a session");
        let fault = bounded(what, fails(context.as_mut(), AMPLE)).await;
        let recurrence = if TOO_LONG.contains(&what) { Persistent } else { Transient };
        assert_eq!((fault.class, fault.recurrence), (class, recurrence), "{what}: {fault}");
        context.close().await.expect("gone");
        browser.close().await.expect("gone");
        assert_eq!((rig.written(), rig.supervisor.panics()), (0, 0));
    }
}

/// The result of `call`, at once and with little memory.
#[expect(clippy::print_stdout, reason = "the figures, for whoever asks for them with --no-capture")]
async fn bounded<T>(what: &str, call: impl Future<Output = T>) -> T {
    let clock = Clock::start();
    forget_peak();
    let before = own_peak_kib();
    let done = call.await;
    let (took, more) = (clock.now().elapsed(), own_peak_kib().saturating_sub(before));
    println!("{what}: {took:.1?}, {more} KiB more");
    assert!(took < AT_ONCE, "{what} took {took:?}");
    assert!(more < MOST_KIB, "{what} took {more} KiB more");
    done
}

#[tokio::test]
async fn a_session_that_is_stuck_is_ended_by_a_socket_of_its_browser() {
    for socket in ["/session/1/se/cdp", "/session/1/se/bidi"] {
        let closed = Arc::new(AtomicBool::new(false));
        let gone = Arc::clone(&closed);
        let end = End::answering(move |method, path| match (method, path) {
            ("POST", "/session/1/execute/sync") => Reply::Never,
            ("GET", path) if path == socket => Reply::Browser(Arc::clone(&gone)),
            ("GET", "/session/1/se/cdp") => Reply::Html(404),
            ("DELETE", _) if !gone.load(Ordering::Relaxed) => Reply::Never,
            _ => well(method, path),
        });
        let end = end.await;
        let rig = Rig::at(&end.url());
        let browser = rig.launch().await;
        let mut context = open(browser.as_ref(), AMPLE).await.expect("a session");
        is(&fails(context.as_mut(), SHORT).await, Timeout, Transient);
        bounded("a stuck session", context.close()).await.expect("gone");
        assert!(closed.load(Ordering::Relaxed), "{socket}");
        assert_eq!((end.asked("DELETE /session/1"), rig.written()), (2, 0));
        browser.close().await.expect("gone");
        let late = open(browser.as_ref(), AMPLE).await.err().expect("its browser is closed");
        is(&late, BrowserCrash, Transient);
        assert_eq!(end.asked("POST /session"), 1);
    }
}

#[tokio::test]
async fn a_node_that_is_lost_in_mid_session_is_a_crash_and_not_the_page_s_doing() {
    for (answer, budget) in [(None, SHORT), (Some("unknown error"), AMPLE)] {
        let end = End::answering(move |method, path| match (method, path) {
            ("POST", "/session/1/execute/sync") => answer.map_or(Reply::Never, |error| refusal(500, error)),
            ("GET", "/session/1/timeouts") => refusal(500, "unknown error"),
            _ => well(method, path),
        });
        let end = end.await;
        let rig = Rig::at(&end.url());
        let browser = rig.launch().await;
        let mut context = open(browser.as_ref(), AMPLE).await.expect("a session");
        is(&fails(context.as_mut(), budget).await, BrowserCrash, Transient);
        context.close().await.expect("gone");
        browser.close().await.expect("gone");
    }
}

#[tokio::test]
async fn every_request_carries_the_password_and_no_message_does() {
    let end = End::answering(|method, path| match (method, path) {
        ("POST", "/session/1/execute/sync") => {
            Reply::Json(200, json!({ "value": r#"{"ready":"<html></html>"}"# }))
        }
        ("POST", "/session") => Reply::Json(200, end::session("1")),
        ("DELETE", _) => Reply::Html(503),
        _ => well(method, path),
    });
    let end = end.await;
    let rig = Rig::at(&end.url_of_ada());
    assert!(!rig.driver.describe().contains("ada"));
    let browser = rig.launch().await;
    let mut context = open(browser.as_ref(), AMPLE).await.expect("a session");
    context.perform(&content(), AMPLE).await.expect("it answers");
    let left = context.close().await.expect_err("it is not known to be gone").to_string();
    assert!(left.contains("http://127") && !left.contains("ada") && !left.contains("ret"), "{left}");
    assert!(end.asked("POST /session/1/execute/sync") > 0);
    assert_eq!(end.unauthorized(), 0);
}

#[tokio::test]
async fn a_file_of_this_machine_is_not_uploaded_there() {
    let end = End::answering(well).await;
    let rig = Rig::at(&end.url());
    let browser = rig.launch().await;
    let mut context = open(browser.as_ref(), AMPLE).await.expect("a session");
    let upload = json!({ "upload": { "selector": "input", "files": ["/etc/hostname"] } });
    let upload: Step = serde_json::from_value(upload).expect("a step");
    is(&context.perform(&upload, AMPLE).await.expect_err("it is not declared"), Unsupported, Persistent);
    context.close().await.expect("gone");
    browser.close().await.expect("gone");
}

#[tokio::test]
async fn what_is_answered_twice_counts_once() {
    let end = End::answering(|method, path| match (method, path) {
        ("POST", "/session") => Reply::Twice(end::session("1")),
        ("POST", _) => Reply::Twice(json!({ "value": r#"{"ready":"<html></html>"}"# })),
        _ => Reply::Twice(json!({ "value": { "ready": true } })),
    });
    let end = end.await;
    let rig = Rig::at(&end.url());
    let browser = rig.launch().await;
    let mut context = open(browser.as_ref(), AMPLE).await.expect("a session");
    for _ in 0..3 {
        context.perform(&content(), AMPLE).await.expect("the first answer");
    }
    context.close().await.expect("gone");
    assert_eq!((end.asked("POST /session"), end.asked("DELETE /session/1")), (1, 1));
    browser.close().await.expect("gone");
}

#[tokio::test]
async fn a_refusal_that_repeats_the_capabilities_is_told_without_their_secrets() {
    let capabilities = json!({ "se:token": "canary-1", "proxy": { "httpProxy": "user:canary-2@proxy:1" } });
    let echo = format!("cannot create {capabilities}");
    let end = End::answering(move |method, path| match (method, path) {
        ("POST", "/session") => {
            Reply::Json(500, json!({ "value": { "error": "session not created", "message": echo } }))
        }
        _ => well(method, path),
    });
    let end = end.await;
    let rig = Rig::requesting(&end.url(), &capabilities);
    let browser = rig.launch().await;
    let refused = open(browser.as_ref(), AMPLE).await.err().expect("refused").message;
    assert!(refused.contains("cannot create") && !refused.contains("canary"), "{refused}");
}

#[tokio::test]
async fn a_grid_without_the_browser_will_never_have_a_session() {
    let slot = json!({ "session": null, "stereotype": { "browserName": "firefox" } });
    let status =
        json!({ "ready": true, "nodes": [{ "availability": "UP", "maxSessions": 4, "slots": [slot] }] });
    let end = End::answering(move |method, path| match (method, path) {
        ("GET", "/status") => Reply::Json(200, json!({ "value": status })),
        ("POST", "/session") => refusal(500, "session not created"),
        _ => well(method, path),
    });
    let end = end.await;
    let rig = Rig::at(&end.url());
    let browser = rig.launch().await;
    while rig.driver.slots().is_none() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    is(&open(browser.as_ref(), AMPLE).await.err().expect("refused"), Unsupported, Persistent);
}

#[tokio::test]
async fn a_command_that_stalls_ends_in_time_and_its_session_is_deleted_beside_it() {
    let end = End::answering(|method, path| match (method, path) {
        ("POST", "/session/1/execute/sync") => Reply::Never,
        _ => well(method, path),
    });
    let end = end.await;
    let rig = Rig::at(&end.url());
    let browser = rig.launch().await;
    let mut context = open(browser.as_ref(), AMPLE).await.expect("a session");
    assert_eq!(rig.written(), 1);
    let clock = Clock::start();
    is(&fails(context.as_mut(), SHORT).await, Timeout, Transient);
    assert!(clock.now().elapsed() < SHORT * 4, "{:?}", clock.now().elapsed());
    context.close().await.expect("gone");
    assert_eq!((end.asked("DELETE /session/1"), rig.written()), (1, 0));
    browser.close().await.expect("gone");
}

#[tokio::test]
async fn a_dead_run_s_sessions_are_deleted_by_the_next() {
    let end = End::answering(well).await;
    let url = end.url();
    let rig = Rig::at(&url);
    let browser = rig.launch().await;
    let context = open(browser.as_ref(), AMPLE).await.expect("a session");
    assert_eq!(rig.written(), 1);
    // A copy of the records, as after a run that was killed.
    let left = rig.forge_leavings();
    context.close().await.expect("gone");
    browser.close().await.expect("gone");
    assert_eq!(end.asked("DELETE /session/1"), 1);
    let _next = rig.next(&url);
    for _ in 0..200 {
        if !left.exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!left.exists(), "what the dead run left is cleared");
    assert_eq!(end.asked("DELETE /session/1"), 2);
}

#[tokio::test]
async fn nobody_there_is_no_browser() {
    let dead = DeadPort::reserve().expect("a port");
    let rig = Rig::at(&dead.url(""));
    let fault = rig.driver.launch(BrowserId(1), AMPLE).await.err().expect("nobody is there");
    is(&fault, BrowserCrash, Transient);
    assert_eq!(rig.driver.slots(), None);
}

#[tokio::test]
async fn a_remote_end_that_falls_silent_ends_its_browsers() {
    let silent = Arc::new(AtomicBool::new(false));
    let fallen = Arc::clone(&silent);
    let end = End::answering(move |method, path| {
        if fallen.load(Ordering::Relaxed) && path == "/status" {
            Reply::Html(502)
        } else {
            well(method, path)
        }
    });
    let end = end.await;
    let rig = Rig::at(&end.url());
    let browser = rig.launch().await;
    silent.store(true, Ordering::Relaxed);
    let ended = tokio::time::timeout(AMPLE, browser.ended()).await.expect("it is noticed").to_string();
    assert!(ended.contains("no remote end answers"), "{ended}");
    browser.close().await.expect("nothing is left");
}
