//! The opening of a session, and the deletion of a session whose caller has left.
//!
//! ```text
//!   POST /session ─────► written down ─► setup ─► WebDriverContext
//!     │ the caller leaves: the answer is awaited, however late
//!     └── a session ───► written down ─► DELETE /session, answered ─► gone
//! ```
//!
//! A request to a remote end cannot be cancelled. So the task of an opening outlives its caller: it waits for the
//! answer and deletes the session. [`SessionOpening::abandon`] waits for that for a limited time; then the caller gives
//! the browser up, and the browser waits.
//!
//! Remote ends are asked one after the other: after a refusal the next one is asked. When one is silent until the
//! caller's time is over, no other is asked. A broken connection counts as a refusal: if a session was opened
//! nevertheless, its id is unknown, and the remote end deletes it after its idle timeout.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::outcome::{FailureClass, Fault, Recurrence};
use plimsoll_core::port::{CloseError, Context, OpenRequest, Opening};
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::runtime::opening::{OwnedOpening, Requester, Verdict};
use plimsoll_core::secrets::Secrets;
use serde_json::{Map, Value};
use tokio::time::{sleep, timeout};

use crate::call::{CallError, Code};
use crate::context::WebDriverContext;
use crate::direct::Opened;
use crate::ending::{self, DELETION};
use crate::endpoint::Endpoint;
use crate::endpoints::Endpoints;
use crate::handle::{BrowserHandle, InUse};
use crate::lease::Lease;
use crate::location::Location;
use crate::open_session::{OpenSession, SessionLocation, network_watch, process_id};
use crate::session::Session;
use crate::settings::Family;
use crate::setup;
use crate::tab::{ScriptWorld, Tab};

/// The longest time for a requested session to arrive, whether or not the caller still waits for it: a grid queues
/// requests for five minutes, and sometimes answers late.
pub(crate) const LATE: Duration = Duration::from_secs(600);
/// How long the caller of [`Opening::abandon`] waits for a late session.
const ABANDON: Duration = Duration::from_secs(12);
/// How long a session is waited for when its browser is being closed and no other is in use.
const LAST_WAIT: Duration = Duration::from_secs(5);
/// The interval between two checks whether other browsers are in use.
const LOOK: Duration = Duration::from_millis(500);
/// A caller that leaves with less time left than this has waited for all of its time: clocks that were started one
/// after the other do not end together.
const MOMENT: Duration = Duration::from_millis(50);

/// A session that is being opened.
pub(crate) struct SessionOpening {
    link: Arc<BrowserHandle>,
    budget: Budget,
    task: OwnedOpening,
    _in_use: InUse,
}

/// The result of a session request.
enum Asked {
    Given(Opened, SessionLocation),
    Refused(Fault),
    /// The caller left before the answer came. The session in the answer was then deleted, with this verdict.
    Late(Verdict),
}

impl SessionOpening {
    /// Begins to open a session of the browser of `link`.
    pub(crate) fn begin(link: &Arc<BrowserHandle>, request: OpenRequest, budget: Duration) -> Self {
        let (budget, in_use) = (Budget::start(budget), link.in_use());
        let task = OwnedOpening::begin(|requester| {
            let work = open(Arc::clone(link), request, budget, requester);
            // Graceful: the task ends when its answer has come, or the browser is gone.
            link.supervisor.spawn_graceful("open session", work)
        });
        Self { link: Arc::clone(link), budget, task, _in_use: in_use }
    }
}

#[async_trait]
impl Opening for SessionOpening {
    async fn ready(&mut self) -> Result<Box<dyn Context>, Fault> {
        match timeout(self.budget.left(), self.task.ready()).await {
            Ok(Some(answer)) => answer,
            Ok(None) => Err(Fault::transient(FailureClass::BrowserCrash, "the browser is being closed")),
            Err(_) => Err(no_session(&self.link.location, self.budget.whole())),
        }
    }

