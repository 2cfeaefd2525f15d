//! Faults: drivers and browsers that are killed or stopped, sessions that are stuck, and callers that leave.

use std::time::Duration;

use futures_util::future::join_all;
use plimsoll_core::id::BrowserId;
use plimsoll_core::outcome::{FailureClass, Recurrence};
use plimsoll_core::port::{BrowserEnd, Driver};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_kit::berth::Berth;
use plimsoll_kit::nasty_site;
use plimsoll_kit::site::LOOPBACK;
use plimsoll_webdriver::Family;
use rustix::process::Signal;
use tokio::time::timeout;

use super::rig::{AMPLE, Rig, evaluate, request, visit};

#[tokio::test]
async fn drivers_and_browsers_run_unprivileged_with_their_sandbox_on() {
    let _berth = Berth::take();
    for family in [Family::Chromium, Family::Firefox] {
        let (rig, site) = (Rig::of(family), nasty_site::serve(LOOPBACK).expect("a port"));
        let browser = rig.launch().await;
        let context = visit(browser.as_ref(), &site.url("/nested")).await;
        for process in rig.processes() {
            let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid)).expect("it lives");
            let uid = status.lines().find(|line| line.starts_with("Uid:")).expect("a status").to_owned();
            assert!(!uid.split_whitespace().skip(1).any(|uid| uid == "0"), "{}: {uid}", process.args);
            assert!(!process.args.contains("--no-sandbox"), "{}", process.args);
        }
        context.close().await.expect("gone");
        browser.close().await.expect("gone");
        rig.assert_clean();
    }
}

#[tokio::test]
async fn one_chromedriver_holds_several_sessions_and_one_that_dies_harms_no_other() {
    let _berth = Berth::take();
    let (rig, site) = (Rig::of(Family::Chromium), nasty_site::serve(LOOPBACK).expect("a port"));
    let browser = rig.launch().await;
    let url = site.url("/nested");
    let mut contexts = join_all((0..3).map(|_| visit(browser.as_ref(), &url))).await;
    assert_eq!(rig.named("chromedriver").len(), 1);
    let victim = rig.processes().into_iter().find(|p| p.is_browser() && p.args.contains("--user-data-dir"));
    victim.expect("a browser runs").signal(Signal::KILL);
    let ends = join_all(contexts.iter_mut().map(|context| evaluate(context.as_mut(), "6 * 7", AMPLE))).await;
    let (alive, dead): (Vec<_>, Vec<_>) = ends.into_iter().partition(Result::is_ok);
    assert_eq!((alive.len(), dead.len()), (2, 1), "{dead:?}");
    let fault = dead.into_iter().find_map(Result::err).expect("one died");
    assert_eq!(
        (fault.class, fault.recurrence),
        (FailureClass::BrowserCrash, Recurrence::Transient),
        "{fault}"
    );
    for context in contexts {
        context.close().await.expect("gone");
    }
    browser.close().await.expect("gone");
    rig.assert_clean();
}

#[tokio::test]
async fn a_killed_driver_takes_its_browsers_along() {
    let _berth = Berth::take();
    for (family, name) in [(Family::Chromium, "chromedriver"), (Family::Firefox, "geckodriver")] {
        let (rig, site) = (Rig::of(family), nasty_site::serve(LOOPBACK).expect("a port"));
        let browser = rig.launch().await;
        let mut context = visit(browser.as_ref(), &site.url("/nested")).await;
        rig.named(name).pop().expect("the driver runs").signal(Signal::KILL);
        let (end, fault) = tokio::join!(
            browser.ended(),
            evaluate(context.as_mut(), "new Promise(() => {})", Duration::from_secs(20))
        );
        assert!(matches!(&end, BrowserEnd::Died(how) if how.contains("signal 9")), "{end}");
        let fault = fault.expect_err("its browser is dead");
        assert_eq!(
            (fault.class, fault.recurrence),
            (FailureClass::BrowserCrash, Recurrence::Transient),
            "{fault}"
        );
        assert!(fault.message.contains("signal 9"), "{fault}");
        context.close().await.expect("gone with its browser");
        browser.close().await.expect("gone");
        rig.assert_clean();
    }
}

