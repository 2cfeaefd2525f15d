//! One session: opened, used by one attempt, verified gone.
//!
//! ```text
//!   POST /session ─► written down ─► setup ─► steps ─► DELETE /session, answered ─► gone
//!                        (of a driver here that does not answer: its browser is killed)
//! ```
//!
//! A [`Lease`] deletes the session when it is dropped, so neither an error half-way nor a caller who left leaves one
//! behind. Deleting is an owned task: a caller who leaves does not stop it.
//!
//! Remote ends are asked one after the other: one that refuses hands the request on to the next. One that says nothing
//! until the caller's time is up is asked no further, and what it gives later is deleted.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::outcome::{FailureClass, Fault, Recurrence};
use plimsoll_core::port::{CloseError, Context, Incidents, OpenRequest, StepOutput};
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::Step;
use serde_json::{Map, Value};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::call::{CallError, Code};
use crate::direct::Opened;
use crate::ending;
use crate::endpoint::Endpoint;
use crate::endpoints::Endpoints;
use crate::handle::BrowserHandle;
use crate::lease::Lease;
use crate::location::Location;
use crate::navigation::{self, Arrival};
use crate::open_session::{OpenSession, SessionLocation, process_id};
use crate::session::Session;
use crate::setup;
use crate::step;
use crate::tab::Tab;

/// How long a session that was asked for may take to arrive, whoever still waits for it: a grid lets requests queue
/// for five minutes, and answers late at times.
const LATE: Duration = Duration::from_secs(600);
/// A caller who leaves with less than this left has waited for all of its time: clocks that were started one after the other
/// do not end together.
const MOMENT: Duration = Duration::from_millis(50);
/// How long one is waited for when its browser is being closed.
const SHUTDOWN: Duration = Duration::from_secs(5);
/// How long the news of a session that is gone may take to become the news of how its browser ended.
const NEWS: Duration = Duration::from_millis(500);

/// A session with one window.
#[derive(Debug)]
pub(crate) struct WebDriverContext {
    lease: Lease,
    tab: Tab,
    arrival: Arrival,
    /// Why the session is of no use any more.
    lost: Option<Fault>,
}

/// An answer to the request for a session.
type Answer = Result<(Opened, SessionLocation), Fault>;

impl WebDriverContext {
    /// Opens a session, sets it up, and gives it to whoever waits. Run by an owned task: what nobody waits for any
    /// more is deleted.
    pub(crate) async fn open(
        link: Arc<BrowserHandle>,
        request: OpenRequest,
        budget: Duration,
        mut give: oneshot::Sender<Result<Box<dyn Context>, Fault>>,
    ) {
        let budget = Budget::start(budget);
        let capabilities = link.capabilities.capabilities(request.setup.proxy.as_ref());
        let shutdown = async {
            link.supervisor.cancelled().await;
            sleep(if matches!(link.location, Location::Local(_)) { Duration::ZERO } else { SHUTDOWN }).await;
        };
        let asking = async {
            match &link.location {
                Location::Local(driver) => {
                    let seat = Location::Local(driver.clone());
                    let opened = driver.direct.open(&capabilities, LATE).await;
                    Some(opened.map(|opened| (opened, seat)).map_err(refused_here))
                }
                Location::Remote(endpoints) => ask(&link, endpoints, &capabilities, budget, &mut give).await,
            }
        };
        let answer = tokio::select! {
            answer = asking => answer,
            () = shutdown => None,
        };
        let made = match answer {
            None => return,
            Some(Ok((opened, seat))) => Self::make(&link, &opened, seat, &request, budget).await,
            Some(Err(fault)) => Err(fault),
        };
        // If nobody waits any more, dropping what was made deletes it.
        drop(give.send(made.map(|context| Box::new(context) as Box<dyn Context>)));
    }

    async fn make(
        link: &Arc<BrowserHandle>,
        opened: &Opened,
        seat: SessionLocation,
        request: &OpenRequest,
        budget: Budget,
    ) -> Result<Self, Fault> {
        let in_use = link.in_use();
        if let Some(endpoint) = seat.endpoint() {
            link.opened(endpoint, &opened.session_id).await;
        }
        let session = Arc::new(Session::attach(seat.direct(), opened).await?);
        let held = OpenSession { session: Arc::clone(&session), process: process_id(opened), location: seat };
        let lease = Lease { link: Arc::clone(link), held: Some(held), _in_use: in_use };
        let tab = Tab::new(session, link.family, link.window);
        match setup::prepare(&tab, request, budget).await {
            Ok(()) => Ok(Self { lease, tab, arrival: Arrival::First, lost: None }),
            Err(fault) => Err(lease.explain(fault).await),
        }
    }

    async fn carry_out(&mut self, step: &Step, budget: Duration) -> Result<StepOutput, Fault> {
        let goto = match step {
            Step::Goto(goto) => goto,
            Step::Upload(_) if matches!(self.lease.link.location, Location::Remote(_)) => {
                let message = "a remote browser reads no file of this machine";
                return Err(Fault::persistent(FailureClass::Unsupported, message));
            }
            step => return step::perform(&self.tab, step, budget).await,
        };
        let arrival = std::mem::replace(&mut self.arrival, Arrival::Later);
        navigation::goto(&self.tab, goto, arrival, budget).await.map(StepOutput::Page)
    }
}

