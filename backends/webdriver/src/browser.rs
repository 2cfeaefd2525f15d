//! One browser of the port: a driver process, or a share of the remote ends.
//!
//! ```text
//!   WebDriverBrowser ── ReaperHandle ──► [ reaper ] ── local: the process tree killed, its profile removed ──► gone
//!                                          ▲ ▲     └─ remote: every session deleted ─────────────────────────► gone
//!       run is cancelled ──────────────────┘ └─────── died, hangs or is down
//! ```
//!
//! The reaper ([`plimsoll_host::lifecycle`]) owns the parts that must not be left behind ([`crate::driver_process`],
//! [`crate::share`]). Owned tasks open sessions and wait for the answer however late it is: a session whose caller has
//! left is deleted as soon as it is open.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::id::BrowserId;
use plimsoll_core::outcome::Fault;
use plimsoll_core::port::{Browser, BrowserEnd, CloseError, OpenRequest, Opening};
use plimsoll_host::lifecycle::{Reaper, ReaperHandle};

use crate::driver_process::OwnedDriver;
use crate::handle::BrowserHandle;
use crate::launch::launch;
use crate::location::{LocalDriver, Location};
use crate::opening::SessionOpening;
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
        // The tasks of this browser, stopped when the browser is gone.
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
    fn open(&self, request: OpenRequest, budget: Duration) -> Box<dyn Opening> {
        Box::new(SessionOpening::begin(&self.link, request, budget))
    }

    async fn ended(&self) -> BrowserEnd {
        self.reaper.ended().await
    }

    async fn close(&self) -> Result<(), CloseError> {
        self.reaper.close().await
    }
}
