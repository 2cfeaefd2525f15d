//! One browser: what its contexts share, and the task that sees it to its end.
//!
//! ```text
//!   CdpBrowser ── order ──► [ caretaker ] ── Browser.close, kill ladder, profile removed ──► gone
//!                               ▲ ▲ ▲
//!       run is cancelled ───────┘ │ └─────── died or hangs (`health`)
//!       CdpBrowser dropped ───────┘
//! ```
//!
//! The caretaker owns the process tree and the profile directory, so nothing that happens to a caller can leave
//! them behind. A browser that has come to its end by itself is cleared away at once, without waiting to be told.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chromiumoxide_cdp::cdp::browser_protocol::browser::CloseParams;
use chromiumoxide_cdp::cdp::browser_protocol::memory::{PressureLevel, SimulatePressureNotificationParams};
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::policy::pressure::Trim;
use plimsoll_core::port::{Browser, BrowserEnd, CloseError, Context, OpenRequest};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::profile::ProfileDir;
use plimsoll_host::tree::{Ladder, ProcessTree};
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use crate::arrivals::Arrivals;
use crate::context::CdpContext;
use crate::health;
use crate::transport::{Connection, Session};

/// How long the tasks of a browser that is gone may take to end.
const TASKS: Duration = Duration::from_secs(5);

/// How long a browser may take to acknowledge that memory is short.
const TRIM: Duration = Duration::from_secs(5);

/// A browser process and the connection to it.
#[derive(Debug)]
pub(crate) struct CdpBrowser {
    link: Arc<Link>,
    order: watch::Sender<Order>,
}

/// What the caretaker is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Run,
    Close,
}

/// What the contexts of one browser share.
#[derive(Debug)]
pub(crate) struct Link {
    /// Commands to the browser itself.
    pub(crate) root: Session,
    /// The pages that open in it.
    pub(crate) arrivals: Arrivals,
    /// Owns what works for this browser; ended when it is gone.
    pub(crate) supervisor: Supervisor,
    /// The fleet's time.
    pub(crate) clock: Clock,
    end: watch::Sender<Option<BrowserEnd>>,
    gone: watch::Sender<Option<Result<(), CloseError>>>,
}

/// Owns what must not be left behind.
struct Caretaker {
    link: Arc<Link>,
    tree: ProcessTree,
    profile: ProfileDir,
    order: watch::Receiver<Order>,
    /// Outlives the browser: told to stop, it waits for the browser to be gone.
    supervisor: Supervisor,
}

impl CdpBrowser {
    /// Takes charge of a browser that answers. `own` ends with the browser, `supervisor` owns its caretaker.
    pub(crate) fn take_charge(
        root: Session,
        tree: ProcessTree,
        profile: ProfileDir,
        clock: Clock,
        own: Supervisor,
        supervisor: &Supervisor,
    ) -> Self {
        let link = Arc::new(Link {
            root,
            arrivals: Arrivals::default(),
            supervisor: own,
            clock,
            end: watch::Sender::new(None),
            gone: watch::Sender::new(None),
        });
        let (order, orders) = watch::channel(Order::Run);
        let pier = Arc::clone(&link);
        drop(link.supervisor.spawn("page arrivals", async move { pier.arrivals.receive(&pier.root).await }));
        let supervisor = supervisor.clone();
        let caretaker = Caretaker {
            link: Arc::clone(&link),
            tree,
            profile,
            order: orders,
            supervisor: supervisor.clone(),
        };
        drop(supervisor.spawn_graceful("browser caretaker", caretaker.care()));
        Self { link, order }
    }
}

impl Link {
    /// The connection all sessions share.
    pub(crate) const fn connection(&self) -> &Connection {
        self.root.connection()
    }

    /// Completes when the browser has come to its end.
    pub(crate) async fn ended(&self) -> BrowserEnd {
        let mut end = self.end.subscribe();
        let ended = end.wait_for(Option::is_some).await.ok().and_then(|end| end.clone());
        // The sender lives in `self`, so waiting cannot fail.
        ended.unwrap_or_else(|| BrowserEnd::Died("nobody watched it".to_owned()))
    }

    /// Completes when nothing of the browser is left, or when that could not be brought about.
    pub(crate) async fn gone(&self) -> Result<(), CloseError> {
        let mut gone = self.gone.subscribe();
        let verdict = gone.wait_for(Option::is_some).await.ok().and_then(|gone| gone.clone());
        verdict.unwrap_or_else(|| Err(CloseError("nobody watched the browser".to_owned())))
    }
}

#[async_trait]
impl Browser for CdpBrowser {
    async fn open(&self, request: OpenRequest, budget: Duration) -> Result<Box<dyn Context>, Fault> {
        let (give, opened) = oneshot::channel();
        let link = Arc::clone(&self.link);
        let work = async move {
            // A context that nobody waits for any more is dropped here, which disposes of it.
            drop(give.send(CdpContext::open(link, request, budget).await));
        };
        drop(self.link.supervisor.spawn("open context", work));
        match opened.await {
            Ok(Ok(context)) => Ok(Box::new(context)),
            Ok(Err(fault)) => Err(fault),
            Err(_) => Err(Fault::transient(FailureClass::BrowserCrash, "the browser is being closed")),
        }
    }

    async fn ended(&self) -> BrowserEnd {
        self.link.ended().await
    }

    async fn trim(&self, trim: Trim) {
        let level = match trim {
            Trim::Nothing => return,
            Trim::Moderate => PressureLevel::Moderate,
            Trim::Critical => PressureLevel::Critical,
        };
        if let Err(error) = self.link.root.call(SimulatePressureNotificationParams::new(level), TRIM).await {
            tracing::debug!(%error, "a browser was not told to give back memory");
        }
    }

    async fn close(&self) -> Result<(), CloseError> {
        self.order.send_replace(Order::Close);
        self.link.gone().await
    }
}

impl Caretaker {
    async fn care(mut self) {
        let link = Arc::clone(&self.link);
        let (end, ladder) = tokio::select! {
            // An error says that the browser's last handle was dropped, which is an order too.
            _ = self.order.wait_for(|order| *order == Order::Close) => {
                (BrowserEnd::Died("it was closed".to_owned()), Ladder::default())
            }
            () = self.supervisor.cancelled() => (BrowserEnd::Died("the run was cancelled".to_owned()), Ladder::NOW),
            end = health::end_of(link.connection(), &link.root, &self.tree, link.clock) => (end, Ladder::NOW),
        };
        link.end.send_replace(Some(end));
        if ladder != Ladder::NOW {
            // The ladder's first rung is the time it has to obey.
            drop(link.root.start(CloseParams::default(), ladder.ask).await);
        }
        let verdict = self.clear_away(ladder).await;
        link.gone.send_replace(Some(verdict));
    }

    /// Kills the tree, and removes the profile once nobody can write to it any more.
    async fn clear_away(self, ladder: Ladder) -> Result<(), CloseError> {
        let Self { link, tree, profile, supervisor, .. } = self;
        let killed = tree.kill(ladder).await;
        link.connection().close();
        if timeout(TASKS, link.supervisor.stop()).await.is_err() {
            tracing::warn!(pid = tree.pid(), "tasks of a browser that is gone have not ended");
        }
        killed.map_err(|error| CloseError(error.to_string()))?;
        if let Err(error) = profile.remove(&supervisor).await {
            // The browser itself is gone; its files go with the run.
            tracing::warn!(%error, "a profile directory was left behind");
        }
        Ok(())
    }
}
