//! One isolated context with one page: opened, used by one attempt, verified gone.
//!
//! ```text
//!   createBrowserContext ─► createTarget(url), paused ─► [Page.enable, setup, run] ─► goto: asks how far it is
//!                                                                                 └► steps
//!   disposeBrowserContext, answered ─► gone           (a browser that ended: gone when its process tree is)
//! ```
//!
//! The page is created with its address, which costs the browser less than a blank page that navigates, and held
//! until we are attached: nothing that happens in it is missed, and its setup is in place before its first request.
//! The commands of one stage go out together, without waiting for each other's replies.
//!
//! A [`Lease`] disposes of the context when it is dropped, so neither an error half-way nor a caller who left leaves
//! one behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chromiumoxide_cdp::cdp::browser_protocol::browser::{
    BrowserContextId, SetDownloadBehaviorBehavior, SetDownloadBehaviorParams,
};
use chromiumoxide_cdp::cdp::browser_protocol::page::EnableParams;
use chromiumoxide_cdp::cdp::browser_protocol::target::{
    CreateBrowserContextParams, CreateTargetParams, DisposeBrowserContextParams, GetBrowserContextsParams,
};
use chromiumoxide_cdp::cdp::js_protocol::runtime::RunIfWaitingForDebuggerParams;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::{CloseError, Context, Incidents, OpenRequest, StepOutput};
use plimsoll_core::proxy::Proxy;
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::{PageUrl, Step};
use tokio::time::timeout;

use crate::arrivals::Expectation;
use crate::guard::{self, Guard, Loss};
use crate::handle::BrowserHandle;
use crate::navigation::{self, Start};
use crate::page::Page;
use crate::setup::{self, Preparation};
use crate::step;
use crate::transport::CallError;

/// How long a browser may take to dispose of a context. Measured: 3 to 13 ms, with a page that never stops
/// computing too; the rest is for a machine that is overrun.
const DISPOSAL: Duration = Duration::from_secs(10);
/// How long the news of a broken connection may take to become the news of how the browser ended.
const NEWS: Duration = Duration::from_secs(3);
/// How long the news of a closed page may take to become the news of how its browser ended.
const LAST_PAGE: Duration = Duration::from_millis(250);

/// An isolated context with one page.
#[derive(Debug)]
pub(crate) struct CdpContext {
    lease: Lease,
    page: Page,
    guard: Guard,
    popups: Arc<AtomicU32>,
    /// What the page was created with, until its first step.
    under_way: Option<UnderWay>,
    /// Why the page is of no use any more.
    lost: Option<Fault>,
}

/// What a page was told before it ran.
#[derive(Debug)]
struct UnderWay {
    url: Option<PageUrl>,
    preparation: Preparation,
}

/// A context in the browser. Dropping it disposes of it.
#[derive(Debug)]
struct Lease {
    link: Arc<BrowserHandle>,
    /// `None` when it is gone.
    context: Option<BrowserContextId>,
}

