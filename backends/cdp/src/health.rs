//! How a browser's end is detected.
//!
//! A browser *died* when its process ended or its connection broke. It *hangs* when its process runs but sends nothing,
//! even after a request for its version. Any received byte counts as a sign of life, so a busy machine causes no false
//! alarm while the browser sends anything at all.
//!
//! ```text
//!   received ─ QUIET ─► asked for its version ── PROBE ──► waits ── GRACE ──► hangs
//!     ▲                      │ any byte                        │ any byte
//!     └──────────────────────┴─────────────────────────────────┘
//! ```

use std::time::Duration;

use chromiumoxide_cdp::cdp::browser_protocol::browser::GetVersionParams;
use plimsoll_core::port::BrowserEnd;
use plimsoll_core::runtime::clock::Clock;
use plimsoll_host::tree::ProcessTree;
use tokio::time::{sleep, timeout};

use crate::transport::{Connection, Disconnect, Session};

/// Silence after which a browser is asked for its version. A busy browser is never silent for this long.
const QUIET: Duration = Duration::from_secs(5);
/// The longest time for the answer. Together with [`QUIET`] this makes the 15 seconds after which a browser hangs.
const PROBE: Duration = Duration::from_secs(9);
/// A last wait: when *this* process was stopped and continued, the browser's answer is in the pipe, unread.
const GRACE: Duration = Duration::from_secs(1);
/// The longest time between the end of a connection and the end of its process.
const EXIT: Duration = Duration::from_secs(2);

/// Completes when the browser has ended, and describes how.
pub(crate) async fn end_of(root: &Session, tree: &ProcessTree, clock: Clock) -> BrowserEnd {
    let connection = root.connection();
    tokio::select! {
        why = connection.closed() => BrowserEnd::Died(death(tree, Some(why)).await),
        _ = tree.wait() => BrowserEnd::Died(death(tree, None).await),
        silence = silence(connection, root, clock) => BrowserEnd::Hung(silence),
    }
}

/// How the process ended, with the last lines of its log.
async fn death(tree: &ProcessTree, why: Option<Disconnect>) -> String {
    let how = match (timeout(EXIT, tree.wait()).await, why) {
        (Ok(exit), _) => format!("its process {} ended with {exit}", tree.pid()),
        (Err(_), Some(why)) => format!("{why}, though its process {} lives on", tree.pid()),
        (Err(_), None) => format!("its process {} is ending", tree.pid()),
    };
    tree.with_last_words(how)
}

/// Completes when the browser has sent nothing for 15 seconds despite a request; returns the duration of the silence.
async fn silence(connection: &Connection, root: &Session, clock: Clock) -> Duration {
    loop {
        let quiet = clock.now().since(connection.last_received());
        if quiet < QUIET {
            sleep(QUIET.saturating_sub(quiet)).await;
            continue;
        }
        let asked = clock.now();
        // The content of the reply does not matter, only that a reply came.
        if root.call(GetVersionParams::default(), PROBE).await.is_ok() {
            continue;
        }
        sleep(GRACE).await;
        if connection.last_received() < asked {
            return clock.now().since(connection.last_received());
        }
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_core::runtime::supervisor::Supervisor;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    use super::*;
    use crate::transport::ConnectionLimits;

    fn connect(clock: Clock, supervisor: &Supervisor) -> (Connection, DuplexStream) {
        let (ours, browser) = tokio::io::duplex(1 << 16);
        let (reader, writer) = tokio::io::split(ours);
        (Connection::open(reader, writer, supervisor, clock, ConnectionLimits::default()), browser)
    }

    #[tokio::test(start_paused = true)]
    async fn a_browser_that_says_nothing_for_15_seconds_hangs() {
        let (clock, supervisor) = (Clock::start(), Supervisor::root());
        let (connection, _browser) = connect(clock, &supervisor);
        let root = connection.root(&[]);
        let quiet = silence(&connection, &root, clock).await;
        assert!((Duration::from_secs(15)..Duration::from_secs(16)).contains(&quiet), "{quiet:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn any_byte_is_life_though_no_question_is_answered() {
        let (clock, supervisor) = (Clock::start(), Supervisor::root());
        let (connection, mut browser) = connect(clock, &supervisor);
        let root = connection.root(&[]);
        let chatter = async {
            for _ in 0..20 {
                sleep(Duration::from_secs(6)).await;
                browser.write_all(b"{\"method\":\"A.b\",\"params\":{}}\0").await.expect("open");
            }
        };
        tokio::select! {
            quiet = silence(&connection, &root, clock) => panic!("was taken for dead after {quiet:?}"),
            () = chatter => {}
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_browser_is_asked_and_answers() {
        let (clock, supervisor) = (Clock::start(), Supervisor::root());
        let (connection, mut browser) = connect(clock, &supervisor);
        let root = connection.root(&[]);
        let answering = async {
            for _ in 0..10 {
                let mut command = vec![0; 4096];
                let read = browser.read(&mut command).await.expect("open");
                let command: serde_json::Value =
                    serde_json::from_slice(&command[..read - 1]).expect("a command");
                assert_eq!(command["method"], "Browser.getVersion");
                let reply = format!("{{\"id\":{},\"result\":{{}}}}\0", command["id"]);
                browser.write_all(reply.as_bytes()).await.expect("open");
            }
        };
        tokio::select! {
            quiet = silence(&connection, &root, clock) => panic!("was taken for dead after {quiet:?}"),
            () = answering => {}
        }
    }
}