    async fn abandon(self: Box<Self>) -> Result<(), CloseError> {
        let Self { link, task, _in_use, .. } = *self;
        match timeout(ABANDON, task.abandon()).await {
            Ok(Some(verdict)) => verdict,
            Ok(None) => link.lifetime.gone_in_time().await,
            Err(_) => {
                if matches!(link.location, Location::Remote(_)) {
                    // The other sessions of the share run elsewhere and are not interrupted.
                    link.mark_unverified();
                }
                Err(CloseError(format!("a session that was asked for has not come within {ABANDON:?}")))
            }
        }
    }
}

/// The task.
async fn open(
    link: Arc<BrowserHandle>,
    request: OpenRequest,
    budget: Budget,
    mut requester: Requester,
) -> Verdict {
    // A remote end does not know that this browser was closed.
    if link.lifetime.end().is_some() {
        requester.refuse(link.lifetime.lost().await);
        return Some(Ok(()));
    }
    if let Err(fault) = setup::offered(&request.setup, link.family) {
        requester.refuse(fault);
        return Some(Ok(()));
    }
    let asked = tokio::select! {
        asked = ask(&link, &request, budget, &mut requester) => asked,
        () = last_wait(&link) => return None,
    };
    let (opened, location) = match asked {
        Asked::Given(opened, location) => (opened, location),
        Asked::Refused(fault) => {
            requester.refuse(fault);
            return Some(Ok(()));
        }
        Asked::Late(verdict) => return verdict,
    };
    if let Some(endpoint) = location.endpoint() {
        link.opened(endpoint, &opened.session_id).await;
    }
    let session = match Session::attach(location.direct(), &opened).await {
        Ok(session) => Arc::new(session),
        Err(error) => {
            requester.refuse(error.into());
            return Some(end_detached(&link, &location, &opened).await);
        }
    };
    let process = process_id(&opened);
    let network = network_watch(&link, &location, process);
    let scripts = match (&location, link.family) {
        (Location::Local(_), Family::Chromium) => ScriptWorld::Own,
        _ => ScriptWorld::Page,
    };
    let lease = Lease::new(&link, OpenSession { session: Arc::clone(&session), process, network, location });
    let tab = Tab::new(session, link.family, scripts, link.window);
    let prepared = tokio::select! {
        biased;
        prepared = setup::prepare(&tab, &request, budget) => prepared,
        () = requester.left() => return lease.end().await,
    };
    match prepared {
        Ok(()) => requester.give(Box::new(WebDriverContext::new(lease, tab))).await,
        Err(fault) => {
            requester.refuse(lease.explain(fault).await);
            lease.end().await
        }
    }
}

async fn ask(
    link: &BrowserHandle,
    request: &OpenRequest,
    budget: Budget,
    requester: &mut Requester,
) -> Asked {
    let capabilities = link.capabilities.capabilities(request.setup.proxy.as_ref());
    match &link.location {
        Location::Local(driver) => match driver.direct.open(&capabilities, LATE).await {
            Ok(opened) => Asked::Given(opened, Location::Local(driver.clone())),
            Err(error) => Asked::Refused(without_secrets(refused_local(error), &capabilities)),
        },
        Location::Remote(endpoints) => ask_remote(link, endpoints, &capabilities, budget, requester).await,
    }
}

/// Requests a session from one remote end after the other.
async fn ask_remote(
    link: &BrowserHandle,
    endpoints: &Endpoints,
    capabilities: &Map<String, Value>,
    budget: Budget,
    requester: &mut Requester,
) -> Asked {
    let mut refusal: Option<Fault> = None;
    for endpoint in endpoints.in_order() {
        let (counted, trial) = (endpoint.session(), endpoint.trial());
        let mut asking = pin!(endpoint.direct.open(capabilities, LATE));
        let answer = tokio::select! {
            answer = &mut asking => answer,
            () = requester.left() => {
                // No session in time; a caller that left early is no evidence about the remote end.
                if budget.left() < MOMENT {
                    trial.tell(Some(&Fault::transient(FailureClass::Overload, "no session in time")));
                } else {
                    drop(trial);
                }
                // The caller has left, so the session does not count at its remote end; it will be deleted.
                drop(counted);
                return Asked::Late(late(link, &endpoint, asking.await).await);
            }
        };
        let refused = |error| without_secrets(refused_remote(&endpoint, &error), capabilities);
        let answer = answer.map_err(refused);
        trial.tell(answer.as_ref().err());
        match answer {
            Ok(opened) => return Asked::Given(opened, Location::Remote(counted)),
            // Prefer a transient refusal over a persistent one: another try may succeed.
            Err(fault) => refusal = Some(refusal.filter(is_transient).unwrap_or(fault)),
        }
    }
    Asked::Refused(refusal.unwrap_or_else(|| endpoints.nobody()))
}

