//! One session: opened, used by one attempt, verified gone.
//!
//! ```text
//!   POST /session ─► written down ─► setup ─► steps ─► DELETE /session, answered ─► gone
//!                        (of a driver here that does not answer: its browser is killed)
//! ```
//!
//! A [`Lease`] deletes the session when it is dropped, so neither an error half-way nor a caller who left leaves one
//! behind. Deleting is an owned task: a caller who leaves does not stop it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::outcome::{FailureClass, Fault, Recurrence};
use plimsoll_core::port::{BrowserEnd, CloseError, Context, Incidents, OpenRequest, StepOutput};
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::Step;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::browser::{Home, Link};
use crate::call::{CallError, Code};
use crate::direct::Opened;
use crate::ending;
use crate::endpoint::Counted;
use crate::journal::Entry;
use crate::navigation::{self, Arrival};
use crate::session::Session;
use crate::setup;
use crate::step;
use crate::tab::Tab;

/// How long a session that was asked for may take to arrive, whoever still waits for it: a grid lets requests queue
/// for five minutes, and answers late at times.
const LATE: Duration = Duration::from_secs(600);
/// How long one is waited for when its browser is being closed.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long the news of a session that is gone may take to become the news of how its browser ended.
const NEWS: Duration = Duration::from_millis(500);
/// Between two looks at a process.
const LOOK: Duration = Duration::from_millis(25);

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
}

/// What there is of an open session.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) session: Arc<Session>,
    /// The number of its browser's process, as the driver tells it.
    pub(crate) process: Option<i32>,
    /// Where it is written down.
    pub(crate) entry: Option<Entry>,
    /// Counts it among ours.
    pub(crate) _counted: Option<Counted>,
}

impl WebDriverContext {
    /// Opens a session, sets it up, and gives it to whoever waits. Run by an owned task: what nobody waits for any
    /// more is deleted.
    pub(crate) async fn open(
        link: Arc<Link>,
        request: OpenRequest,
        budget: Duration,
        give: oneshot::Sender<Result<Box<dyn Context>, Fault>>,
    ) {
        let budget = Budget::start(budget);
        let (counted, trial) = match &link.home {
            Home::Here(_) => (None, None),
            Home::There(endpoint, _) => (Some(endpoint.session()), Some(endpoint.trial())),
        };
        let capabilities = link.demand.capabilities(request.setup.proxy.as_ref());
        let farewell = async {
            link.supervisor.cancelled().await;
            sleep(if counted.is_some() { FAREWELL } else { Duration::ZERO }).await;
        };
        let opened = tokio::select! {
            opened = link.direct().open(&capabilities, LATE) => opened,
            () = farewell => return,
        };
        let opened = opened.map_err(|error| refused(&link, error));
        if let Some(trial) = trial {
            trial.tell(opened.as_ref().err());
        }
        let made = match opened {
            Ok(opened) => Self::make(&link, &opened, counted, &request, budget).await,
            Err(fault) => Err(fault),
        };
        // If nobody waits any more, dropping what was made deletes it.
        drop(give.send(made.map(|context| Box::new(context) as Box<dyn Context>)));
    }

    async fn make(
        link: &Arc<Link>,
        opened: &Opened,
        counted: Option<Counted>,
        request: &OpenRequest,
        budget: Budget,
    ) -> Result<Self, Fault> {
        link.opened(&opened.session_id);
        let entry = match &link.home {
            Home::Here(_) => None,
            Home::There(endpoint, journal) => journal.enter(&endpoint.label, &opened.session_id).await,
        };
        let session = Arc::new(Session::attach(&link.base, opened).await?);
        let held = Held { session: Arc::clone(&session), process: process(opened), entry, _counted: counted };
        let lease = Lease { link: Arc::clone(link), held: Some(held) };
        let tab = Tab::new(session, link.family, link.window);
        match setup::prepare(&tab, request, budget).await {
            Ok(()) => Ok(Self { lease, tab, arrival: Arrival::First, lost: None }),
            Err(fault) => Err(lease.explain(fault).await),
        }
    }

    async fn carry_out(&mut self, step: &Step, budget: Duration) -> Result<StepOutput, Fault> {
        let goto = match step {
            Step::Goto(goto) => goto,
            Step::Upload(_) if matches!(self.lease.link.home, Home::There(..)) => {
                let message = "a remote browser reads no file of this machine";
                return Err(Fault::persistent(FailureClass::Unsupported, message));
            }
            step => return step::perform(&self.tab, step, budget).await,
        };
        let arrival = std::mem::replace(&mut self.arrival, Arrival::Later);
        navigation::goto(&self.tab, goto, arrival, budget).await.map(StepOutput::Page)
    }
}

/// The process of a session's browser, as its driver tells it.
fn process(opened: &Opened) -> Option<i32> {
    let told =
        opened.capabilities.get("goog:processID").or_else(|| opened.capabilities.get("moz:processID"))?;
    told.as_i64().and_then(|pid| i32::try_from(pid).ok())
}

/// Why there is no session.
fn refused(link: &Link, error: CallError) -> Fault {
    let Home::There(endpoint, _) = &link.home else {
        return match error {
            // Its answer never came: the driver or the browser it starts hangs. Or it names no cause: the browser ended
            // while it was started.
            CallError::Timeout { .. } | CallError::Refused { code: Code::Other, .. } => {
                Fault::transient(FailureClass::BrowserCrash, error.to_string())
            }
            error => error.into(),
        };
    };
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
        let link = Arc::clone(&self.lease.link);
        let done = tokio::select! {
            biased;
            // A call that fails because the browser is gone would say less about it.
            end = link.ended() => Err(ended(&end)),
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
    /// The truth about a failure of which the driver names no cause: geckodriver knows only that its browser has not
    /// answered. If the browser's process is gone, or goes in a moment, that is why.
    async fn explain(&self, fault: Fault) -> Fault {
        let vague = fault.class == FailureClass::Script && fault.recurrence == Recurrence::Transient;
        let process = self.held.as_ref().and_then(|held| held.process);
        let (Home::Here(tree), Some(process), true) = (&self.link.home, process, vague) else { return fault };
        let ending = async {
            while tree.lives(process) {
                sleep(LOOK).await;
            }
        };
        match timeout(NEWS, ending).await {
            Ok(()) => {
                let message = format!("the browser's process {process} ended: {}", fault.message);
                Fault::transient(FailureClass::BrowserCrash, message)
            }
            Err(_) => fault,
        }
    }
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
