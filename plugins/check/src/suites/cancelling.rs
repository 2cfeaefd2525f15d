//! Callers may leave at any await. Their unfinished calls are given up and leave nothing behind.
//!
//! Each call is timed once, then abandoned at several moments of that time.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use plimsoll_core::outcome::{FailureClass, Recurrence};
use plimsoll_core::port::{Browser, Context, OpenRequest};
use plimsoll_core::step::Step;
use serde_json::json;
use tokio::time::timeout;

use crate::case::cases;
use crate::rig::Rig;
use crate::tab::{endless, job};

cases![
    openings_may_be_dropped,
    an_open_that_is_cut_off_leaves_nothing_once_it_is_abandoned,
    steps_may_be_abandoned,
    closings_may_be_abandoned,
    launches_may_be_abandoned,
    contexts_and_browsers_may_be_dropped,
];

/// The time to wait for the end of a browser that refused a context, before the next try.
const BETWEEN_TRIES: Duration = Duration::from_millis(200);

fn request(rig: &Rig) -> OpenRequest {
    let job = job(json!({"url": rig.site.url("/nested")}));
    OpenRequest { setup: job.setup, first: job.start }
}

async fn open(rig: &Rig, browser: &Arc<dyn Browser>) -> Box<dyn Context> {
    browser.open(request(rig), rig.measures.patience).ready().await.expect("a context")
}

/// The next context, after an earlier opening or context was abandoned.
///
/// A driver with one context per browser may refuse with a transient failure while the abandoned context still starts
/// or ends, and may give its browser up instead of leaving anything in it. Both end within the usual time.
pub(crate) async fn next(rig: &Rig, browser: &mut Arc<dyn Browser>) -> Box<dyn Context> {
    let start = rig.machine.clock.now();
    loop {
        let fault = match browser.open(request(rig), rig.measures.patience).ready().await {
            Ok(context) => return context,
            Err(fault) => fault,
        };
        let passes = fault.recurrence == Recurrence::Transient
            && matches!(fault.class, FailureClass::Overload | FailureClass::BrowserCrash);
        assert!(rig.measures.room == 1 && passes, "a context: {fault}");
        let waited = rig.machine.clock.now().since(start);
        assert!(waited < rig.measures.patience, "still refused after {waited:?}: {fault}");
        if timeout(BETWEEN_TRIES, browser.ended()).await.is_ok() {
            browser.close().await.expect("gone");
            *browser = rig.launch().await;
        }
    }
}

/// Asserts that a browser works: a context opens, shows a page, and closes.
async fn works(rig: &Rig, browser: &mut Arc<dyn Browser>) {
    let mut context = next(rig, browser).await;
    let first = Step::Goto(request(rig).first.expect("it has a url"));
    context.perform(&first, rig.measures.patience).await.expect("a page");
    context.close().await.expect("gone");
}

/// Measures how long `work` takes; returns `n` moments of that time, the first at once.
async fn moments<T>(rig: &Rig, n: u32, work: impl Future<Output = T>) -> (T, Vec<Duration>) {
    let start = rig.machine.clock.now();
    let done = work.await;
    let took = rig.machine.clock.now().since(start);
    (done, (0..n).map(|k| took * k / n).collect())
}

async fn openings_may_be_dropped(rig: &Rig) {
    let mut browser = rig.launch().await;
    let (context, moments) = moments(rig, rig.measures.moments, open(rig, &browser)).await;
    context.close().await.expect("gone");
    for moment in moments {
        drop(timeout(moment, browser.open(request(rig), rig.measures.patience).ready()).await);
    }
    works(rig, &mut browser).await;
    browser.close().await.expect("gone");
    rig.is_clean().await;
}

