//! Tests the DevTools driver with a real browser behind a program that tampers with one answer.
//!
//! For every fault: the call ends in time and with a class, other contexts continue, memory stays bounded, nothing
//! panics and nothing is left. The WebDriver driver has its own tests in `backends/webdriver/tests/it/there.rs`.

mod rig;

use std::sync::Arc;

use plimsoll_core::id::BrowserId;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::{Browser, Driver, StepOutput};
use plimsoll_kit::processes::{forget_peak, own_peak_kib};
use serde_json::json;
use tokio::time::timeout;

use rig::{AMPLE, BUDGET, Rig, marked, open, step};

use FailureClass::{BrowserCrash, Internal, Navigation, Script, Timeout};

/// The greatest memory for reading a message: the longest accepted message, and some more.
const MOST_KIB: u64 = 144 << 10;

/// How a call with a fault ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// Without any effect of the fault.
    Well,
    /// With a failure; its browser continues.
    With(FailureClass),
    /// With the end of its browser.
    Down,
}

use Ends::{Down, Well, With};

/// Asserts how a context's call with a fault ended, and what happened to its browser.
#[track_caller]
fn judge<T: std::fmt::Debug>(fault: &str, done: &Result<T, Fault>, ends: Ends) {
    match (done, ends) {
        (Ok(_), Well) => {}
        (Err(found), With(class)) if found.class == class => {}
        (Err(found), Down) if found.class == BrowserCrash => {}
        _ => panic!("{fault}: {ends:?} was expected, not {done:?}"),
    }
}

/// Asserts that an unaffected browser continues, and that an affected browser ends.
async fn goes_on(rig: &Rig, browser: &Arc<dyn Browser>, ends: Ends) {
    if ends == Down {
        let end = timeout(AMPLE, browser.ended()).await.expect("its end is noticed");
        assert!(open(browser.as_ref(), AMPLE).await.is_err(), "after {end}");
        return;
    }
    let mut context = rig.visit(browser.as_ref()).await;
    let done = context.perform(&marked(), AMPLE).await.expect("the wire works again");
    assert!(matches!(done, StepOutput::Data(data) if data["evaluate"] == 42));
    context.close().await.expect("gone");
}

#[tokio::test]
async fn a_step_whose_answer_is_tampered_with() {
    for (fault, ends) in [
        ("twice", Well),
        ("flood", Well),
        ("never", With(Timeout)),
        ("late", With(Timeout)),
        ("foreign", With(Timeout)),
        ("page", With(Timeout)),
        ("empty", With(Timeout)),
        ("refusal", With(Script)),
        ("shapeless", With(Internal)),
        ("cut", Down),
        ("huge", With(Script)),
    ] {
        let rig = Rig::with(fault, "marker");
        let browser = rig.launch().await;
        let mut context = rig.visit(browser.as_ref()).await;
        forget_peak();
        let before = own_peak_kib();
        // 200 MiB are on their way for longer than a step may take on a busy machine.
        let done = match fault {
            "huge" => context.perform(&marked(), AMPLE).await,
            _ => rig.in_time(context.perform(&marked(), BUDGET)).await,
        };
        let more = own_peak_kib().saturating_sub(before);
        println!("{fault}: {done:?}, {more} KiB more");
        judge(fault, &done, ends);
        assert!(more < MOST_KIB, "{fault} took {more} KiB more");
        context.close().await.expect("gone");
        goes_on(&rig, &browser, ends).await;
        rig.close(browser).await;
    }
}

#[tokio::test]
async fn answers_that_overtake_each_other_find_their_callers() {
    let rig = Rig::with("swapped", "marker");
    let browser = rig.launch().await;
    let (mut one, mut two) = (rig.visit(browser.as_ref()).await, rig.visit(browser.as_ref()).await);
    // The answer to the marked step waits for the other answer, which comes a moment later.
    let soon = step(json!({ "evaluate": "new Promise(done => setTimeout(done, 200, 7))" }));
    let marked = marked();
    let (marked, soon) = tokio::join!(one.perform(&marked, AMPLE), two.perform(&soon, AMPLE));
    for (done, value) in [(marked, 42), (soon, 7)] {
        assert!(matches!(&done, Ok(StepOutput::Data(data)) if data["evaluate"] == value), "{done:?}");
    }
    one.close().await.expect("gone");
    two.close().await.expect("gone");
    rig.close(browser).await;
}

#[tokio::test]
async fn a_page_whose_navigation_is_tampered_with() {
    for (fault, ends) in
        [("never", With(Timeout)), ("twice", Well), ("refusal", With(Navigation)), ("cut", Down)]
    {
        let rig = Rig::with(fault, "Page.navigate");
        let browser = rig.launch().await;
        let mut context = open(browser.as_ref(), AMPLE).await.expect("a context");
        let done = rig.in_time(rig.goto(context.as_mut(), BUDGET)).await;
        println!("{fault}: {done:?}");
        judge(fault, &done, ends);
        context.close().await.expect("gone");
        goes_on(&rig, &browser, ends).await;
        rig.close(browser).await;
    }
}

#[tokio::test]
async fn a_context_whose_opening_is_tampered_with() {
    for needle in ["Target.createBrowserContext", "Target.createTarget"] {
        for (fault, ends) in [
            ("never", With(Timeout)),
            ("late", With(Timeout)),
            ("twice", Well),
            ("refusal", With(Script)),
            ("shapeless", With(Internal)),
            ("cut", Down),
        ] {
            let rig = Rig::with(fault, needle);
            let browser = rig.launch().await;
            let done = rig.in_time(open(browser.as_ref(), BUDGET)).await;
            println!("{needle} {fault}: {:?}", done.as_ref().map(|_| ()));
            judge(fault, &done.as_ref().map(|_| ()).map_err(Clone::clone), ends);
            drop(done);
            goes_on(&rig, &browser, ends).await;
            rig.close(browser).await;
        }
    }
}

#[tokio::test]
async fn a_launch_whose_first_answer_is_tampered_with() {
    for fault in ["never", "page", "empty", "refusal", "shapeless", "foreign", "cut", "huge"] {
        let rig = Rig::with(fault, "Browser.getVersion");
        let launched = rig.driver.launch(BrowserId(1), BUDGET).await;
        println!("{fault}: {:?}", launched.as_ref().map(|_| ()));
        judge(fault, &launched.map(|_| ()), With(BrowserCrash));
        rig.leaves_nothing().await;
    }
}

#[tokio::test]
async fn a_closing_whose_answer_is_tampered_with() {
    for (fault, gone) in [
        ("never", false),
        ("late", true),
        ("twice", true),
        ("refusal", true),
        ("shapeless", true),
        ("cut", true),
    ] {
        let rig = Rig::with(fault, "Target.disposeBrowserContext");
        let browser = rig.launch().await;
        let context = rig.visit(browser.as_ref()).await;
        let closed = timeout(AMPLE, context.close()).await.expect("it has a deadline of its own");
        println!("{fault}: {closed:?}");
        assert_eq!(closed.is_ok(), gone, "{fault}: {closed:?}");
        rig.close(browser).await;
    }
}
