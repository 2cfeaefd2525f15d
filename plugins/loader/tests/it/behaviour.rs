//! Misbehaviour that does not end a library: each call gets a class and ends by its deadline, and the driver works on.

use std::time::Duration;

use plimsoll_core::job::Setup;
use plimsoll_core::outcome::{FailureClass, Recurrence};
use plimsoll_core::port::{BrowserEnd, OpenRequest, StepOutput};
use plimsoll_loader::{Isolation, LoadError};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::rig::{BUDGET, PATIENCE, Rig, SHORT, evaluate, launch, load, on_both, open};

async fn outstanding(rig: &mut Rig) -> i64 {
    match rig.evaluate("outstanding", BUDGET).await {
        Ok(StepOutput::Data(data)) => data["outstanding"].as_i64().expect("a number"),
        other => panic!("{other:?}"),
    }
}

on_both! {
    async fn a_panic_costs_its_context_only(isolation) {
        let mut rig = Rig::tame(isolation).await;
        let mut sibling = open(&rig.browser).await.expect("opens");
        for _ in 0..2 {
            let fault = rig.evaluate("panic", BUDGET).await.expect_err("it panicked");
            assert_eq!(fault.class, FailureClass::Internal);
            assert!(fault.message.contains("panicked"), "{fault}");
        }
        rig.context.close().await.expect("it can still be closed");
        assert_eq!(evaluate(sibling.as_mut(), "nothing", BUDGET).await, Ok(StepOutput::Done));
    }

    async fn a_panic_anywhere_is_a_failure_of_that_call(isolation) {
        let driver = load(isolation, json!({"launch": "panic"})).await.expect("loads");
        let fault = launch(&driver).await.err().expect("it panicked");
        assert_eq!((fault.class, fault.message.as_str()), (FailureClass::Internal, "the plugin panicked: a whim"));
        let rig = Rig::new(isolation, json!({"close_context": "panic", "close_browser": "panic", "trim": "panic", "ended": "panic"})).await;
        rig.browser.trim(plimsoll_core::policy::Trim::Moderate).await;
        assert!(matches!(rig.browser.ended().await, BrowserEnd::Died(why) if why.contains("panicked")));
        let close = rig.context.close().await.expect_err("it panicked");
        assert!(close.0.contains("panicked"), "{close}");
        assert!(rig.browser.close().await.is_err());
        let refused = load(isolation, json!({"start": "panic"})).await.err().expect("no driver");
        assert!(matches!(&refused, LoadError::Constructor { why, .. } if why.contains("panicked")), "{refused}");
    }

    async fn a_constructor_may_refuse_in_its_own_words(isolation) {
        let refused = load(isolation, json!({"start": "fault"})).await.err().expect("no driver");
        assert!(refused.to_string().ends_with("could not be made: a whim"), "{refused}");
    }

    async fn a_call_that_hangs_ends_with_its_deadline(isolation) {
        let mut rig = Rig::tame(isolation).await;
        let fault = rig.evaluate("hang", SHORT).await.expect_err("it hangs");
        let says = "the step `evaluate` was not done within 200ms";
        assert_eq!((fault.class, fault.message.as_str()), (FailureClass::Timeout, says));
        // The call was cancelled in time: the library can still serve others.
        let mut sibling = open(&rig.browser).await.expect("opens");
        assert_eq!(evaluate(sibling.as_mut(), "nothing", BUDGET).await, Ok(StepOutput::Done));
        rig.context.close().await.expect("closes");
    }

    async fn a_step_with_two_answers_costs_its_context_only(isolation) {
        let rig = Rig::tame(isolation).await;
        for _ in 0..10 {
            let mut context = open(&rig.browser).await.expect("opens");
            // The first answer may be used before the second one comes; then the next step shows it.
            let first = evaluate(context.as_mut(), "twice", BUDGET).await;
            let fault = match first {
                Ok(_) => evaluate(context.as_mut(), "nothing", BUDGET).await,
                fault => fault,
            };
            let fault = fault.expect_err("it was answered twice");
            assert_eq!((fault.class, fault.message.as_str()), (FailureClass::Internal, "the plugin answered a step twice"));
            context.close().await.expect("closes");
        }
        let mut sibling = open(&rig.browser).await.expect("opens");
        assert_eq!(evaluate(sibling.as_mut(), "nothing", BUDGET).await, Ok(StepOutput::Done));
    }

    async fn an_answer_that_comes_after_the_call_was_taken_back_is_ignored(isolation) {
        let mut rig = Rig::tame(isolation).await;
        let fault = rig.evaluate("later", SHORT).await.expect_err("no answer yet");
        assert_eq!(fault.class, FailureClass::Internal);
        assert!(fault.message.contains("within 200ms"), "the time is the caller's, without any grace: {fault}");
        for _ in 0..3 {
            assert_eq!(rig.evaluate("nothing", BUDGET).await, Ok(StepOutput::Done));
        }
    }

    async fn an_answer_may_come_from_any_thread(isolation) {
        let mut rig = Rig::tame(isolation).await;
        for _ in 0..20 {
            assert_eq!(rig.evaluate("foreign", BUDGET).await, Ok(StepOutput::Done));
        }
    }

    async fn answers_that_make_no_sense_are_internal_faults(isolation) {
        let mut rig = Rig::tame(isolation).await;
        for (whim, says) in [("garbage", "cannot be read"), ("strange", "unknown status 4711")] {
            let fault = rig.evaluate(whim, BUDGET).await.expect_err("nonsense");
            assert_eq!(fault.class, FailureClass::Internal);
            assert!(fault.message.contains(says), "{fault}");
        }
        assert_eq!(rig.evaluate("nothing", BUDGET).await, Ok(StepOutput::Done));
    }

    async fn a_call_without_an_answer_costs_the_library(isolation) {
        let mut rig = Rig::tame(isolation).await;
        let fault = rig.evaluate("never", SHORT).await.expect_err("no answer");
        assert_eq!(fault.class, FailureClass::Internal);
        let end = timeout(PATIENCE, rig.browser.ended()).await.expect("it is given up");
        assert!(matches!(end, BrowserEnd::Hung(_)), "{end}");
        let fault = rig.evaluate("nothing", BUDGET).await.expect_err("it is over");
        assert_eq!(fault.class, FailureClass::BrowserCrash);
        let closed = timeout(PATIENCE, rig.context.close()).await.expect("in time");
        assert_eq!(closed.is_ok(), isolation == Isolation::Process, "only a process can be verified gone");
        // The next launch starts the library again.
        let browser = launch(&rig.driver).await.expect("launches");
        let mut context = open(&browser).await.expect("opens");
        assert_eq!(evaluate(context.as_mut(), "nothing", BUDGET).await, Ok(StepOutput::Done));
    }

    async fn leaks_and_floods_disturb_nobody(isolation) {
        let mut rig = Rig::tame(isolation).await;
        for whim in ["leak", "flood", "leak"] {
            assert_eq!(rig.evaluate(whim, BUDGET).await, Ok(StepOutput::Done));
        }
    }

    async fn what_is_not_declared_is_refused_before_the_driver_sees_it(isolation) {
        let mut rig = Rig::tame(isolation).await;
        let step = |json: Value| serde_json::from_value(json).expect("a step");
        for (written, lacks) in [
            (json!({"click": "#a"}), "click"),
            (json!({"goto": {"url": "http://a/", "wait_until": "idle"}}), "idle"),
            (json!({"screenshot": {"of": "page", "format": "jpeg"}}), "jpeg"),
        ] {
            let fault = rig.context.perform(&step(written), BUDGET).await.expect_err("it is not declared");
            assert_eq!((fault.class, fault.recurrence), (FailureClass::Unsupported, Recurrence::Persistent));
            assert!(fault.message.ends_with(lacks), "{fault}");
        }
        let counted = rig.context.incidents().dialogs;
        assert_eq!(counted, 0, "the driver counts the steps that it sees");
        let headers = Setup { headers: [("A".to_owned(), "b".to_owned())].into(), ..Setup::default() };
        let first = |url| serde_json::from_value(json!({"url": url, "wait_until": "idle"})).expect("a page");
        for (request, lacks) in [
            (OpenRequest { setup: headers, first: None }, "headers"),
            (OpenRequest { setup: Setup::default(), first: Some(first("http://a/")) }, "idle"),
        ] {
            let mut opening = rig.browser.open(request, BUDGET);
            let fault = opening.ready().await.err().expect("it is not declared");
            assert_eq!((fault.class, fault.message.ends_with(lacks)), (FailureClass::Unsupported, true), "{fault}");
            opening.abandon().await.expect("nothing was made");
        }
        assert_eq!(rig.evaluate("nothing", BUDGET).await, Ok(StepOutput::Done));
    }

    async fn every_buffer_is_freed_by_its_maker(isolation) {
        let mut rig = Rig::tame(isolation).await;
        let before = (outstanding(&mut rig).await, plimsoll_plugin_abi::outstanding());
        for whim in ["nothing", "picture", "fault", "twice", "garbage", "panic", "nothing"] {
            let _whatever = rig.evaluate(whim, BUDGET).await;
        }
        rig.context.close().await.expect("closes");
        rig.context = open(&rig.browser).await.expect("opens");
        // An answer's buffer is freed after its caller has the answer, so the last buffer may still exist.
        let freed = async {
            while outstanding(&mut rig).await > before.0 || plimsoll_plugin_abi::outstanding() > before.1 {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(10), freed).await.expect("every buffer is freed");
    }

    async fn settings_reach_the_constructor(isolation) {
        for (config, works) in [(json!({}), true), (Value::Null, false)] {
            assert_eq!(load(isolation, config.clone()).await.is_ok(), works, "{config}");
        }
    }
}
