//! One session. One attempt uses it, and its deletion is verified.
//!
//! ```text
//!   (`opening`) ─► steps ─► DELETE /session, answered ─► gone
//!                        (of a driver here that does not answer: its browser is killed)
//! ```
//!
//! A [`Lease`] deletes the session when it is dropped, so a session that is dropped without a close is deleted too. The
//! deletion is an owned task: a caller that leaves does not stop it.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::{CloseError, Context, Incidents, StepOutput};
use plimsoll_core::step::Step;
use plimsoll_host::network_service::NetworkEnd;
use tokio::time::{sleep, timeout};

use crate::endpoint::Endpoint;
use crate::lease::Lease;
use crate::location::Location;
use crate::step;
use crate::tab::Tab;

/// The longest wait, after a session is gone, for the reason of its browser's end.
const NEWS: Duration = Duration::from_millis(500);

/// The time in which a navigation fails after the network service has ended.
const NETWORK_FAILURE: Duration = Duration::from_secs(1);

/// A session with one window.
#[derive(Debug)]
pub(crate) struct WebDriverContext {
    lease: Lease,
    tab: Tab,
    /// The reason why the session cannot be used any more.
    lost: Option<Fault>,
}

impl WebDriverContext {
    /// The context of `lease`, whose window is set up.
    pub(crate) const fn new(lease: Lease, tab: Tab) -> Self {
        Self { lease, tab, lost: None }
    }

    async fn carry_out(&mut self, step: &Step, budget: Duration) -> Result<StepOutput, Fault> {
        if matches!(step, Step::Upload(_)) && matches!(self.lease.link.location, Location::Remote(_)) {
            let message = "a remote browser reads no file of this machine";
            return Err(Fault::persistent(FailureClass::Unsupported, message));
        }
        step::perform(&mut self.tab, step, budget).await
    }
}

#[async_trait]
impl Context for WebDriverContext {
    async fn perform(&mut self, step: &Step, budget: Duration) -> Result<StepOutput, Fault> {
        if let Some(fault) = &self.lost {
            return Err(fault.clone());
        }
        let network = if matches!(step, Step::Goto(_)) { self.lease.network_end() } else { None };
        let (link, endpoint) = (Arc::clone(&self.lease.link), self.lease.endpoint().cloned());
        let done = tokio::select! {
            biased;
            // The end comes first: a call that fails because the browser is gone carries less information.
            fault = link.lifetime.lost() => Err(fault),
            fault = cut_off(endpoint.as_deref()) => Err(fault),
            fault = network_lost(network.as_ref()) => Err(fault),
            done = self.carry_out(step, budget) => done,
        };
        let Err(fault) = done else { return done };
        let fault = match fault.class {
            FailureClass::BrowserCrash => match timeout(NEWS, link.lifetime.lost()).await {
                Ok(lost) => lost,
                Err(_) => fault,
            },
            _ => {
                let fault = match &network {
                    Some(network) => network.explain(fault).await,
                    None => fault,
                };
                self.lease.explain(fault).await
            }
        };
        if matches!(fault.class, FailureClass::BrowserCrash | FailureClass::PageCrash) {
            self.lost = Some(fault.clone());
        }
        Err(fault)
    }

    fn incidents(&self) -> Incidents {
        self.tab.incidents()
    }

    async fn close(self: Box<Self>) -> Result<(), CloseError> {
        let link = Arc::clone(&self.lease.link);
        match self.lease.end().await {
            Some(verdict) => verdict,
            None => link.lifetime.gone_in_time().await,
        }
    }
}

/// Completes when the network service has ended and the navigation has not failed of it.
async fn network_lost(network: Option<&NetworkEnd>) -> Fault {
    let Some(network) = network else { return pending().await };
    let fault = network.fault().await;
    // Usually the command fails, which leaves the session able to end in order.
    sleep(NETWORK_FAILURE).await;
    fault
}

/// Completes when a session's remote end is down.
async fn cut_off(endpoint: Option<&Endpoint>) -> Fault {
    let Some(endpoint) = endpoint else { return pending().await };
    let why = endpoint.down().await;
    let message = format!("{} does not answer: {why}", endpoint.label);
    Fault::transient(FailureClass::BrowserCrash, message)
}
