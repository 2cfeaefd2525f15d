//! The state that the contexts of one browser share.

use std::sync::Weak;
use std::time::Duration;

use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::lifecycle::Lifetime;
use plimsoll_host::network_service::NetworkWatch;
use plimsoll_host::tree::ProcessTree;

use crate::page_targets::PageTargets;
use crate::transport::{Connection, Session};

/// The longest time for the end of a killed renderer.
const CROWDED_END: Duration = Duration::from_secs(3);

/// The state that the contexts of one browser share.
#[derive(Debug)]
pub(crate) struct BrowserHandle {
    /// Commands to the browser itself.
    pub(crate) root: Session,
    /// The pages that open in the browser.
    pub(crate) targets: PageTargets,
    /// Owns the tasks that work for this browser; stopped when the browser is gone.
    pub(crate) supervisor: Supervisor,
    /// The fleet's time.
    pub(crate) clock: Clock,
    /// Its processes, which its reaper owns.
    pub(crate) tree: Weak<ProcessTree>,
    /// Notices the end of its network service.
    pub(crate) network: NetworkWatch,
    /// The end of the browser.
    pub(crate) lifetime: Lifetime,
}

impl BrowserHandle {
    /// The connection that all sessions share.
    pub(crate) const fn connection(&self) -> &Connection {
        self.root.connection()
    }

    /// Kills the renderer that keeps the browser from answering by its number of threads, if there is one.
    pub(crate) async fn kill_crowded_renderer(&self) {
        let Some(tree) = self.tree.upgrade() else { return };
        let killing =
            self.supervisor.spawn_blocking("kill renderer", move || tree.kill_crowded_renderer(CROWDED_END));
        match killing.await {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(pid))) => {
                tracing::warn!(pid, "a renderer whose threads took the processors was killed");
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "a renderer whose threads took the processors could not be killed");
            }
            Err(error) => tracing::debug!(%error, "no renderer was killed"),
        }
    }
}
