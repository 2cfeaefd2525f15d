//! A crash in an isolated library affects only its own driver.

use plimsoll_core::outcome::FailureClass;
use plimsoll_core::port::{BrowserEnd, StepOutput};
use plimsoll_loader::Isolation;
use rustix::process::{Pid, Signal};
use serde_json::json;
use tokio::time::timeout;

use crate::rig::{BUDGET, PATIENCE, Rig, SHORT, evaluate, launch, load, open};

async fn costs_its_driver_only(whim: &str, says: &str) {
    let mut rig = Rig::tame(Isolation::Process).await;
    let mut other = Rig::tame(Isolation::Process).await;
    let mut bystander = open(&rig.browser).await.expect("opens");
    let mut waiting = Box::pin(evaluate(bystander.as_mut(), "hang", BUDGET));
    assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    let fault = rig.evaluate(whim, BUDGET).await.expect_err("it is gone");
    assert_eq!(fault.class, FailureClass::BrowserCrash);
    assert!(fault.message.contains(says), "{fault}");
    assert_eq!(waiting.await.expect_err("it went along").class, FailureClass::BrowserCrash);
    let end = timeout(PATIENCE, rig.browser.ended()).await.expect("in time");
    assert!(matches!(&end, BrowserEnd::Died(why) if why.contains(says)), "{end}");
    rig.context.close().await.expect("verified gone");
    bystander.close().await.expect("as well");
    rig.browser.close().await.expect("as well");

    assert_eq!(other.evaluate("nothing", BUDGET).await, Ok(StepOutput::Done), "another driver is untouched");
    let browser = launch(&rig.driver).await.expect("a new process");
    let mut context = open(&browser).await.expect("opens");
    assert_eq!(evaluate(context.as_mut(), "nothing", BUDGET).await, Ok(StepOutput::Done));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_segfault_costs_its_driver_only() {
    costs_its_driver_only("segfault", "signal 11").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abort_costs_its_driver_only() {
    costs_its_driver_only("abort", "signal 6").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exit_costs_its_driver_only() {
    costs_its_driver_only("exit", "exit code 7").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_loop_costs_its_driver_only() {
    let mut rig = Rig::tame(Isolation::Process).await;
    let fault = rig.evaluate("spin", SHORT).await.expect_err("it does not end");
    assert_eq!(fault.class, FailureClass::Internal);
    let end = timeout(PATIENCE, rig.browser.ended()).await.expect("it is given up");
    assert!(matches!(end, BrowserEnd::Hung(_)), "{end}");
    rig.browser.close().await.expect("killed and verified gone");
    let browser = launch(&rig.driver).await.expect("a new process");
    let mut context = open(&browser).await.expect("opens");
    assert_eq!(evaluate(context.as_mut(), "nothing", BUDGET).await, Ok(StepOutput::Done));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_in_the_constructor_is_a_refusal() {
    for (whim, says) in [("segfault", "signal 11"), ("exit", "exit code 7")] {
        let refused = load(Isolation::Process, json!({"start": whim})).await.err().expect("no driver");
        assert!(refused.to_string().contains(says), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_process_is_given_up() {
    let mut rig = Rig::tame(Isolation::Process).await;
    let pid = *rig.loader.spawner.leaders().first().expect("the library has a process");
    let child = Pid::from_raw(pid).expect("not zero");
    rustix::process::kill_process(child, Signal::STOP).expect("it runs");
    let stopped = async {
        while std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") T ")) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, stopped).await.expect("it stops");
    let fault = rig.evaluate("nothing", SHORT).await.expect_err("it is stopped");
    assert_eq!(fault.class, FailureClass::Internal);
    let end = timeout(PATIENCE, rig.browser.ended()).await.expect("it is given up");
    assert!(matches!(end, BrowserEnd::Hung(_)), "{end}");
    rig.browser.close().await.expect("killed and verified gone");
    assert!(rustix::process::test_kill_process(child).is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_that_is_dropped_takes_its_process_along() {
    let Rig { loader, driver, browser, context } = Rig::tame(Isolation::Process).await;
    assert_eq!(loader.spawner.leaders().len(), 1);
    drop((driver, browser, context));
    let gone = async {
        while !loader.spawner.leaders().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, gone).await.expect("it goes");
}
