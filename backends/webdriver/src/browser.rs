//! One browser of the port: a driver process, or a share of the remote ends; and the task that sees it to its end.
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
//!
//! A share of which a session could not be deleted is closed for that, but the others run on machines of their own: it
//! lets whoever uses them come to their end. The one keeps its place until it is known to be gone.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use plimsoll_core::id::BrowserId;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::{Browser, BrowserEnd, CloseError, Context, OpenRequest};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::profile::ProfileDir;
use plimsoll_host::tree::{Ladder, ProcessTree};
use tokio::sync::{oneshot, watch};
use tokio::time::{sleep, timeout};

use crate::context::{WebDriverContext, ended};
use crate::direct::Direct;
use crate::driver::{Origin, Source};
use crate::ending::DELETION;
use crate::endpoint::Endpoint;
use crate::endpoints::{Endpoints, Share};
use crate::health;
use crate::launch::{DriverProcess, launch};
use crate::link::{Home, Link};

/// How a driver is told to end: at once by SIGTERM, which chromedriver and geckodriver obey with their browsers.
const LADDER: Ladder =
    Ladder { ask: Duration::ZERO, term: Duration::from_secs(3), kill: Duration::from_secs(5) };
/// How long the tasks of a browser that is gone may take to end: longer than any of them waits for a last answer.
const TASKS: Duration = Duration::from_secs(8);
/// How long remote ends are asked to delete the sessions of a share while others are at work: longer than a grid takes
/// to give up a node that is lost, and than its sessions may be idle.
const DELETIONS: Duration = Duration::from_secs(330);
/// How long when no other is: the end of a run waits for it.
const LAST_DELETIONS: Duration = Duration::from_secs(30);
/// Between two tries to delete them, at first and at most.
const PAUSE: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(5)];

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

/// What must not be left behind.
enum Charge {
    Process {
        tree: Arc<ProcessTree>,
        profile: ProfileDir,
        /// Closed last: it would kill the tree by itself.
        guard: OwnedFd,
    },
    Share(Arc<Endpoints>, Share),
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
                let home = Home::Here(Arc::clone(&tree), Arc::new(Direct::new(&base)));
                Ok(Self::take_charge(origin, home, own, Charge::Process { tree, profile, guard }))
            }
            Source::There(endpoints) => {
                let share = endpoints.take_share(budget).await?;
                let home = Home::There(Arc::clone(endpoints));
                Ok(Self::take_charge(origin, home, own, Charge::Share(Arc::clone(endpoints), share)))
            }
        }
    }

    fn take_charge(origin: &Origin, home: Home, own: Supervisor, charge: Charge) -> Self {
        let link = Link::new(origin, home, own);
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

#[async_trait]
impl Browser for WebDriverBrowser {
    async fn open(&self, request: OpenRequest, budget: Duration) -> Result<Box<dyn Context>, Fault> {
        // A remote end would not know.
        if let Some(end) = self.link.end() {
            return Err(ended(&end));
        }
        let _using = self.link.using();
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
                Home::Here(..) => {
                    let message = format!("no session within {budget:?}");
                    Fault::transient(FailureClass::Timeout, message)
                }
                Home::There(endpoints) => {
                    let message = format!("{} gave no session within {budget:?}", endpoints.labels());
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
        let closed = async {
            // An error says that the browser's last handle was dropped, which is an order too.
            let _ = self.order.wait_for(|order| *order == Order::Close).await;
            if link.is_spoiled() {
                link.unused().await;
            }
        };
        let (end, ladder) = tokio::select! {
            () = closed => (BrowserEnd::Died("it was closed".to_owned()), LADDER),
            () = self.supervisor.cancelled() => (BrowserEnd::Died("the run was cancelled".to_owned()), Ladder::NOW),
            end = health::end_of(&link, self.clock) => (end, Ladder::NOW),
        };
        link.tell_end(end);
        link.supervisor.cancel();
        let ended = async {
            if timeout(TASKS, link.supervisor.stop()).await.is_err() {
                tracing::warn!("tasks of a browser that is gone have not ended");
            }
        };
        let verdict = match self.charge {
            Charge::Process { tree, profile, guard } => {
                let verdict = clear_away(&tree, profile, guard, ladder, &self.supervisor).await;
                ended.await;
                verdict
            }
            Charge::Share(endpoints, share) => {
                drop(share);
                // Those that are there are deleted at once. One that was asked for may still arrive meanwhile.
                let (deleted, ()) = tokio::join!(delete_sessions(&link, &endpoints, self.clock), ended);
                match deleted {
                    Ok(()) => delete_sessions(&link, &endpoints, self.clock).await,
                    left => left,
                }
            }
        };
        link.tell_gone(verdict);
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
async fn delete_sessions(link: &Link, endpoints: &Endpoints, clock: Clock) -> Result<(), CloseError> {
    let begun = clock.now();
    let mut pause = PAUSE[0];
    loop {
        let open = link.left();
        if open.is_empty() {
            return Ok(());
        }
        let patience = if endpoints.are_left() { LAST_DELETIONS } else { DELETIONS };
        let left = patience.saturating_sub(clock.now().since(begun));
        if left.is_zero() {
            return Err(undeleted(&open, patience));
        }
        // None waits for another: one may be stuck.
        let deleting = join_all(open.iter().map(|(end, session)| async move {
            match end.direct.end(session, DELETION).await {
                Ok(()) => link.closed(end, session).await,
                Err(error) => tracing::debug!(%error, "a session was not deleted yet"),
            }
        }));
        if timeout(left, deleting).await.is_ok() && !link.left().is_empty() {
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
