//! Normal and abnormal ends: browsers closed, killed, stopped. Each end gets the right class, and nothing is left.

use std::sync::Arc;
use std::time::Duration;

use crate::processes::Process;
use futures_util::future::join_all;
use plimsoll_core::outcome::{FailureClass, Fault, Recurrence};
use plimsoll_core::port::{Browser, BrowserEnd, Context, OpenRequest};
use plimsoll_core::step::Step;
use plimsoll_core::time::Moment;
use rustix::process::Signal;
use serde_json::json;
use tokio::time::timeout;

use crate::case::cases;
use crate::rig::Rig;
use crate::tab::{endless, job};
use crate::verdict::does_not_apply;

cases![
    closing_is_shared_and_final,
    stopping_the_run_clears_everything,
    a_killed_renderer_is_a_page_crash,
    a_killed_browser_ends_its_contexts,
    a_killed_driver_process_ends_its_contexts,
    a_stopped_browser_holds_nothing_up,
    a_browser_that_hangs_is_told,
];

/// The greatest delay that counts as immediate on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(5);
/// The time without a reply after which a browser must count as hung.
const SILENCE: Duration = Duration::from_secs(30);

/// A context that shows a page.
async fn visit(rig: &Rig, browser: &Arc<dyn Browser>) -> Box<dyn Context> {
    let job = job(json!({"url": rig.site.url("/nested")}));
    let goto = job.start.expect("it has a url");
    let request = OpenRequest { setup: job.setup, first: Some(goto.clone()) };
    let mut context = browser.open(request, rig.measures.patience).ready().await.expect("a context");
    context.perform(&Step::Goto(goto), rig.measures.patience).await.expect("a page");
    context
}

/// Waits for what never comes.
async fn wait(rig: &Rig, context: &mut dyn Context, budget: Duration) -> Fault {
    context.perform(&endless(rig), budget).await.expect_err("it never comes")
}

/// The processes for which `is` holds; without any, the case does not apply to the driver.
fn victims(rig: &Rig, what: &str, is: impl Fn(&Process) -> bool) -> Vec<Process> {
    let found: Vec<_> = rig.processes().into_iter().filter(is).collect();
    if found.is_empty() {
        does_not_apply(format!("no {what} of its own"));
    }
    found
}

/// Asserts that a context failed at once when its browser was killed, and that both are gone.
async fn went_down(
    rig: &Rig,
    browser: &Arc<dyn Browser>,
    context: Box<dyn Context>,
    fault: &Fault,
    killed: Moment,
) {
    assert_eq!(
        (fault.class, fault.recurrence),
        (FailureClass::BrowserCrash, Recurrence::Transient),
        "{fault}"
    );
    assert!(rig.machine.clock.now().since(killed) < AT_ONCE);
    context.close().await.expect("gone with its browser");
    browser.close().await.expect("gone");
    rig.is_clean().await;
}

fn is_driver(process: &Process) -> bool {
    let program = process.args.split(' ').next().unwrap_or_default();
    program.ends_with("chromedriver") || program.ends_with("geckodriver")
}

/// Whether this is a browser's main process, under any parent.
fn is_browser(process: &Process) -> bool {
    let child = ["--type=", "-contentproc", "crashpad", "crashhelper"];
    !is_driver(process) && !child.iter().any(|mark| process.args.contains(mark))
}

async fn closing_is_shared_and_final(rig: &Rig) {
    let browser = rig.launch().await;
    let context = visit(rig, &browser).await;
    let closings = join_all((0..3).map(|_| browser.close())).await;
    assert!(closings.iter().all(Result::is_ok), "{closings:?}");
    browser.close().await.expect("closing again tells the same");
    context.close().await.expect("gone with its browser");
    let late = browser
        .open(OpenRequest { setup: Default::default(), first: None }, rig.measures.patience)
        .ready()
        .await;
    assert_eq!(late.err().map(|fault| fault.class), Some(FailureClass::BrowserCrash));
    rig.is_clean().await;
}

async fn stopping_the_run_clears_everything(rig: &Rig) {
    let (driver, supervisor) = rig.another().await;
    let browser = driver.launch(rig.number(), rig.measures.patience * 2).await.expect("the browser starts");
    let mut context = visit(rig, &browser).await;
    let stopping = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        timeout(Duration::from_secs(20), supervisor.stop()).await.expect("every task ends");
    };
    let (fault, ()) = tokio::join!(wait(rig, context.as_mut(), rig.measures.patience), stopping);
    assert!(matches!(fault.class, FailureClass::BrowserCrash | FailureClass::Timeout), "{fault}");
    drop(context);
    browser.close().await.expect("gone");
    rig.is_clean().await;
}