impl CdpContext {
    /// Opens a context and its page, which begins to load. Run by an owned task.
    pub(crate) async fn open(
        link: Arc<BrowserHandle>,
        request: OpenRequest,
        budget: Duration,
    ) -> Result<Self, Fault> {
        let budget = Budget::start(budget);
        let OpenRequest { setup, first } = request;
        let url = first.map(|goto| goto.url);

        let root = &link.root;
        let proxy = setup.proxy.as_ref();
        let create = CreateBrowserContextParams {
            dispose_on_detach: Some(true),
            proxy_server: proxy.map(|proxy| proxy.server.to_string()),
            proxy_bypass_list: proxy.map(Proxy::chromium_bypass),
            ..Default::default()
        };
        let context = root.call(create, budget.left()).await?.browser_context_id;
        let lease = Lease { link: Arc::clone(&link), context: Some(context.clone()) };

        setup::store_cookies(root, &setup, &context, url.as_ref(), budget).await?;
        let Expectation { session, popups } = link.arrivals.expect(context.as_ref());
        let mut deny = SetDownloadBehaviorParams::new(SetDownloadBehaviorBehavior::Deny);
        deny.browser_context_id = Some(context.clone());
        let denied = root.start(deny, budget.left()).await?;
        let mut create = CreateTargetParams::new(url.as_ref().map_or("about:blank", PageUrl::as_str));
        create.browser_context_id = Some(context);
        let created = root.start(create, budget.left()).await?;
        denied.reply().await?;
        let target = created.reply().await?.target_id;
        let session = timeout(budget.left(), session).await;
        let Ok(Ok(session)) = session else {
            let message = format!("the browser did not attach to a new page within {:?}", budget.whole());
            return Err(Fault::transient(FailureClass::Timeout, message));
        };

        let page = Page::new(link.connection().session(&session, guard::METHODS));
        let preparation = Preparation::start(page.session(), &setup, budget).await?;
        // Their replies come when the page has its first document, which may never be.
        drop(page.session().start(EnableParams::default(), budget.left()).await?);
        drop(page.session().start(RunIfWaitingForDebuggerParams::default(), budget.left()).await?);
        let under_way = Some(UnderWay { url, preparation });
        Ok(Self { lease, page, guard: Guard::new(target.as_ref()), popups, under_way, lost: None })
    }

    async fn carry_out(
        &self,
        step: &Step,
        under_way: Option<UnderWay>,
        budget: Duration,
    ) -> Result<StepOutput, Fault> {
        let Step::Goto(goto) = step else { return step::perform(&self.page, step, budget).await };
        let known = under_way.as_ref().and_then(|under_way| under_way.url.as_ref());
        let start = if known == Some(&goto.url) { Start::UnderWay } else { Start::Tell };
        let page = navigation::goto(&self.page, &self.guard, goto, start, budget).await?;
        if let Some(UnderWay { preparation, .. }) = under_way {
            preparation.check().await?;
        }
        Ok(StepOutput::Page(page))
    }

    /// What a loss means for the job.
    async fn fault(&self, loss: Loss) -> Fault {
        match loss {
            Loss::Crashed => Fault::transient(FailureClass::PageCrash, "the page's renderer process died"),
            // A browser that goes takes its pages with it; else the page closed itself, and would do so again.
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
        let under_way = self.under_way.take();
        let fault = tokio::select! {
            // A call that fails because the page is lost would say less about it.
            biased;
            loss = self.guard.watch(self.page.session()) => self.fault(loss).await,
            fault = self.lease.link.lifetime.lost() => fault,
            done = self.carry_out(step, under_way, budget) => return done,
        };
        self.lost = Some(fault.clone());
        Err(fault)
    }

    fn incidents(&self) -> Incidents {
        Incidents {
            dialogs: self.guard.dialogs(),
            popups: self.popups.load(Ordering::Relaxed),
            downloads: self.guard.downloads(),
        }
    }

    async fn close(mut self: Box<Self>) -> Result<(), CloseError> {
        let Some(context) = self.lease.context.clone() else { return Ok(()) };
        let verdict = dispose(&self.lease.link, context).await;
        // Tried, and told: a second try by the lease's drop would change nothing.
        self.lease.context = None;
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
        disposed = link.root.call(DisposeBrowserContextParams::new(context.clone()), DISPOSAL) => match disposed {
            Ok(_) => Ok(()),
            Err(CallError::Disconnected { .. }) => link.lifetime.gone_in_time().await,
            Err(CallError::Protocol { .. }) => verify_absent(link, &context).await,
            Err(error) => Err(CloseError(error.to_string())),
        },
    };
    link.arrivals.forget(context.as_ref());
    verdict
}

/// The browser refused to dispose of a context: most likely it has none of that name.
async fn verify_absent(link: &BrowserHandle, context: &BrowserContextId) -> Result<(), CloseError> {
    match link.root.call(GetBrowserContextsParams::default(), DISPOSAL).await {
        Ok(answer) if !answer.browser_context_ids.contains(context) => Ok(()),
        Ok(_) => Err(CloseError("the browser refused to dispose of a context".to_owned())),
        Err(error) => Err(CloseError(error.to_string())),
    }
}
