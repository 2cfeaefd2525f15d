//! How the end of a driver process is detected.
//!
//! A driver *died* when its process ended; a chromedriver *hangs* when it runs but does not answer a status request,
//! for which it needs no browser. A geckodriver is not asked: it answers nothing while its one session executes a
//! command, and the deadlines of that session's commands detect a hang as well.

use std::time::Duration;

use plimsoll_core::port::BrowserEnd;
use plimsoll_core::runtime::clock::Clock;
use plimsoll_host::tree::ProcessTree;
use tokio::time::sleep;

use crate::direct::Direct;
use crate::settings::Family;

/// The interval between two status requests.
const PERIOD: Duration = Duration::from_secs(5);
/// The pause before the second of two requests: a process that has just ended is detected by then.
const AGAIN: Duration = Duration::from_secs(1);
/// The longest time for an answer; with two requests, this makes the 15 seconds after which a driver hangs.
const ANSWER: Duration = Duration::from_secs(5);

/// Completes when the driver has ended, and describes how.
pub(crate) async fn end_of_driver(
    family: Family,
    tree: &ProcessTree,
    driver: &Direct,
    clock: Clock,
) -> BrowserEnd {
    let death = async {
        let exit = tree.wait().await;
        BrowserEnd::Died(tree.with_last_words(format!("its process {} ended with {exit}", tree.pid())))
    };
    match family {
        Family::Firefox => death.await,
        Family::Chromium => tokio::select! {
            death = death => death,
            silence = silence(driver, clock) => BrowserEnd::Hung(silence),
        },
    }
}

/// Completes when the driver has left two requests in a row unanswered; returns how long it was silent.
async fn silence(driver: &Direct, clock: Clock) -> Duration {
    let (mut heard, mut unanswered) = (clock.now(), 0);
    loop {
        sleep(if unanswered == 0 { PERIOD } else { AGAIN }).await;
        if driver.status(ANSWER).await.is_ok() {
            (heard, unanswered) = (clock.now(), 0);
            continue;
        }
        unanswered += 1;
        if unanswered == 2 {
            return clock.now().since(heard);
        }
    }
}