async fn a_killed_renderer_is_a_page_crash(rig: &Rig) {
    let browser = rig.launch().await;
    let mut doomed = visit(rig, &browser).await;
    let victims = victims(rig, "renderer", Process::is_renderer);
    let elsewhere = rig.launch().await;
    let mut neighbour = visit(rig, &elsewhere).await;
    let killing = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        victims.iter().for_each(|renderer| renderer.signal(Signal::KILL));
        rig.machine.clock.now()
    };
    let (fault, killed) = tokio::join!(wait(rig, doomed.as_mut(), rig.measures.patience), killing);
    assert_eq!((fault.class, fault.recurrence), (FailureClass::PageCrash, Recurrence::Transient), "{fault}");
    assert!(rig.machine.clock.now().since(killed) < AT_ONCE);
    assert_eq!(
        wait(rig, doomed.as_mut(), rig.measures.patience).await.class,
        FailureClass::PageCrash,
        "still dead"
    );
    doomed.close().await.expect("gone");
    let fault = wait(rig, neighbour.as_mut(), Duration::from_millis(300)).await;
    assert_eq!(fault.class, FailureClass::Timeout, "its neighbour goes on: {fault}");
    neighbour.close().await.expect("gone");
    // The browser itself goes on too.
    visit(rig, &browser).await.close().await.expect("gone");
    browser.close().await.expect("gone");
    elsewhere.close().await.expect("gone");
    rig.is_clean().await;
}

async fn a_killed_browser_ends_its_contexts(rig: &Rig) {
    let browser = rig.launch().await;
    let mut context = visit(rig, &browser).await;
    let victims = victims(rig, "browser process", is_browser);
    let killing = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        victims.iter().for_each(|victim| victim.signal(Signal::KILL));
        rig.machine.clock.now()
    };
    let (fault, killed) = tokio::join!(wait(rig, context.as_mut(), rig.measures.patience), killing);
    went_down(rig, &browser, context, &fault, killed).await;
}

async fn a_killed_driver_process_ends_its_contexts(rig: &Rig) {
    let browser = rig.launch().await;
    let mut context = visit(rig, &browser).await;
    let victims = victims(rig, "driver process", is_driver);
    let killing = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        victims.iter().for_each(|victim| victim.signal(Signal::KILL));
        let killed = rig.machine.clock.now();
        let end = timeout(AT_ONCE, browser.ended()).await.expect("its end is noticed");
        assert!(matches!(&end, BrowserEnd::Died(how) if how.contains("signal 9")), "{end}");
        killed
    };
    let (fault, killed) = tokio::join!(wait(rig, context.as_mut(), rig.measures.patience), killing);
    went_down(rig, &browser, context, &fault, killed).await;
}

async fn a_stopped_browser_holds_nothing_up(rig: &Rig) {
    let browser = rig.launch().await;
    let mut context = visit(rig, &browser).await;
    let victims = victims(rig, "browser process", is_browser);
    victims.iter().for_each(|victim| victim.signal(Signal::STOP));
    let (start, budget) = (rig.machine.clock.now(), Duration::from_secs(2));
    let fault = wait(rig, context.as_mut(), budget).await;
    let took = rig.machine.clock.now().since(start);
    assert_eq!(fault.class, FailureClass::Timeout, "{fault}");
    assert!(took < budget + rig.measures.grace, "{took:?}");
    // Closing the context may fail; its browser ends nevertheless.
    drop(timeout(SILENCE, context.close()).await.expect("closing has its deadline"));
    timeout(SILENCE, browser.close()).await.expect("closing has its deadline").expect("gone");
    rig.is_clean().await;
}

async fn a_browser_that_hangs_is_told(rig: &Rig) {
    let browser = rig.launch().await;
    let mut context = visit(rig, &browser).await;
    // The driver's peer: a driver process if there is one, or the browser itself.
    let drivers: Vec<_> = rig.processes().into_iter().filter(is_driver).collect();
    let victims = if drivers.is_empty() { victims(rig, "process", is_browser) } else { drivers };
    victims.iter().for_each(|victim| victim.signal(Signal::STOP));
    let (end, fault) = tokio::join!(
        async { timeout(SILENCE, browser.ended()).await.expect("its silence is noticed") },
        wait(rig, context.as_mut(), SILENCE)
    );
    assert!(matches!(end, BrowserEnd::Hung(silence) if silence >= Duration::from_secs(5)), "{end}");
    assert!(matches!(fault.class, FailureClass::Timeout | FailureClass::BrowserCrash), "{fault}");
    drop(context.close().await);
    browser.close().await.expect("gone");
    rig.is_clean().await;
}
