//! Faults that are specific to this driver: the sandbox, several sessions of one chromedriver, a session that is stuck.

use std::time::Duration;

use futures_util::future::join_all;
use plimsoll_core::outcome::{FailureClass, Recurrence};
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
async fn a_network_service_that_ends_during_a_navigation_is_the_browser_s_crash() {
    let _berth = Berth::take();
    let (rig, site) = (Rig::of(Family::Chromium), nasty_site::serve(LOOPBACK).expect("a port"));
    let browser = rig.launch().await;
    let mut context = visit(browser.as_ref(), &site.url("/nested")).await;
    let hang = super::rig::step(serde_json::json!({ "goto": site.url("/hang") }));
    let navigating = context.perform(&hang, AMPLE);
    let killing = async {
        while site.hits("/hang") == 0 {
            tokio::task::yield_now().await;
        }
        let services = rig.named("network.mojom.NetworkService");
        services.first().expect("it runs").signal(Signal::KILL);
    };
    let (fault, ()) = tokio::join!(navigating, killing);
    let fault = fault.expect_err("nothing can come any more");
    assert_eq!(
        (fault.class, fault.recurrence),
        (FailureClass::BrowserCrash, Recurrence::Transient),
        "{fault}"
    );
    assert!(fault.message.contains("network service ended"), "{fault}");
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
    // The page blocks every screenshot, and chromedriver never ends the command.
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

/// The first processes of the browsers of all sessions. A process that is just being forked looks like its parent, so
/// each process must be seen twice.
async fn browsers(rig: &Rig) -> usize {
    let look = || {
        let mut found = rig.named("--remote-debugging");
        found.retain(|process| !process.args.contains("--type="));
        found
    };
    let first = look();
    tokio::time::sleep(Duration::from_millis(10)).await;
    look().iter().filter(|process| first.contains(process)).count()
}

#[tokio::test]
async fn sessions_that_run_out_of_time_never_outnumber_their_permits() {
    let _berth = Berth::take();
    let rig = Rig::of(Family::Chromium);
    let browser = rig.launch().await;
    let permits = std::cell::Cell::new(0);
    let openings = join_all([0, 60, 120, 250, 500, 1000, 2000].map(|wait| {
        let (browser, permits) = (&browser, &permits);
        async move {
            permits.set(permits.get() + 1);
            let mut opening = browser.open(request("about:blank"), AMPLE);
            let gone = match timeout(Duration::from_millis(wait), opening.ready()).await {
                Ok(Ok(context)) => context.close().await,
                Ok(Err(_)) | Err(_) => opening.abandon().await,
            };
            gone.expect("verified gone");
            permits.set(permits.get() - 1);
        }
    }));
    let watching = async {
        loop {
            // Permits are only returned from here on.
            let held = permits.get();
            let there = browsers(&rig).await;
            assert!(there <= held, "{there} browsers for {held} permits");
        }
    };
    tokio::pin!(openings);
    assert!(futures_util::poll!(&mut openings).is_pending(), "every permit is taken");
    tokio::select! {
        _ = openings => {}
        () = watching => {}
    }
    assert_eq!(browsers(&rig).await, 0, "what was abandoned is gone when the call returns");
    browser.close().await.expect("gone");
    rig.assert_clean();
}