#[tokio::test]
async fn a_stopped_chromedriver_hangs_and_is_cleared_away() {
    let _berth = Berth::take();
    let (rig, site) = (Rig::of(Family::Chromium), nasty_site::serve(LOOPBACK).expect("a port"));
    let browser = rig.launch().await;
    let context = visit(browser.as_ref(), &site.url("/nested")).await;
    rig.named("chromedriver").pop().expect("it runs").signal(Signal::STOP);
    let clock = Clock::start();
    let end = browser.ended().await;
    assert!(matches!(end, BrowserEnd::Hung(_)), "{end}");
    assert!(clock.now().elapsed() < Duration::from_secs(25));
    context.close().await.expect("gone");
    browser.close().await.expect("gone");
    rig.assert_clean();
}

#[tokio::test]
async fn a_session_that_is_stuck_is_gone_soon_and_its_neighbour_goes_on() {
    let _berth = Berth::take();
    let (rig, site) = (Rig::of(Family::Chromium), nasty_site::serve(LOOPBACK).expect("a port"));
    let browser = rig.launch().await;
    let mut stuck = visit(browser.as_ref(), &site.url("/nested")).await;
    let mut neighbour = visit(browser.as_ref(), &site.url("/nested")).await;
    // The page never lets a picture be taken of it, and chromedriver never gives the command up.
    let never = evaluate(stuck.as_mut(), "setTimeout(() => { for (;;); }, 0); 1", AMPLE).await;
    assert_eq!(never.expect("it has not begun"), 1);
    let picture = super::rig::step(serde_json::json!({ "screenshot": "page" }));
    let fault = stuck.perform(&picture, Duration::from_secs(2)).await.expect_err("it is busy");
    assert_eq!(fault.class, FailureClass::Timeout, "{fault}");
    let clock = Clock::start();
    stuck.close().await.expect("gone");
    assert!(clock.now().elapsed() < Duration::from_secs(8));
    assert_eq!(evaluate(neighbour.as_mut(), "6 * 7", AMPLE).await.expect("untouched"), 42);
    neighbour.close().await.expect("gone");
    browser.close().await.expect("gone");
    rig.assert_clean();
}

#[tokio::test]
async fn a_firefox_that_does_not_answer_goes_with_its_driver() {
    let _berth = Berth::take();
    let (rig, site) = (Rig::of(Family::Firefox), nasty_site::serve(LOOPBACK).expect("a port"));
    let browser = rig.launch().await;
    let mut context = visit(browser.as_ref(), &site.url("/nested")).await;
    let fault =
        evaluate(context.as_mut(), "for (;;);", Duration::from_secs(2)).await.expect_err("it never ends");
    assert_eq!(fault.class, FailureClass::Timeout, "{fault}");
    context.close().await.expect("gone");
    browser.close().await.expect("gone");
    rig.assert_clean();
}

#[tokio::test]
async fn callers_who_leave_leave_nothing() {
    let _berth = Berth::take();
    let (rig, site) = (Rig::of(Family::Chromium), nasty_site::serve(LOOPBACK).expect("a port"));
    let browser = rig.launch().await;
    let url = site.url("/nested");
    for wait in [0, 50, 150, 300, 450] {
        drop(timeout(Duration::from_millis(wait), browser.open(request(&url), AMPLE)).await);
    }
    let mut left = visit(browser.as_ref(), &url).await;
    drop(timeout(Duration::from_millis(50), evaluate(left.as_mut(), "new Promise(() => {})", AMPLE)).await);
    drop(left);
    let closing = visit(browser.as_ref(), &url).await;
    drop(timeout(Duration::from_millis(10), closing.close()).await);
    let gone = || rig.named("--user-data-dir").is_empty();
    patience_until("browsers of abandoned sessions are gone", gone).await;
    for (id, wait) in [(90, 5), (91, 60), (92, 120)] {
        drop(timeout(Duration::from_millis(wait), rig.driver.launch(BrowserId(id), AMPLE)).await);
    }
    drop(browser);
    patience_until("abandoned drivers are gone", || rig.processes().is_empty()).await;
    timeout(AMPLE, rig.supervisor.stop()).await.expect("every task ends");
    rig.assert_clean();
}

/// Waits until `holds`, with a bound; the runtime goes on meanwhile.
async fn patience_until(what: &'static str, mut holds: impl FnMut() -> bool) {
    let mut tries = 0;
    while !holds() {
        tries += 1;
        assert!(tries < 300, "{what}: not within 30 seconds");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
