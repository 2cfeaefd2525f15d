//! Calls that succeed: the port's promises hold for a loaded library.

use plimsoll_core::capability::{Capabilities, Capability};
use plimsoll_core::outcome::FailureClass;
use plimsoll_core::policy::Trim;
use plimsoll_core::port::{Artifact, ArtifactKind, BrowserEnd, Driver, Page, StepOutput};
use plimsoll_core::step::Step;
use serde_json::json;

use crate::rig::{BUDGET, PATIENCE, Rig, SHORT, counted, evaluate, load, on_both, open, rogue};

on_both! {
    async fn a_driver_says_who_it_is(isolation) {
        let driver = load(isolation, json!({})).await.expect("loads");
        assert_eq!(driver.name(), "rogue");
        assert_eq!(driver.capabilities(), Capabilities::from_iter([Capability::Evaluate, Capability::Screenshot]));
        let library = &driver.info().library;
        assert_eq!((library.name.as_str(), library.abi.as_str()), ("rogue-driver", "1.1"));
        assert!(library.rustc.starts_with("rustc 1."), "{library:?}");
        assert_eq!(library.path, std::fs::canonicalize(rogue()).expect("there"));
        assert_eq!(driver.isolation(), isolation);
    }

    async fn steps_give_what_they_gave_in_the_library(isolation) {
        let mut rig = Rig::tame(isolation).await;
        let goto: Step = serde_json::from_value(json!({"goto": "http://a/ü"})).expect("a step");
        let page = rig.context.perform(&goto, BUDGET).await;
        assert_eq!(page, Ok(StepOutput::Page(Page { url: "http://a/%C3%BC".into(), status: Some(200) })));
        assert_eq!(rig.evaluate("nothing", BUDGET).await, Ok(StepOutput::Done));
        let fault = rig.evaluate("fault", BUDGET).await.expect_err("a fault");
        assert_eq!((fault.class, fault.message.as_str()), (FailureClass::Navigation, "a whim"));
        assert_eq!(rig.context.incidents().dialogs, 3, "they come along with faults too");
        let picture = rig.evaluate("picture", BUDGET).await;
        let Ok(StepOutput::Artifact(Artifact { kind: ArtifactKind::Png, bytes })) = picture else {
            panic!("no picture");
        };
        assert!(bytes.len() == 8 << 20 && bytes.iter().zip(0_u32..).all(|(byte, n)| *byte == n.to_le_bytes()[0]));
        rig.browser.trim(Trim::Critical).await;
        rig.context.close().await.expect("closes");
        rig.browser.close().await.expect("closes");
        counted(&rig.driver, "rogue.trimmed", 1).await;
        counted(&rig.driver, "rogue.closed", 1).await;
        counted(&rig.driver, "rogue.browsers_closed", 1).await;
    }

    async fn a_hundred_contexts_work_side_by_side(isolation) {
        let rig = Rig::tame(isolation).await;
        let many = (0..100).map(|_| async {
            let mut context = open(&rig.browser).await.expect("opens");
            for _ in 0..20 {
                evaluate(context.as_mut(), "nothing", BUDGET).await.expect("works");
            }
            context.close().await
        });
        let closed = futures_util::future::join_all(many).await;
        assert!(closed.iter().all(Result::is_ok), "{closed:?}");
    }

    async fn a_caller_who_leaves_takes_the_call_back_and_the_context_can_be_closed(isolation) {
        let mut rig = Rig::tame(isolation).await;
        let left = tokio::time::timeout(SHORT, rig.evaluate("hang", BUDGET)).await;
        assert!(left.is_err(), "it hangs");
        tokio::time::timeout(PATIENCE, rig.context.close()).await.expect("in time").expect("closes");
        counted(&rig.driver, "rogue.closed", 1).await;
    }

    async fn what_is_dropped_unclosed_is_closed(isolation) {
        let Rig { driver, browser, context, .. } = Rig::tame(isolation).await;
        drop(context);
        counted(&driver, "rogue.closed", 1).await;
        drop(browser);
        counted(&driver, "rogue.browsers_closed", 1).await;
    }

    async fn an_opening_that_nobody_waits_for_leaves_nothing(isolation) {
        let rig = Rig::new(isolation, json!({"ended": "fault"})).await;
        for wait in 0..50 {
            // The caller leaves at every possible moment: before the call, during it, after the answer.
            let mut opening = Box::pin(open(&rig.browser));
            for _ in 0..wait {
                if futures_util::poll!(opening.as_mut()).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        drop(rig.context);
        let opened = || rig.driver.counters().get("rogue.opened").copied().unwrap_or_default();
        // Every opened context is closed; the last call is the drain, after which nothing opens.
        rig.driver.drain(PATIENCE).await.expect("drains");
        counted(&rig.driver, "rogue.closed", opened()).await;
        assert_eq!(rig.driver.counters().get("rogue.closed"), Some(&opened()));
    }

    async fn an_opening_that_is_abandoned_returns_when_the_library_has_removed_what_was_half_made(isolation) {
        for (opens, abandons, gone) in
            [("hang", "", true), ("fault", "", true), ("panic", "", true), ("hang", "fault", false), ("fault", "fault", false)]
        {
            let driver = load(isolation, json!({"open": opens, "abandon": abandons})).await.expect("loads");
            let browser = crate::rig::launch(&driver).await.expect("launches");
            let mut opening = browser.open(crate::rig::request(), BUDGET);
            let ready = tokio::time::timeout(SHORT, opening.ready()).await;
            assert!(!matches!(ready, Ok(Ok(_))), "{opens}");
            let abandoned = opening.abandon().await;
            assert_eq!(abandoned.is_ok(), gone, "{opens}, {abandons}: {abandoned:?}");
            counted(&driver, "rogue.abandoned", u64::from(gone)).await;
            browser.close().await.expect("closes");
        }
    }

    async fn a_browser_that_ends_by_itself_says_so(isolation) {
        let rig = Rig::new(isolation, json!({"ended": "fault"})).await;
        assert_eq!(rig.browser.ended().await, BrowserEnd::Died("a whim".into()));
    }

    async fn draining_closes_everything_and_launches_no_more(isolation) {
        let mut rig = Rig::tame(isolation).await;
        rig.driver.drain(PATIENCE).await.expect("drains");
        counted(&rig.driver, "rogue.closed", 1).await;
        counted(&rig.driver, "rogue.browsers_closed", 1).await;
        assert!(crate::rig::launch(&rig.driver).await.is_err());
        let late = rig.evaluate("nothing", BUDGET).await.expect_err("its context is gone");
        assert_eq!(late.class, FailureClass::BrowserCrash);
        rig.context.close().await.expect("what is gone is closed");
        rig.browser.close().await.expect("as well");
    }
}
