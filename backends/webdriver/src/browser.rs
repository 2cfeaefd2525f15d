//! One browser of the port: a driver process, or a share of a remote end; and the task that sees it to its end.
//!
//! ```text
//!   WebDriverBrowser ── order ──► [ caretaker ] ── here: the process tree killed, its profile removed ──► gone
//!                                     ▲ ▲ ▲     └─ there: every session deleted ───────────────────────► gone
//!       run is cancelled ─────────────┘ │ └─────── died, hangs or is down
//!       WebDriverBrowser dropped ───────┘
//! ```
//!
//! The caretaker owns what must not be left behind, so nothing that happens to a caller can leave it. Sessions are opened
//! by owned tasks that wait for the answer however late it is: a session that nobody waits for any more is deleted as
//! soon as it is there.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::id::BrowserId;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::{Browser, BrowserEnd, CloseError, Context, OpenRequest};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::profile::ProfileDir;
use plimsoll_host::tree::{Ladder, ProcessTree};
use tokio::sync::{oneshot, watch};
use tokio::time::{sleep, timeout};
use url::Url;

use crate::context::{WebDriverContext, ended};
use crate::demand::Demand;
use crate::direct::Direct;
use crate::driver::{Origin, Source};
use crate::ending::DELETION;
use crate::endpoint::{Counted, Endpoint};
use crate::health;
use crate::journal::Journal;
use crate::launch::{DriverProcess, launch};
use crate::settings::{Family, WindowSize};

/// How a driver is told to end: at once by SIGTERM, which chromedriver and geckodriver obey with their browsers.
const LADDER: Ladder =
    Ladder { ask: Duration::ZERO, term: Duration::from_secs(3), kill: Duration::from_secs(5) };
/// How long the tasks of a browser that is gone may take to end.
const TASKS: Duration = Duration::from_secs(5);
/// How long a remote end may take to delete all sessions of a share.
const DELETIONS: Duration = Duration::from_secs(30);
/// Between two tries to delete them.
const PAUSE: Duration = Duration::from_millis(500);

/// A driver process or a share of a remote end.
#[derive(Debug)]
pub(crate) struct WebDriverBrowser {
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
    pub(crate) base: Url,
    pub(crate) family: Family,
    pub(crate) window: WindowSize,
    pub(crate) home: Home,
    pub(crate) demand: Arc<Demand>,
    /// Owns what works for this browser; ended when it is gone.
    pub(crate) supervisor: Supervisor,
    direct: Direct,
    /// Sessions that are not known to be gone.
    open: Mutex<BTreeSet<String>>,
    end: watch::Sender<Option<BrowserEnd>>,
    gone: watch::Sender<Option<Result<(), CloseError>>>,
}

/// Where a browser's sessions run.
#[derive(Debug)]
pub(crate) enum Home {
    /// In a process tree of ours.
    Here(Arc<ProcessTree>),
    /// At a remote end; open sessions are written down.
    There(Arc<Endpoint>, Arc<Journal>),
}

/// What must not be left behind.
enum Charge {
    Process {
        tree: Arc<ProcessTree>,
        profile: ProfileDir,
        /// Closed last: it would kill the tree by itself.
        guard: OwnedFd,
    },
    Share(#[expect(dead_code, reason = "it counts while it lives")] Counted),
}

/// Owns what must not be left behind.
struct Caretaker {
    link: Arc<Link>,
    charge: Charge,
    order: watch::Receiver<Order>,
    /// Outlives the browser: told to stop, it waits for the browser to be gone.
    supervisor: Supervisor,
    clock: Clock,
}

impl WebDriverBrowser {
    /// Starts a driver, or takes a share of a remote end, within `budget`.
    pub(crate) async fn launch(origin: &Origin, id: BrowserId, budget: Duration) -> Result<Self, Fault> {
        // The tasks of this browser, ended with it.
        let own = origin.supervisor.child();
        match &origin.source {
            Source::Here(equipment) => {
                let process = launch(origin, equipment, id, budget, &own).await?;
                let DriverProcess { tree, profile, base, guard } = process;
                let home = Home::Here(Arc::clone(&tree));
                Ok(Self::take_charge(origin, home, base, own, Charge::Process { tree, profile, guard }))
            }
            Source::There(endpoints) => {
                let Some(endpoint) = endpoints.choose() else {
                    let message = format!("no remote end answers ({})", endpoints.complaints());
                    return Err(Fault::transient(FailureClass::BrowserCrash, message));
                };
                let share = endpoint.share();
                // Its status is asked for here too: what refuses this would refuse sessions.
                endpoint.direct.status(budget).await?;
                let base = endpoint.base.clone();
                let home = Home::There(endpoint, Arc::clone(&endpoints.journal));
                Ok(Self::take_charge(origin, home, base, own, Charge::Share(share)))
            }
        }
    }

