//! The process in which a Chromium does its networking.
//!
//! A Chromium survives the end of this process and starts another, but every navigation under way fails, with errors that
//! do not differ from those of a server that hung up or of a download, or waits for ever. So a task watches the process:
//!
//! ```text
//!   look for it in /proc, with growing pauses ─► wait for its pidfd ─► tell the moment of its end ─┐
//!          ▲                                                                                      │
//!          └──────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! An end before the process was found is not noticed, and the navigation reports what the browser reports.

use std::future::pending;
use std::io;
use std::time::Duration;

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::runtime::supervisor::Supervisor;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::processes::{Process, descendant, table};
use crate::tree::readiness::readiness;

/// The argument that only this process has.
const ARGUMENT: &str = "--utility-sub-type=network.mojom.NetworkService";
/// The pause after a first look without a result. It doubles from look to look, up to the longest pause.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// The longest time from a failure that the end of a network service caused to the notice of that end.
const NEWS: Duration = Duration::from_millis(50);

/// The watch over a browser's network service. Dropping it ends the watch.
#[derive(Debug)]
pub struct NetworkWatch(watch::Receiver<()>);

/// The next end of a network service, from a certain moment on.
#[derive(Debug, Clone)]
pub struct NetworkEnd(watch::Receiver<()>);

impl NetworkWatch {
    /// Watches the browser with this process number, until `supervisor` is stopped.
    #[must_use]
    pub fn start(browser: i32, supervisor: &Supervisor) -> Self {
        let (ends, watch) = watch::channel(());
        let own = supervisor.clone();
        let watching = async move {
            tokio::select! {
                () = ends.closed() => {}
                () = keep_watch(browser, &own, &ends) => {}
            }
        };
        drop(supervisor.spawn("network service", watching));
        Self(watch)
    }

    /// The next end, from now on.
    #[must_use]
    pub fn next_end(&self) -> NetworkEnd {
        let mut ends = self.0.clone();
        ends.mark_unchanged();
        NetworkEnd(ends)
    }
}

impl NetworkEnd {
    /// Completes, when the network service has ended, with the fault of a navigation that was under way.
    pub async fn fault(&self) -> Fault {
        // A copy, so that an end that was noticed once is noticed again.
        if self.0.clone().changed().await.is_err() {
            // Nobody watches any more.
            pending::<()>().await;
        }
        let message = "the browser's network service ended while it opened the page";
        Fault::transient(FailureClass::BrowserCrash, message)
    }

    /// The cause of a navigation's fault: the end of the network service, if it fits and is noticed within 50 ms.
    pub async fn explain(&self, fault: Fault) -> Fault {
        use FailureClass::{Navigation, Proxy, Timeout};
        if !matches!(fault.class, Navigation | Proxy | Timeout) {
            return fault;
        }
        timeout(NEWS, self.fault()).await.unwrap_or(fault)
    }
}

async fn keep_watch(browser: i32, supervisor: &Supervisor, ends: &watch::Sender<()>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let looking = supervisor.spawn_blocking("find network service", move || service_of(browser));
        let Ok(found) = looking.await else { return };
        if let Some(service) = found {
            match end_of(&service).await {
                Ok(()) => {
                    ends.send_replace(());
                    pause = FIRST_PAUSE;
                    continue;
                }
                Err(error) => {
                    tracing::warn!(pid = service.pid, %error, "a network service cannot be watched now");
                }
            }
        }
        sleep(pause).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

/// Waits until the process has ended.
async fn end_of(service: &Process) -> io::Result<()> {
    match service.pidfd() {
        Some(pidfd) => readiness(pidfd)?.readable().await.map(drop),
        None if service.still_runs() => Err(io::Error::other("no descriptor of the process can be opened")),
        None => Ok(()),
    }
}

/// The network service of a browser. It reads the table of processes, so it blocks for milliseconds.
fn service_of(browser: i32) -> Option<Process> {
    let table = table().ok()?;
    let mut services = table.iter().filter(|process| {
        process.alive && descendant(&table, process.pid, browser).is_some() && process.has_argument(ARGUMENT)
    });
    services.next().copied()
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// A process with the argument of a network service.
    #[expect(clippy::disallowed_methods, reason = "a child of the test's own, which ends with it")]
    fn service() -> Child {
        let waiting = ["-c", "read -r _", ARGUMENT];
        Command::new("sh").args(waiting).stdin(Stdio::piped()).spawn().expect("a shell")
    }

    #[tokio::test]
    async fn each_end_is_told_to_those_who_waited_for_it() {
        let supervisor = Supervisor::root();
        let own = rustix::process::getpid().as_raw_pid();
        let watch = NetworkWatch::start(own, &supervisor);
        for _ in 0..2 {
            let mut child = service();
            let end = watch.next_end();
            assert!(timeout(Duration::from_millis(500), end.fault()).await.is_err(), "it runs");
            child.kill().and_then(|()| child.wait()).expect("ours");
            timeout(Duration::from_secs(30), end.fault()).await.expect("it ended");
            let refused = Fault::transient(FailureClass::Navigation, "the server hung up");
            assert_eq!(end.explain(refused).await.class, FailureClass::BrowserCrash);
            let later = watch.next_end();
            assert!(timeout(Duration::ZERO, later.fault()).await.is_err(), "it ended before");
        }
        supervisor.stop().await;
    }
}
