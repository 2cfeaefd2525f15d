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
use plimsoll_core::port::{BrowserEnd, CloseError, Context, Incidents, OpenRequest, StepOutput};
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::Step;
use plimsoll_host::tree::ProcessTree;
use serde_json::{Map, Value};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::call::{CallError, Code};
use crate::direct::{Direct, Opened};
use crate::ending;
use crate::endpoint::{Counted, Endpoint};
use crate::endpoints::Endpoints;
use crate::link::{Home, Link, Using};
use crate::navigation::{self, Arrival};
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
const FAREWELL: Duration = Duration::from_secs(5);
/// How long the news of a session that is gone may take to become the news of how its browser ended.
const NEWS: Duration = Duration::from_millis(500);
/// Between two looks at a process.
const LOOK: Duration = Duration::from_millis(25);
/// How long a remote session may take to say that it is still there, where a step failed before its time was up.
const SIGN: Duration = Duration::from_secs(1);
/// How long, where its time is up already: long enough for a grid that knows of the loss.
const LATE_SIGN: Duration = Duration::from_millis(200);

/// A session with one window.
#[derive(Debug)]
pub(crate) struct WebDriverContext {
    lease: Lease,
    tab: Tab,
    arrival: Arrival,
    /// Why the session is of no use any more.
    lost: Option<Fault>,
}

/// A session at its remote end. Dropping it deletes it.
#[derive(Debug)]
struct Lease {
    link: Arc<Link>,
    /// `None` when it is gone, or being deleted.
    held: Option<Held>,
    _using: Using,
}

/// What there is of an open session.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) session: Arc<Session>,
    /// The number of its browser's process, as the driver tells it.
    pub(crate) process: Option<i32>,
    pub(crate) seat: Seat,
}

/// Where a session is.
#[derive(Debug)]
pub(crate) enum Seat {
    /// In this process tree, whose driver is asked so.
    Here(Arc<ProcessTree>, Arc<Direct>),
    /// At this remote end, where it counts.
    There(Counted),
}

/// An answer to the request for a session.
type Answer = Result<(Opened, Seat), Fault>;

impl WebDriverContext {
    /// Opens a session, sets it up, and gives it to whoever waits. Run by an owned task: what nobody waits for any
    /// more is deleted.
    pub(crate) async fn open(
        link: Arc<Link>,
        request: OpenRequest,
        budget: Duration,
        mut give: oneshot::Sender<Result<Box<dyn Context>, Fault>>,
    ) {
        let budget = Budget::start(budget);
        let capabilities = link.demand.capabilities(request.setup.proxy.as_ref());
        let farewell = async {
            link.supervisor.cancelled().await;
            sleep(if matches!(link.home, Home::Here(..)) { Duration::ZERO } else { FAREWELL }).await;
        };
        let asking = async {
            match &link.home {
                Home::Here(tree, driver) => {
                    let seat = Seat::Here(Arc::clone(tree), Arc::clone(driver));
                    let opened = driver.open(&capabilities, LATE).await;
                    Some(opened.map(|opened| (opened, seat)).map_err(refused_here))
                }
                Home::There(endpoints) => ask(&link, endpoints, &capabilities, budget, &mut give).await,
            }
        };
        let answer = tokio::select! {
            answer = asking => answer,
            () = farewell => None,
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
        link: &Arc<Link>,
        opened: &Opened,
        seat: Seat,
        request: &OpenRequest,
        budget: Budget,
    ) -> Result<Self, Fault> {
        let using = link.using();
        if let Some(endpoint) = seat.endpoint() {
            link.opened(endpoint, &opened.session_id).await;
        }
        let session = Arc::new(Session::attach(seat.direct(), opened).await?);
        let held = Held { session: Arc::clone(&session), process: process(opened), seat };
        let lease = Lease { link: Arc::clone(link), held: Some(held), _using: using };
        let tab = Tab::new(session, link.family, link.window);
        match setup::prepare(&tab, request, budget).await {
            Ok(()) => Ok(Self { lease, tab, arrival: Arrival::First, lost: None }),
            Err(fault) => Err(lease.explain(fault).await),
        }
    }

    async fn carry_out(&mut self, step: &Step, budget: Duration) -> Result<StepOutput, Fault> {
        let goto = match step {
            Step::Goto(goto) => goto,
            Step::Upload(_) if matches!(self.lease.link.home, Home::There(_)) => {
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
    link: &Link,
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
            Ok(opened) => return Some(Ok((opened, Seat::There(counted)))),
            // What passes says more than what stays: another try may go well.
            Err(fault) => refusal = Some(refusal.filter(is_transient).unwrap_or(fault)),
        }
    }
    Some(Err(refusal.unwrap_or_else(|| endpoints.nobody())))
}

/// Deletes a session that came when nobody waited for it any more.
async fn late(link: &Link, endpoint: &Arc<Endpoint>, answer: Result<Opened, CallError>) {
    let Ok(opened) = answer else { return };
    link.opened(endpoint, &opened.session_id).await;
    if let Err(error) = ending::end_there(link, endpoint, &opened.session_id, ending::DELETION).await {
        tracing::warn!(%error, "a session that came late was left");
    }
}

/// The process of a session's browser, as its driver tells it.
fn process(opened: &Opened) -> Option<i32> {
    let told =
        opened.capabilities.get("goog:processID").or_else(|| opened.capabilities.get("moz:processID"))?;
    told.as_i64().and_then(|pid| i32::try_from(pid).ok())
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
        CallError::Refused { .. } | CallError::Gibberish { .. } | CallError::Timeout { .. } => {
            Fault::transient(FailureClass::Overload, message)
        }
        CallError::Broken { .. } => Fault::transient(FailureClass::BrowserCrash, message),
    }
}

fn is_transient(fault: &Fault) -> bool {
    fault.recurrence == Recurrence::Transient
}

/// What a browser's end means for a job.
pub(crate) fn ended(end: &BrowserEnd) -> Fault {
    Fault::transient(FailureClass::BrowserCrash, end.to_string())
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
            end = link.ended() => Err(ended(&end)),
            fault = cut_off(endpoint.as_deref()) => Err(fault),
            done = self.carry_out(step, budget) => done,
        };
        let Err(fault) = done else { return done };
        let fault = match fault.class {
            FailureClass::BrowserCrash => match timeout(NEWS, link.ended()).await {
                Ok(end) => ended(&end),
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
            Err(_) => ending::demise(&link).await,
        }
    }
}