/// Asks one remote end after the other. `None` when nobody waits any more.
async fn ask(
    link: &BrowserHandle,
    endpoints: &Endpoints,
    capabilities: &Map<String, Value>,
    budget: Budget,
    give: &mut oneshot::Sender<Result<Box<dyn Context>, Fault>>,
) -> Option<Answer> {
    let mut refusal: Option<Fault> = None;
    for endpoint in endpoints.in_order() {
        let (counted, trial) = (endpoint.session(), endpoint.trial());
        let mut asking = pin!(endpoint.direct.open(capabilities, LATE));
        let answer = tokio::select! {
            answer = &mut asking => answer,
            () = give.closed() => {
                // It gave nothing in time; or the caller did not want to wait so long, which says nothing of it.
                if budget.left() < MOMENT {
                    trial.tell(Some(&Fault::transient(FailureClass::Overload, "no session in time")));
                } else {
                    drop(trial);
                }
                // Nobody waits for it, so it is none of ours; it will be deleted.
                drop(counted);
                late(link, &endpoint, asking.await).await;
                return None;
            }
        };
        let answer = answer.map_err(|error| refused_there(&endpoint, &error));
        trial.tell(answer.as_ref().err());
        match answer {
            Ok(opened) => return Some(Ok((opened, Location::Remote(counted)))),
            // What passes says more than what stays: another try may go well.
            Err(fault) => refusal = Some(refusal.filter(is_transient).unwrap_or(fault)),
        }
    }
    Some(Err(refusal.unwrap_or_else(|| endpoints.nobody())))
}

/// Deletes a session that came when nobody waited for it any more.
async fn late(link: &BrowserHandle, endpoint: &Arc<Endpoint>, answer: Result<Opened, CallError>) {
    let Ok(opened) = answer else { return };
    link.opened(endpoint, &opened.session_id).await;
    if let Err(error) = ending::end_remote(link, endpoint, &opened.session_id, ending::DELETION).await {
        tracing::warn!(%error, "a session that came late was left");
    }
}

/// Why a driver of ours gave no session.
fn refused_here(error: CallError) -> Fault {
    match error {
        // Its answer never came: the driver or the browser it starts hangs. Or it names no cause: the browser ended
        // while it was started.
        CallError::Timeout { .. } | CallError::Refused { code: Code::Other, .. } => {
            Fault::transient(FailureClass::BrowserCrash, error.to_string())
        }
        error => error.into(),
    }
}

/// Why a remote end gave no session.
fn refused_there(endpoint: &Endpoint, error: &CallError) -> Fault {
    let message = format!("{}: {error}", endpoint.label);
    match error {
        CallError::Refused { code: Code::SessionNotCreated, .. } if !endpoint.offers() => Fault::persistent(
            FailureClass::Unsupported,
            format!("{message}; it has no slot for this browser"),
        ),
        CallError::Refused { code: Code::InvalidArgument, .. } => {
            Fault::persistent(FailureClass::Unsupported, message)
        }
        // A queue that was full or too slow, a node that failed to start a browser, a proxy's page in between: the
        // protocol tells no more, and each may be gone the next time.
        CallError::Refused { .. } | CallError::NotWebDriver { .. } | CallError::Timeout { .. } => {
            Fault::transient(FailureClass::Overload, message)
        }
        CallError::Broken { .. } => Fault::transient(FailureClass::BrowserCrash, message),
    }
}

fn is_transient(fault: &Fault) -> bool {
    fault.recurrence == Recurrence::Transient
}

#[async_trait]
impl Context for WebDriverContext {
    async fn perform(&mut self, step: &Step, budget: Duration) -> Result<StepOutput, Fault> {
        if let Some(fault) = &self.lost {
            return Err(fault.clone());
        }
        let (link, endpoint) = (Arc::clone(&self.lease.link), self.lease.endpoint().cloned());
        let done = tokio::select! {
            biased;
            // A call that fails because the browser is gone would say less about it.
            fault = link.lifetime.lost() => Err(fault),
            fault = cut_off(endpoint.as_deref()) => Err(fault),
            done = self.carry_out(step, budget) => done,
        };
        let Err(fault) = done else { return done };
        let fault = match fault.class {
            FailureClass::BrowserCrash => match timeout(NEWS, link.lifetime.lost()).await {
                Ok(lost) => lost,
                Err(_) => fault,
            },
            _ => self.lease.explain(fault).await,
        };
        if matches!(fault.class, FailureClass::BrowserCrash | FailureClass::PageCrash) {
            self.lost = Some(fault.clone());
        }
        Err(fault)
    }

    fn incidents(&self) -> Incidents {
        self.tab.incidents()
    }

    async fn close(mut self: Box<Self>) -> Result<(), CloseError> {
        let Some(held) = self.lease.held.take() else { return Ok(()) };
        let link = Arc::clone(&self.lease.link);
        let ending = link.supervisor.spawn("end session", {
            let link = Arc::clone(&link);
            async move { ending::end(&link, held).await }
        });
        match ending.await {
            Ok(verdict) => verdict,
            // The browser is being closed, and takes the session along.
            Err(_) => link.lifetime.gone_in_time().await,
        }
    }
}

/// Completes when a session's remote end is down.
async fn cut_off(endpoint: Option<&Endpoint>) -> Fault {
    let Some(endpoint) = endpoint else { return pending().await };
    let why = endpoint.down().await;
    let message = format!("{} does not answer: {why}", endpoint.label);
    Fault::transient(FailureClass::BrowserCrash, message)
}
