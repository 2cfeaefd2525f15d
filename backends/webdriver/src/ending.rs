//! The end of a session: its deletion, and the verification that it is gone.
//!
//! ```text
//!   DELETE ── answered ────────────────────────────────────────► gone
//!     └─ not: a chromedriver's ── its browser's process killed ─► DELETE again ─► gone
//!             a geckodriver's ─── the whole tree killed ─────────────────────────► gone
//!             a remote end's ──── its browser or page closed by its own socket, if the remote end passes that on;
//!                                 DELETE again, until time is up ────────────────► gone, or its record stays
//! ```
//!
//! A driver answers the deletion when the browser's process has ended. A session that is stuck in a command cannot end
//! by request: on this machine the process tree is killed as the last resort, and at a remote end the browser's socket
//! is used.

use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::port::CloseError;
use plimsoll_host::tree::{Ladder, ProcessTree};
use tokio::time::{sleep, timeout};

use crate::call::CallError;
use crate::endpoint::Endpoint;
use crate::handle::BrowserHandle;
use crate::location::{LocalDriver, Location};
use crate::open_session::OpenSession;
use crate::settings::Family;

/// The longest time that a driver may take to end a session. Measured: 50 ms with Chromium, half a second with Firefox;
/// the rest is a reserve for an overloaded machine.
pub(crate) const DELETION: Duration = Duration::from_secs(8);
/// The same, for a session that is stuck in a command.
const STUCK: Duration = Duration::from_secs(1);
/// The same, for a session whose browser was killed.
const KILLED: Duration = Duration::from_secs(4);
/// The longest time for the kill.
const KILL: Duration = Duration::from_secs(3);
/// The period in which the deletion at a remote end is repeated.
const ASKING: Duration = Duration::from_secs(12);
/// The pause between two deletions.
const PAUSE: Duration = Duration::from_millis(250);

/// Ends a session and verifies that it is gone.
pub(crate) async fn end(link: &BrowserHandle, held: OpenSession) -> Result<(), CloseError> {
    let verdict = tokio::select! {
        biased;
        _ = link.lifetime.ended(), if matches!(held.location, Location::Local(_)) => {
            link.lifetime.gone_in_time().await
        }
        verdict = delete(link, &held) => verdict,
    };
    held.session.hang_up();
    verdict
}

/// Ends a session at a remote end; the deletion is repeated. `patience` is the time for the first try.
pub(crate) async fn end_remote(
    link: &BrowserHandle,
    endpoint: &Arc<Endpoint>,
    session: &str,
    patience: Duration,
) -> Result<(), CloseError> {
    let (mut last, mut patience) = (None, patience);
    let asking = async {
        while let Err(error) = endpoint.direct.end(session, patience).await {
            (last, patience) = (Some(error), DELETION);
            sleep(PAUSE).await;
        }
    };
    match timeout(ASKING, asking).await {
        Ok(()) => {
            link.closed(endpoint, session).await;
            Ok(())
        }
        Err(_) => {
            link.mark_unverified();
            let why = last.map_or_else(|| "no answer".to_owned(), |error: CallError| error.to_string());
            let label = &endpoint.label;
            Err(CloseError(format!("{label} did not delete a session within {ASKING:?}: {why}")))
        }
    }
}

async fn delete(link: &BrowserHandle, held: &OpenSession) -> Result<(), CloseError> {
    let id = held.session.id();
    let patience = if held.session.is_busy() { STUCK } else { DELETION };
    let LocalDriver { tree, direct: driver } = match &held.location {
        Location::Remote(count) => return end_remote(link, &count.0, id, patience).await,
        Location::Local(driver) => driver,
    };
    let Err(error) = driver.delete(id, patience).await else { return Ok(()) };
    tracing::debug!(%error, "a session does not end by itself");
    match (link.family, held.process) {
        (Family::Chromium, Some(process)) => {
            kill(link, tree, process).await?;
            driver.delete(id, KILLED).await.map_err(|error| CloseError(error.to_string()))
        }
        (Family::Firefox, _) => {
            // The driver had only this session. Its reaper detects its end like any other end.
            tree.kill(Ladder::NOW).await.map_err(|error| CloseError(error.to_string()))?;
            link.lifetime.gone_in_time().await
        }
        (Family::Chromium, None) => Err(CloseError(error.to_string())),
    }
}

/// Kills the browser of one session.
async fn kill(link: &BrowserHandle, tree: &Arc<ProcessTree>, process: i32) -> Result<(), CloseError> {
    let tree = Arc::clone(tree);
    let killing = link.supervisor.spawn_blocking("kill browser", move || tree.kill_branch(process, KILL));
    match killing.await {
        Ok(killed) => killed.map_err(|error| CloseError(error.to_string())),
        Err(error) => Err(CloseError(error.to_string())),
    }
}