impl Lease {
    fn endpoint(&self) -> Option<&Arc<Endpoint>> {
        self.held.as_ref().and_then(|held| held.seat.endpoint())
    }

    /// The truth about a failure of which the remote end names no cause: geckodriver knows only that its browser has not
    /// answered, and a grid only that a node has not.
    async fn explain(&self, fault: Fault) -> Fault {
        let Some(held) = &self.held else { return fault };
        let is_vague = fault.class == FailureClass::Script && is_transient(&fault);
        let is_silent = fault.class == FailureClass::Timeout && held.session.is_busy();
        let crash =
            |why: String| Fault::transient(FailureClass::BrowserCrash, format!("{why}: {}", fault.message));
        match (&held.seat, held.process) {
            // If the browser's process is gone, or goes in a moment, that is why.
            (Seat::Here(tree, _), Some(process)) if is_vague => {
                let ending = async {
                    while tree.lives(process) {
                        sleep(LOOK).await;
                    }
                };
                match timeout(NEWS, ending).await {
                    Ok(()) => crash(format!("the browser's process {process} ended")),
                    Err(_) => fault,
                }
            }
            // If nobody answers for the session, its node is gone.
            (Seat::There(counted), _) if is_vague || is_silent => {
                let patience = if is_vague { SIGN } else { LATE_SIGN };
                match counted.0.direct.probe(held.session.id(), patience).await {
                    Ok(()) => fault,
                    // A page whose script never ends keeps its session as silent.
                    Err(CallError::Timeout { .. }) if !is_vague => fault,
                    Err(error) => crash(format!("the session does not answer ({error})")),
                }
            }
            _ => fault,
        }
    }
}

impl Seat {
    /// Its remote end, unless it is here.
    pub(crate) const fn endpoint(&self) -> Option<&Arc<Endpoint>> {
        match self {
            Self::Here(..) => None,
            Self::There(counted) => Some(&counted.0),
        }
    }

    /// Requests beside those of the session.
    fn direct(&self) -> &Direct {
        match self {
            Self::Here(_, driver) => driver,
            Self::There(counted) => &counted.0.direct,
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

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(held) = self.held.take() else { return };
        let link = Arc::clone(&self.link);
        drop(self.link.supervisor.spawn("end an abandoned session", async move {
            if let Err(error) = ending::end(&link, held).await {
                tracing::warn!(%error, "an abandoned session was left");
            }
        }));
    }
}