    fn take_charge(origin: &Origin, home: Home, base: Url, own: Supervisor, charge: Charge) -> Self {
        let link = Arc::new(Link {
            direct: Direct::new(&base),
            base,
            family: origin.settings.family,
            window: origin.settings.window,
            home,
            demand: Arc::clone(&origin.demand),
            supervisor: own,
            open: Mutex::default(),
            end: watch::Sender::new(None),
            gone: watch::Sender::new(None),
        });
        let (order, orders) = watch::channel(Order::Run);
        let caretaker = Caretaker {
            link: Arc::clone(&link),
            charge,
            order: orders,
            supervisor: origin.supervisor.clone(),
            clock: origin.clock,
        };
        drop(origin.supervisor.spawn_graceful("browser caretaker", caretaker.care()));
        Self { link, order }
    }
}

impl Link {
    /// Requests beside those of a session.
    pub(crate) fn direct(&self) -> &Direct {
        match &self.home {
            Home::Here(_) => &self.direct,
            // Its connections are shared with the questions for its status.
            Home::There(endpoint, _) => &endpoint.direct,
        }
    }

    /// A session is there.
    pub(crate) fn opened(&self, session: &str) {
        self.sessions().insert(session.to_owned());
    }

    /// A session is known to be gone.
    pub(crate) fn closed(&self, session: &str) {
        self.sessions().remove(session);
    }

    fn sessions(&self) -> MutexGuard<'_, BTreeSet<String>> {
        // A set of names cannot be left half changed.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
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
impl Browser for WebDriverBrowser {
    async fn open(&self, request: OpenRequest, budget: Duration) -> Result<Box<dyn Context>, Fault> {
        // A remote end would not know.
        if let Some(end) = self.link.end.borrow().as_ref() {
            return Err(ended(end));
        }
        let (give, opened) = oneshot::channel();
        let link = Arc::clone(&self.link);
        let work = WebDriverContext::open(link, request, budget, give);
        // Graceful: it ends when its answer has come, or the browser is gone.
        drop(self.link.supervisor.spawn_graceful("open session", work));
        match timeout(budget, opened).await {
            Ok(Ok(Ok(context))) => Ok(context),
            Ok(Ok(Err(fault))) => Err(fault),
            Ok(Err(_)) => Err(Fault::transient(FailureClass::BrowserCrash, "the browser is being closed")),
            Err(_) => Err(match &self.link.home {
                Home::Here(_) => {
                    let message = format!("no session within {budget:?}");
                    Fault::transient(FailureClass::Timeout, message)
                }
                Home::There(endpoint, _) => {
                    let message = format!("{} gave no session within {budget:?}", endpoint.label);
                    Fault::transient(FailureClass::Overload, message)
                }
            }),
        }
    }

    async fn ended(&self) -> BrowserEnd {
        self.link.ended().await
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
                (BrowserEnd::Died("it was closed".to_owned()), LADDER)
            }
            () = self.supervisor.cancelled() => (BrowserEnd::Died("the run was cancelled".to_owned()), Ladder::NOW),
            end = health::end_of(&link, self.clock) => (end, Ladder::NOW),
        };
        link.end.send_replace(Some(end));
        link.supervisor.cancel();
        let verdict = match self.charge {
            Charge::Process { tree, profile, guard } => {
                clear_away(&tree, profile, guard, ladder, &self.supervisor).await
            }
            Charge::Share(_) => delete_sessions(&link).await,
        };
        if timeout(TASKS, link.supervisor.stop()).await.is_err() {
            tracing::warn!(base = %link.base, "tasks of a browser that is gone have not ended");
        }
        link.gone.send_replace(Some(verdict));
    }
}

/// Kills the tree, and removes the profile once nobody can write to it any more.
async fn clear_away(
    tree: &ProcessTree,
    profile: ProfileDir,
    guard: OwnedFd,
    ladder: Ladder,
    supervisor: &Supervisor,
) -> Result<(), CloseError> {
    let killed = tree.kill(ladder).await;
    drop(guard);
    killed.map_err(|error| CloseError(error.to_string()))?;
    if let Err(error) = profile.remove(supervisor).await {
        // The browser itself is gone; its files go with the run.
        tracing::warn!(%error, "a profile directory was left behind");
    }
    Ok(())
}

/// Deletes every session of a share that is not known to be gone.
async fn delete_sessions(link: &Link) -> Result<(), CloseError> {
    let deleting = async {
        loop {
            let open: Vec<String> = link.sessions().iter().cloned().collect();
            let Some(session) = open.first() else { return };
            match link.direct().end(session, DELETION).await {
                Ok(()) => link.closed(session),
                Err(error) => {
                    tracing::debug!(%error, "a session was not deleted yet");
                    sleep(PAUSE).await;
                }
            }
        }
    };
    match timeout(DELETIONS, deleting).await {
        Ok(()) => Ok(()),
        Err(_) => {
            let left = link.sessions().len();
            Err(CloseError(format!(
                "{left} sessions at {} could not be deleted within {DELETIONS:?}",
                link.base
            )))
        }
    }
}
