//! The ownership of one open session. Dropping it ends the session, in a task of the browser.

use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::outcome::{FailureClass, Fault, Recurrence};
use plimsoll_core::port::CloseError;
use plimsoll_core::runtime::opening::Verdict;
use plimsoll_core::runtime::supervisor::TaskFailure;
use plimsoll_host::network_service::NetworkEnd;
use tokio::time::{sleep, timeout};

use crate::call::CallError;
use crate::ending;
use crate::endpoint::Endpoint;
use crate::handle::{BrowserHandle, InUse};
use crate::location::Location;
use crate::open_session::OpenSession;

/// The time, after a failure without a cause, in which a browser's process may be found to have ended.
const EXIT: Duration = Duration::from_millis(500);
/// The interval between two checks of a process.
const LOOK: Duration = Duration::from_millis(25);
/// The longest time for a remote session to answer a probe, when a step failed before its time was over.
const PROBE: Duration = Duration::from_secs(1);
/// The same, when the step's time is over already: long enough for a grid that has detected the loss.
const LATE_PROBE: Duration = Duration::from_millis(200);

/// An open session that is to be ended. Dropping it ends the session.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) link: Arc<BrowserHandle>,
    /// `None` when the session is gone, or being deleted.
    held: Option<OpenSession>,
    _in_use: InUse,
}

impl Lease {
    /// The lease of a session that was opened in the browser of `link`.
    pub(crate) fn new(link: &Arc<BrowserHandle>, held: OpenSession) -> Self {
        Self { link: Arc::clone(link), held: Some(held), _in_use: link.in_use() }
    }

    /// Ends the session and verifies that it is gone; `None` when it ends with its browser, which is being closed.
    pub(crate) async fn end(mut self) -> Verdict {
        let Some(held) = self.held.take() else { return Some(Ok(())) };
        let link = Arc::clone(&self.link);
        let ending = self.link.supervisor.spawn("end session", async move { ending::end(&link, held).await });
        match ending.await {
            Ok(verdict) => Some(verdict),
            Err(TaskFailure::Cancelled) => None,
            Err(panicked) => Some(Err(CloseError(panicked.to_string()))),
        }
    }

    pub(crate) fn endpoint(&self) -> Option<&Arc<Endpoint>> {
        self.held.as_ref().and_then(|held| held.location.endpoint())
    }

    /// The next end of its browser's network service, if that is watched.
    pub(crate) fn network_end(&self) -> Option<NetworkEnd> {
        Some(self.held.as_ref()?.network.as_ref()?.next_end())
    }

    /// The cause of a failure for which the remote end names none: geckodriver reports only that its browser has not
    /// answered, a grid only that a node has not.
    pub(crate) async fn explain(&self, fault: Fault) -> Fault {
        let Some(held) = &self.held else { return fault };
        let is_vague = fault.class == FailureClass::Script && fault.recurrence == Recurrence::Transient;
        let is_silent = fault.class == FailureClass::Timeout && held.session.is_busy();
        let crash =
            |why: String| Fault::transient(FailureClass::BrowserCrash, format!("{why}: {}", fault.message));
        match (&held.location, held.process) {
            // If the browser's process has ended, or ends within that time, this is the cause.
            (Location::Local(driver), Some(process)) if is_vague => {
                let ending = async {
                    while driver.tree.lives(process) {
                        sleep(LOOK).await;
                    }
                };
                match timeout(EXIT, ending).await {
                    Ok(()) => crash(format!("the browser's process {process} ended")),
                    Err(_) => fault,
                }
            }
            // If the session does not answer, its node is gone.
            (Location::Remote(count), _) if is_vague || is_silent => {
                let patience = if is_vague { PROBE } else { LATE_PROBE };
                match count.0.direct.probe(held.session.id(), patience).await {
                    Ok(()) => fault,
                    // A page whose script never ends keeps its session silent as well.
                    Err(CallError::Timeout { .. }) if !is_vague => fault,
                    Err(error) => crash(format!("the session does not answer ({error})")),
                }
            }
            _ => fault,
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(held) = self.held.take() else { return };
        let link = Arc::clone(&self.link);
        drop(self.link.supervisor.spawn("end an abandoned session", async move {
            if let Err(error) = ending::end(&link, held).await {
                tracing::warn!(%error, "an abandoned session was left");
            }
        }));
    }
}
