//! One isolated context with one page. One attempt uses it, and its removal is verified.
//!
//! ```text
//!   (`opening`) ─► goto: asks how far the page is ─► steps
//!   disposeBrowserContext, answered ─► gone           (a browser that ended: gone when its process tree is)
//! ```
//!
//! A [`Lease`] disposes of the context when it is dropped, so a context that is dropped without a close is removed too.
//! The caller does not get the verdict of such a disposal; the attempt closes every context and gets its verdict.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chromiumoxide_cdp::cdp::browser_protocol::browser::BrowserContextId;
use chromiumoxide_cdp::cdp::browser_protocol::target::{
    DisposeBrowserContextParams, GetBrowserContextsParams,
};
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::perform::perform;
use plimsoll_core::port::{CloseError, Context, Incidents, StepOutput};
use plimsoll_core::step::Step;
use tokio::time::timeout;

use crate::handle::BrowserHandle;
use crate::page::Page;
use crate::page_events::{Loss, PageEvents};
use crate::step::{StepPage, UnderWay};
use crate::transport::CallError;

/// The longest time that a browser may take to dispose of a context. Measured: 3 to 13 ms, also with a page that never
/// stops computing; the rest is a reserve for an overloaded machine.
pub(crate) const DISPOSAL: Duration = Duration::from_secs(10);
/// The time after which a disposal is late.
const LATE: Duration = Duration::from_secs(2);
/// The longest wait, after the connection has broken, for the reason of the browser's end.
const NEWS: Duration = Duration::from_secs(3);
/// The longest wait, after a page has closed, for the end of its browser.
const LAST_PAGE: Duration = Duration::from_millis(250);

/// An isolated context with one page.
#[derive(Debug)]
pub(crate) struct CdpContext {
    lease: Lease,
    page: Page,
    events: PageEvents,
    popups: Arc<AtomicU32>,
    /// The state that the page was created with, until its first step.
    under_way: Option<UnderWay>,
    /// The reason why the page cannot be used any more.
    lost: Option<Fault>,
}

/// The page of a context: attached, set up, and running.
#[derive(Debug)]
pub(crate) struct AttachedPage {
    pub(crate) page: Page,
    pub(crate) events: PageEvents,
    /// Counts the popups of the context.
    pub(crate) popups: Arc<AtomicU32>,
    pub(crate) under_way: UnderWay,
}

/// A context in the browser. Dropping it disposes of it.
#[derive(Debug)]
pub(crate) struct Lease {
    link: Arc<BrowserHandle>,
    /// `None` when the context is gone.
    context: Option<BrowserContextId>,
}

impl CdpContext {
    /// The context of `lease` with its page.
    pub(crate) fn new(lease: Lease, attached: AttachedPage) -> Self {
        let AttachedPage { page, events, popups, under_way } = attached;
        Self { lease, page, events, popups, under_way: Some(under_way), lost: None }
    }

    /// The fault that a loss means for the job.
    async fn fault(&self, loss: Loss) -> Fault {
        match loss {
            Loss::Crashed => Fault::transient(FailureClass::PageCrash, "the page's renderer process died"),
            // A browser that ends closes its pages. Without such an end the page closed itself, and would do so again.
            Loss::Closed => match timeout(LAST_PAGE, self.lease.link.lifetime.lost()).await {
                Ok(fault) => fault,
                Err(_) => Fault::persistent(FailureClass::Script, "the page closed itself"),
            },
            Loss::Disconnected => match timeout(NEWS, self.lease.link.lifetime.lost()).await {
                Ok(fault) => fault,
                Err(_) => Fault::transient(FailureClass::BrowserCrash, "the connection to the browser broke"),
            },
        }
    }
}

#[async_trait]
impl Context for CdpContext {
    async fn perform(&mut self, step: &Step, budget: Duration) -> Result<StepOutput, Fault> {
        if let Some(fault) = &self.lost {
            return Err(fault.clone());
        }
        let network = match &self.under_way {
            Some(under_way) => under_way.network.clone(),
            None => self.lease.link.network.next_end(),
        };
        let navigates = matches!(step, Step::Goto(_));
        let mut page = StepPage { page: &self.page, events: &self.events, under_way: self.under_way.take() };
        let fault = tokio::select! {
            // The loss comes first: a call that fails because of it carries less information.
            biased;
            loss = self.events.watch(self.page.session()) => self.fault(loss).await,
            fault = self.lease.link.lifetime.lost() => fault,
            fault = network.fault(), if navigates => fault,
            done = perform(&mut page, step, budget) => return match done {
                Err(fault) if navigates => Err(network.explain(fault).await),
                done => done,
            },
        };
        self.lost = Some(fault.clone());
        Err(fault)
    }

    fn incidents(&self) -> Incidents {
        Incidents {
            dialogs: self.events.dialogs(),
            popups: self.popups.load(Ordering::Relaxed),
            downloads: self.events.downloads(),
        }
    }

    async fn close(self: Box<Self>) -> Result<(), CloseError> {
        self.lease.dispose().await
    }
}

impl Lease {
    pub(crate) const fn new(link: Arc<BrowserHandle>, context: BrowserContextId) -> Self {
        Self { link, context: Some(context) }
    }

    /// Disposes of the context and verifies that it is gone.
    pub(crate) async fn dispose(mut self) -> Result<(), CloseError> {
        let Some(context) = self.context.clone() else { return Ok(()) };
        let verdict = dispose(&self.link, context).await;
        // The caller gets the verdict. A second try on drop would not change it.
        self.context = None;
        verdict
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(context) = self.context.take() else { return };
        let link = Arc::clone(&self.link);
        let name = "dispose of an abandoned context";
        drop(self.link.supervisor.spawn(name, async move {
            if let Err(error) = dispose(&link, context).await {
                tracing::warn!(%error, "an abandoned context was left in its browser");
            }
        }));
    }
}

/// Ends a context and verifies that it is gone.
async fn dispose(link: &BrowserHandle, context: BrowserContextId) -> Result<(), CloseError> {
    let verdict = tokio::select! {
        biased;
        _ = link.lifetime.ended() => link.lifetime.gone_in_time().await,
        disposed = disposal(link, &context) => match disposed {
            Ok(()) => Ok(()),
            Err(CallError::Disconnected { .. }) => link.lifetime.gone_in_time().await,
            Err(CallError::Protocol { .. }) => verify_absent(link, &context).await,
            Err(error) => Err(CloseError(error.to_string())),
        },
    };
    link.targets.forget(context.as_ref());
    verdict
}

/// Asks the browser to dispose of a context. A browser that is late because the many threads of a page have taken the
/// processors loses that page's renderer, and no other.
async fn disposal(link: &BrowserHandle, context: &BrowserContextId) -> Result<(), CallError> {
    let call = link.root.call(DisposeBrowserContextParams::new(context.clone()), DISPOSAL);
    let mut call = pin!(call);
    loop {
        // The call has a deadline of its own.
        if let Ok(disposed) = timeout(LATE, &mut call).await {
            return disposed.map(drop);
        }
        link.kill_crowded_renderer().await;
    }
}

/// Called when the browser refused to dispose of a context: most likely it has no context with this id.
async fn verify_absent(link: &BrowserHandle, context: &BrowserContextId) -> Result<(), CloseError> {
    match link.root.call(GetBrowserContextsParams::default(), DISPOSAL).await {
        Ok(answer) if !answer.browser_context_ids.contains(context) => Ok(()),
        Ok(_) => Err(CloseError("the browser refused to dispose of a context".to_owned())),
        Err(error) => Err(CloseError(error.to_string())),
    }
}
