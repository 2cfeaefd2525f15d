//! One browser of the port: a driver process, or a share of the remote ends.
//!
//! ```text
//!   WebDriverBrowser ── ReaperHandle ──► [ reaper ] ── local: the process tree killed, its profile removed ──► gone
//!                                          ▲ ▲     └─ remote: every session deleted ─────────────────────────► gone
//!       run is cancelled ──────────────────┘ └─────── died, hangs or is down
//! ```
//!
//! The reaper ([`plimsoll_host::lifecycle`]) owns what must not be left behind ([`crate::driver_process`],
//! [`crate::share`]). Sessions are opened by owned tasks that wait for the answer however late it is: a session that
//! nobody waits for any more is deleted as soon as it is there.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::id::BrowserId;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::{Browser, BrowserEnd, CloseError, Context, OpenRequest};
use plimsoll_host::lifecycle::{Reaper, ReaperHandle};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::context::WebDriverContext;
use crate::driver_process::OwnedDriver;
use crate::handle::BrowserHandle;
use crate::launch::launch;
use crate::location::{LocalDriver, Location};
use crate::origin::{Origin, Source};
use crate::share::OwnedShare;

/// A driver process or a share of the remote ends.
#[derive(Debug)]
pub(crate) struct WebDriverBrowser {
    link: Arc<BrowserHandle>,
    reaper: ReaperHandle,
}

impl WebDriverBrowser {
    /// Starts a driver, or takes a share of the remote ends, within `budget`.
    pub(crate) async fn launch(origin: &Origin, id: BrowserId, budget: Duration) -> Result<Self, Fault> {
        // The tasks of this browser, stopped when it is gone.
        let own = origin.supervisor.child();
        let (reaper, lifetime) = Reaper::new();
        let (clock, supervisor) = (origin.clock, &origin.supervisor);
        match &origin.source {
            Source::Local(program) => {
                let driver = launch(origin, program, id, budget, &own).await?;
                let (tree, direct) = (Arc::clone(&driver.process.tree), Arc::clone(&driver.direct));
                let location = Location::Local(LocalDriver { tree, direct });
                let link = BrowserHandle::new(origin, location, own, lifetime);
                let owned = OwnedDriver { handle: Arc::clone(&link), driver, clock };
                Ok(Self { link, reaper: reaper.start(owned, supervisor) })
            }
            Source::Remote(endpoints) => {
                let share = endpoints.take_share(budget).await?;
                let endpoints = Arc::clone(endpoints);
                let location = Location::Remote(Arc::clone(&endpoints));
                let link = BrowserHandle::new(origin, location, own, lifetime);
                let owned = OwnedShare { handle: Arc::clone(&link), endpoints, share, clock };
                Ok(Self { link, reaper: reaper.start(owned, supervisor) })
            }
        }
    }
}

#[async_trait]
impl Browser for WebDriverBrowser {
    async fn open(&self, request: OpenRequest, budget: Duration) -> Result<Box<dyn Context>, Fault> {
        // A remote end does not know that this browser was closed.
        if self.link.lifetime.end().is_some() {
            return Err(self.link.lifetime.lost().await);
        }
        let _in_use = self.link.in_use();
        let (give, opened) = oneshot::channel();
        let link = Arc::clone(&self.link);
        let work = WebDriverContext::open(link, request, budget, give);
        // Graceful: it ends when its answer has come, or the browser is gone.
        drop(self.link.supervisor.spawn_graceful("open session", work));
        match timeout(budget, opened).await {
            Ok(Ok(Ok(context))) => Ok(context),
            Ok(Ok(Err(fault))) => Err(fault),
            Ok(Err(_)) => Err(Fault::transient(FailureClass::BrowserCrash, "the browser is being closed")),
            Err(_) => Err(match &self.link.location {
                Location::Local(_) => {
                    let message = format!("no session within {budget:?}");
                    Fault::transient(FailureClass::Timeout, message)
                }
                Location::Remote(endpoints) => {
                    let message = format!("{} gave no session within {budget:?}", endpoints.labels());
                    Fault::transient(FailureClass::Overload, message)
                }
            }),
        }
    }

    async fn ended(&self) -> BrowserEnd {
        self.reaper.ended().await
    }

    async fn close(&self) -> Result<(), CloseError> {
        self.reaper.close().await
    }
}