/// The permit of such a context is kept until `abandon` returns.
async fn an_open_that_is_cut_off_leaves_nothing_once_it_is_abandoned(rig: &Rig) {
    let mut browser = rig.launch().await;
    let (context, moments) = moments(rig, rig.measures.moments, open(rig, &browser)).await;
    context.close().await.expect("gone");
    for moment in moments {
        if browser.ended().now_or_never().is_some() {
            browser.close().await.expect("gone");
            browser = rig.launch().await;
        }
        let mut opening = browser.open(request(rig), rig.measures.patience);
        let gone = match timeout(moment, opening.ready()).await {
            Ok(Ok(context)) => context.close().await,
            Ok(Err(_)) | Err(_) => opening.abandon().await,
        };
        gone.expect("verified gone");
    }
    works(rig, &mut browser).await;
    browser.close().await.expect("gone");
    rig.is_clean().await;
}

async fn steps_may_be_abandoned(rig: &Rig) {
    let mut browser = rig.launch().await;
    let steps = [
        json!({"goto": rig.site.url("/slow/200")}),
        json!({"extract": {"names": {"all": "h2"}}}),
        json!({"wait_for": {"text": "Fleet"}}),
        json!({"click": "h1"}),
        json!({"evaluate": "new Promise(done => setTimeout(done, 100))"}),
        json!({"screenshot": "full"}),
    ];
    let first = Step::Goto(request(rig).first.expect("it has a url"));
    let mut took = Vec::new();
    let mut context = open(rig, &browser).await;
    context.perform(&first, rig.measures.patience).await.expect("a page");
    for step in &steps {
        let steps = job(json!({"steps": [{"goto": "about:blank"}, step]})).steps;
        let step = steps.into_iter().nth(1).expect("the second step");
        let start = rig.machine.clock.now();
        // A driver may lack the step; the refusal takes time too.
        drop(context.perform(&step, rig.measures.patience).await);
        took.push((step, rig.machine.clock.now().since(start)));
        context.perform(&first, rig.measures.patience).await.expect("a page");
    }
    context.close().await.expect("gone");
    // Each step is abandoned at some moment, and each moment is used for some step.
    for n in 0..rig.measures.moments.max(6) {
        let (step, took) = &took[n as usize % steps.len()];
        let mut context = next(rig, &mut browser).await;
        context.perform(&first, rig.measures.patience).await.expect("a page");
        drop(
            timeout(*took * n / rig.measures.moments.max(6), context.perform(step, rig.measures.patience))
                .await,
        );
        context.close().await.expect("gone");
    }
    works(rig, &mut browser).await;
    browser.close().await.expect("gone");
    rig.is_clean().await;
}

async fn closings_may_be_abandoned(rig: &Rig) {
    let mut browser = rig.launch().await;
    let context = open(rig, &browser).await;
    let ((), moments) =
        moments(rig, rig.measures.moments, async { context.close().await.expect("gone") }).await;
    for moment in moments {
        let context = next(rig, &mut browser).await;
        drop(timeout(moment, context.close()).await);
    }
    works(rig, &mut browser).await;
    let closing = async { browser.close().await.expect("gone") };
    drop(timeout(Duration::from_millis(1), closing).await);
    browser.close().await.expect("gone");
    rig.is_clean().await;
}

async fn launches_may_be_abandoned(rig: &Rig) {
    let (mut browser, moments) = moments(rig, rig.measures.moments, rig.launch()).await;
    for moment in moments {
        drop(timeout(moment, rig.driver.launch(rig.number(), rig.measures.patience)).await);
    }
    works(rig, &mut browser).await;
    browser.close().await.expect("gone");
    rig.is_clean().await;
}

async fn contexts_and_browsers_may_be_dropped(rig: &Rig) {
    let mut browser = rig.launch().await;
    drop(open(rig, &browser).await);
    let mut busy = next(rig, &mut browser).await;
    let never = endless(rig);
    drop(timeout(Duration::from_millis(50), busy.perform(&never, rig.measures.patience)).await);
    drop(busy);
    works(rig, &mut browser).await;
    drop(next(rig, &mut browser).await);
    drop(browser);
    rig.is_clean().await;
}
