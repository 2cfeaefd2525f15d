//! A share of the remote ends, as its reaper owns it.
//!
//! A share is closed when one of its sessions could not be deleted, but its other sessions run on other machines: the
//! close waits until they are not in use any more. The session that is left counts in its slot until it is known to be
//! gone.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use plimsoll_core::port::{BrowserEnd, CloseError};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::lifecycle::{Owned, Removal};
use tokio::time::{sleep, timeout};

use crate::ending::DELETION;
use crate::endpoint::Endpoint;
use crate::endpoints::{EndpointShare, Endpoints};
use crate::handle::BrowserHandle;
use crate::opening::LATE;

/// How long the deletion of a share's sessions is repeated while other shares are in use: longer than a grid takes to
/// drop a lost node, and longer than the idle timeout of its sessions.
const DELETIONS: Duration = Duration::from_secs(330);
/// The same when no other share is in use: the end of a run waits for it.
const LAST_DELETIONS: Duration = Duration::from_secs(30);
/// The pause between two tries to delete them: initial and maximum.
const PAUSE: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(5)];

/// The parts that must not be left behind.
pub(crate) struct OwnedShare {
    pub(crate) handle: Arc<BrowserHandle>,
    pub(crate) endpoints: Arc<Endpoints>,
    pub(crate) share: EndpointShare,
    pub(crate) clock: Clock,
}

impl Owned for OwnedShare {
    async fn ended(&self) -> BrowserEnd {
        BrowserEnd::Died(format!("no remote end answers ({})", self.endpoints.down().await))
    }

    async fn ready_to_close(&self) {
        if self.handle.has_unverified() {
            self.handle.unused().await;
        }
    }

    async fn remove(self, _: Removal, _: &Supervisor) -> Result<(), CloseError> {
        let Self { handle, endpoints, share, clock } = self;
        drop(share);
        let stopping = async {
            if timeout(LATE, handle.supervisor.stop()).await.is_err() {
                tracing::warn!("tasks of a share that is closed have not ended");
            }
        };
        // Known sessions are deleted at once. At the same time, a requested session that is late is waited for.
        let (deleted, ()) = tokio::join!(delete_sessions(&handle, &endpoints, clock), stopping);
        match deleted {
            Ok(()) => delete_sessions(&handle, &endpoints, clock).await,
            left => left,
        }
    }
}

/// Deletes every session of a share that is not known to be gone.
async fn delete_sessions(
    handle: &BrowserHandle,
    endpoints: &Endpoints,
    clock: Clock,
) -> Result<(), CloseError> {
    let begun = clock.now();
    let mut pause = PAUSE[0];
    loop {
        let open = handle.left();
        if open.is_empty() {
            return Ok(());
        }
        let patience = if endpoints.has_no_shares() { LAST_DELETIONS } else { DELETIONS };
        let left = patience.saturating_sub(clock.now().since(begun));
        if left.is_zero() {
            return Err(undeleted(&open, patience));
        }
        // In parallel, because one of them may be stuck.
        let deleting = join_all(open.iter().map(|(end, session)| async move {
            match end.direct.end(session, DELETION).await {
                Ok(()) => handle.closed(end, session).await,
                Err(error) => tracing::debug!(%error, "a session was not deleted yet"),
            }
        }));
        if timeout(left, deleting).await.is_ok() && !handle.left().is_empty() {
            sleep(pause.min(left)).await;
            pause = (pause * 2).min(PAUSE[1]);
        }
    }
}

fn undeleted(open: &[(Arc<Endpoint>, String)], patience: Duration) -> CloseError {
    let ends: BTreeSet<&str> = open.iter().map(|(end, _)| end.label.as_str()).collect();
    let ends = ends.into_iter().collect::<Vec<_>>().join(", ");
    CloseError(format!("{} sessions at {ends} could not be deleted within {patience:?}", open.len()))
}