/// Deletes a session that arrived after the caller had left.
async fn late(link: &BrowserHandle, endpoint: &Arc<Endpoint>, answer: Result<Opened, CallError>) -> Verdict {
    match answer {
        Ok(opened) => {
            link.opened(endpoint, &opened.session_id).await;
            let ended = ending::end_remote(link, endpoint, &opened.session_id, DELETION).await;
            if let Err(error) = &ended {
                tracing::warn!(%error, "a session that came late was left");
            }
            Some(ended)
        }
        Err(CallError::Timeout { .. }) => Some(Err(CloseError(format!("{} never answered", endpoint.label)))),
        Err(_) => Some(Ok(())),
    }
}

/// Ends a session to which no connection could be made.
async fn end_detached(
    link: &BrowserHandle,
    location: &SessionLocation,
    opened: &Opened,
) -> Result<(), CloseError> {
    let id = &opened.session_id;
    match location {
        Location::Local(driver) => {
            driver.direct.delete(id, DELETION).await.map_err(|error| CloseError(error.to_string()))
        }
        Location::Remote(count) => ending::end_remote(link, &count.0, id, DELETION).await,
    }
}

/// Completes when a browser that is being closed stops waiting for a requested session.
async fn last_wait(link: &BrowserHandle) {
    link.supervisor.cancelled().await;
    // On this machine the session ends with the process tree.
    let Location::Remote(endpoints) = &link.location else { return };
    while !endpoints.has_no_shares() {
        sleep(LOOK).await;
    }
    sleep(LAST_WAIT).await;
}

fn no_session(location: &Location<Arc<Endpoints>>, budget: Duration) -> Fault {
    match location {
        Location::Local(_) => {
            Fault::transient(FailureClass::Timeout, format!("no session within {budget:?}"))
        }
        Location::Remote(endpoints) => {
            let message = format!("{} gave no session within {budget:?}", endpoints.labels());
            Fault::transient(FailureClass::Overload, message)
        }
    }
}

/// Why a local driver gave no session.
fn refused_local(error: CallError) -> Fault {
    match error {
        // The answer never came: the driver or its browser hangs. Or the driver names no cause: the browser ended
        // during its start.
        CallError::Timeout { .. } | CallError::Refused { code: Code::Other, .. } => {
            Fault::transient(FailureClass::BrowserCrash, error.to_string())
        }
        error => error.into(),
    }
}

/// A refusal may repeat the capabilities that were requested.
fn without_secrets(mut fault: Fault, capabilities: &Map<String, Value>) -> Fault {
    fault.message = Secrets::of_table(capabilities).hide(&fault.message);
    fault
}

/// Why a remote end gave no session.
fn refused_remote(endpoint: &Endpoint, error: &CallError) -> Fault {
    let message = format!("{}: {error}", endpoint.label);
    match error {
        CallError::Refused { code: Code::SessionNotCreated, .. } if !endpoint.offers() => Fault::persistent(
            FailureClass::Unsupported,
            format!("{message}; it has no slot for this browser"),
        ),
        CallError::Refused { code: Code::InvalidArgument, .. } => {
            Fault::persistent(FailureClass::Unsupported, message)
        }
        // A full or slow queue, a node that failed to start a browser, or a page from a proxy in between: the protocol
        // does not report more, and each may be gone at the next try.
        CallError::Refused { .. } | CallError::NotWebDriver { .. } | CallError::Timeout { .. } => {
            Fault::transient(FailureClass::Overload, message)
        }
        CallError::Broken { .. } | CallError::TooLarge { .. } => {
            Fault::transient(FailureClass::BrowserCrash, message)
        }
    }
}

fn is_transient(fault: &Fault) -> bool {
    fault.recurrence == Recurrence::Transient
}
