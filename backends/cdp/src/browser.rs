//! One browser: opens contexts, and is removed by its reaper.
//!
//! ```text
//!   CdpBrowser ── ReaperHandle ──► [ reaper ] ── Browser.close, kill ladder, profile removed ──► gone
//!                                      ▲ ▲
//!             run is cancelled ────────┘ └─────── died or hangs (`health`)
//! ```
//!
//! The reaper ([`plimsoll_host::lifecycle`]) owns the process tree and the profile directory, so both are removed
//! whatever happens to the callers. A browser that has died is removed at once, without a request.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chromiumoxide_cdp::cdp::browser_protocol::browser::CloseParams;
use chromiumoxide_cdp::cdp::browser_protocol::memory::{PressureLevel, SimulatePressureNotificationParams};
use plimsoll_core::policy::Trim;
use plimsoll_core::port::{Browser, BrowserEnd, CloseError, OpenRequest, Opening};
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::lifecycle::{LocalProcess, Owned, Reaper, ReaperHandle, Removal, stop_tasks};
use plimsoll_host::network_service::NetworkWatch;
use plimsoll_host::tree::Ladder;

use crate::handle::BrowserHandle;
use crate::health;
use crate::opening::CdpOpening;
use crate::origin::Origin;
use crate::page_targets::PageTargets;
use crate::transport::Session;

/// The longest time that a browser may take to acknowledge that memory is short.
const TRIM: Duration = Duration::from_secs(5);

/// A browser process and the connection to it.
#[derive(Debug)]
pub(crate) struct CdpBrowser {
    handle: Arc<BrowserHandle>,
    reaper: ReaperHandle,
}

/// The parts of a browser that must not be left behind.
struct OwnedBrowser {
    handle: Arc<BrowserHandle>,
    process: LocalProcess,
}

impl CdpBrowser {
    /// A browser that answers. `own` owns the browser's tasks and is stopped when the browser is gone.
    pub(crate) async fn start(
        root: Session,
        process: LocalProcess,
        own: Supervisor,
        origin: &Origin,
    ) -> Self {
        let network = NetworkWatch::start(process.tree.pid(), &own);
        let (reaper, lifetime) = Reaper::new();
        let handle = Arc::new(BrowserHandle {
            root,
            targets: PageTargets::default(),
            supervisor: own,
            clock: origin.clock,
            tree: Arc::downgrade(&process.tree),
            network,
            lifetime,
        });
        let receiving = Arc::clone(&handle);
        let receive = async move { receiving.targets.receive(&receiving.root).await };
        drop(handle.supervisor.spawn("page targets", receive));
        let owned = OwnedBrowser { handle: Arc::clone(&handle), process };
        Self { handle, reaper: reaper.start(owned, &origin.supervisor) }
    }
}

#[async_trait]
impl Browser for CdpBrowser {
    fn open(&self, request: OpenRequest, budget: Duration) -> Box<dyn Opening> {
        Box::new(CdpOpening::begin(&self.handle, request, budget))
    }

    async fn ended(&self) -> BrowserEnd {
        self.reaper.ended().await
    }

    async fn trim(&self, trim: Trim) {
        let level = match trim {
            Trim::Nothing => return,
            Trim::Moderate => PressureLevel::Moderate,
            Trim::Critical => PressureLevel::Critical,
        };
        if let Err(error) = self.handle.root.call(SimulatePressureNotificationParams::new(level), TRIM).await
        {
            tracing::debug!(%error, "a browser did not acknowledge that memory is short");
        }
    }

    async fn close(&self) -> Result<(), CloseError> {
        self.reaper.close().await
    }
}

impl Owned for OwnedBrowser {
    async fn ended(&self) -> BrowserEnd {
        let BrowserHandle { root, clock, .. } = &*self.handle;
        health::end_of(root, &self.process.tree, *clock).await
    }

    async fn remove(self, removal: Removal, supervisor: &Supervisor) -> Result<(), CloseError> {
        let ladder = match removal {
            Removal::Forced => Ladder::NOW,
            Removal::Asked => {
                // The first rung of the ladder is the time that the browser has to close.
                let ladder = Ladder::default();
                drop(self.handle.root.start(CloseParams::default(), ladder.ask).await);
                ladder
            }
        };
        let removed = self.process.remove(ladder, supervisor).await;
        self.handle.connection().close();
        stop_tasks(&self.handle.supervisor).await;
        removed
    }
}

#[cfg(test)]
mod tests;
