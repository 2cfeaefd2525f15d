//! How the end of a browser is noticed.
//!
//! A driver process *died* when it ended; a chromedriver *hangs* when it lives but does not answer when it is asked, for
//! which it needs no browser. A geckodriver is not asked: it answers nothing while its one session is at work, and the
//! deadlines of that session's commands tell as much. A share of the remote ends ends when all of them are down; with one
//! of them, only the sessions there end.

use std::time::Duration;

use plimsoll_core::port::BrowserEnd;
use plimsoll_core::runtime::clock::Clock;
use plimsoll_host::tree::ProcessTree;
use tokio::time::sleep;

use crate::direct::Direct;
use crate::launch::last_words;
use crate::link::{Home, Link};
use crate::settings::Family;

/// Between two questions.
const PERIOD: Duration = Duration::from_secs(5);
/// Before the second of two: a process that has just ended is known to have by then.
const AGAIN: Duration = Duration::from_secs(1);
/// How long an answer may take; asked twice, this makes the 15 seconds after which a driver hangs.
const ANSWER: Duration = Duration::from_secs(5);

/// Completes when the browser has come to its end, and says how.
pub(crate) async fn end_of(link: &Link, clock: Clock) -> BrowserEnd {
    match &link.home {
        Home::There(endpoints) => {
            BrowserEnd::Died(format!("no remote end answers ({})", endpoints.down().await))
        }
        Home::Here(tree, _) if link.family == Family::Firefox => death(tree).await,
        Home::Here(tree, driver) => tokio::select! {
            death = death(tree) => death,
            silence = silence(driver, clock) => BrowserEnd::Hung(silence),
        },
    }
}

async fn death(tree: &ProcessTree) -> BrowserEnd {
    let exit = tree.wait().await;
    let how = format!("its process {} ended with {exit}", tree.pid());
    match last_words(tree) {
        words if words.is_empty() => BrowserEnd::Died(how),
        words => BrowserEnd::Died(format!("{how}; its last words: {words}")),
    }
}

/// Completes when the driver has left two questions in a row unanswered; says for how long it has been silent.
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
