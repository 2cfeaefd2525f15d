//! The opening of a context: its stages, and the cleanup when an opening is cut off in any of them.
//!
//! ```text
//!   createBrowserContext ─► createTarget(url), paused ─► [Page.enable, setup, run] ─► CdpContext
//!      │ cut off: its answer is awaited    │ cut off, or a fault
//!      └──────── the id ───────────────────┴─► disposeBrowserContext, answered ─► gone
//! ```
//!
//! The page is created with its address, which costs the browser less than a blank page that navigates, and is held
//! until we are attached: no event of the page is missed, and its setup is in place before its first request. The
//! commands of one stage are sent together, without waiting for each other's replies.
//!
//! The whole opening is one task of the browser. A browser that never answers `createBrowserContext` may still create
//! the context: the verdict is then an error, and the caller gives the browser up.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chromiumoxide_cdp::cdp::browser_protocol::browser::{
    BrowserContextId, SetDownloadBehaviorBehavior, SetDownloadBehaviorParams,
};
use chromiumoxide_cdp::cdp::browser_protocol::page::EnableParams;
use chromiumoxide_cdp::cdp::browser_protocol::target::{CreateBrowserContextParams, CreateTargetParams};
use chromiumoxide_cdp::cdp::js_protocol::runtime::RunIfWaitingForDebuggerParams;
use plimsoll_core::job::Setup;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::{CloseError, Context, OpenRequest, Opening};
use plimsoll_core::proxy::Proxy;
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::runtime::opening::{OwnedOpening, Requester, Verdict};
use plimsoll_core::step::PageUrl;
use tokio::time::{sleep, timeout};

use crate::context::{AttachedPage, CdpContext, DISPOSAL, Lease};
use crate::handle::BrowserHandle;
use crate::page::Page;
use crate::page_events::{self, PageEvents};
use crate::page_targets::AwaitedPage;
use crate::setup::{self, Preparation};
use crate::step::UnderWay;
use crate::transport::{CallError, CallStage};

/// A context that is being opened.
pub(crate) struct CdpOpening {
    link: Arc<BrowserHandle>,
    task: OwnedOpening,
}

impl CdpOpening {
    /// Begins to open a context in the browser of `link`.
    pub(crate) fn begin(link: &Arc<BrowserHandle>, request: OpenRequest, budget: Duration) -> Self {
        let task = OwnedOpening::begin(|requester| {
            let work = open(Arc::clone(link), request, Budget::start(budget), requester);
            link.supervisor.spawn("open context", work)
        });
        Self { link: Arc::clone(link), task }
    }
}

#[async_trait]
impl Opening for CdpOpening {
    async fn ready(&mut self) -> Result<Box<dyn Context>, Fault> {
        let closed = || Fault::transient(FailureClass::BrowserCrash, "the browser is being closed");
        self.task.ready().await.unwrap_or_else(|| Err(closed()))
    }

    async fn abandon(self: Box<Self>) -> Result<(), CloseError> {
        match self.task.abandon().await {
            Some(verdict) => verdict,
            None => self.link.lifetime.gone_in_time().await,
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
    let asked = tokio::select! {
        asked = link.root.start(creation(&request.setup), budget.whole() + DISPOSAL) => asked,
        // The request waits for room in the queue to the browser: nothing was sent.
        () = cut_off(&mut requester, budget) => {
            requester.refuse(no_context(budget));
            return Some(Ok(()));
        }
    };
    let reply = async { Ok::<_, CallError>(asked?.reply().await?.browser_context_id) };
    let mut reply = pin!(reply);
    let created = tokio::select! {
        biased;
        created = &mut reply => created,
        () = cut_off(&mut requester, budget) => {
            requester.refuse(no_context(budget));
            return match reply.await {
                Ok(context) => Some(Lease::new(link, context).dispose().await),
                Err(error) => not_created(&error),
            };
        }
    };
    let context = match created {
        Ok(context) => context,
        Err(error) => {
            let verdict = not_created(&error);
            requester.refuse(error.into());
            return verdict;
        }
    };
    let lease = Lease::new(Arc::clone(&link), context.clone());
    let attached = tokio::select! {
        biased;
        attached = attach(&link, context, request, budget) => attached,
        () = requester.left() => return Some(lease.dispose().await),
    };
    match attached {
        Ok(attached) => requester.give(Box::new(CdpContext::new(lease, attached))).await,
        Err(fault) => {
            requester.refuse(fault);
            Some(lease.dispose().await)
        }
    }
}

fn creation(setup: &Setup) -> CreateBrowserContextParams {
    let proxy = setup.proxy.as_ref();
    CreateBrowserContextParams {
        dispose_on_detach: Some(true),
        proxy_server: proxy.map(|proxy| proxy.server.to_string()),
        proxy_bypass_list: proxy.map(Proxy::chromium_bypass),
        ..Default::default()
    }
}

/// Completes when the caller has left or its time is over.
async fn cut_off(requester: &mut Requester, budget: Budget) {
    tokio::select! {
        () = requester.left() => {}
        () = sleep(budget.left()) => {}
    }
}

fn no_context(budget: Budget) -> Fault {
    let message = format!("the browser did not create a context within {:?}", budget.whole());
    Fault::transient(FailureClass::Timeout, message)
}

/// The verdict of an error on a context whose creation was requested.
fn not_created(error: &CallError) -> Verdict {
    match error {
        // The command was refused, or never sent.
        CallError::Protocol { .. }
        | CallError::Encode { .. }
        | CallError::TooLarge { .. }
        | CallError::Timeout { stage: CallStage::Queue, .. } => Some(Ok(())),
        CallError::Disconnected { .. } => None,
        CallError::Timeout { .. }
        | CallError::SessionGone { .. }
        | CallError::AnswerTooLarge { .. }
        | CallError::Decode { .. } => {
            Some(Err(CloseError(format!("a context may still be created: {error}"))))
        }
    }
}

/// Creates the page of a context and sets it up. The page starts to load.
async fn attach(
    link: &BrowserHandle,
    context: BrowserContextId,
    request: OpenRequest,
    budget: Budget,
) -> Result<AttachedPage, Fault> {
    let OpenRequest { setup, first } = request;
    let (root, url) = (&link.root, first.map(|goto| goto.url));
    setup::store_cookies(root, &setup, &context, url.as_ref(), budget).await?;
    let AwaitedPage { session, popups } = link.targets.expect(context.as_ref());
    let mut deny = SetDownloadBehaviorParams::new(SetDownloadBehaviorBehavior::Deny);
    deny.browser_context_id = Some(context.clone());
    let denied = root.start(deny, budget.left()).await?;
    let mut create = CreateTargetParams::new(url.as_ref().map_or("about:blank", PageUrl::as_str));
    create.browser_context_id = Some(context);
    let network = link.network.next_end();
    let created = root.start(create, budget.left()).await?;
    denied.reply().await?;
    let target = created.reply().await?.target_id;
    let session = timeout(budget.left(), session).await;
    let Ok(Ok(session)) = session else {
        let message = format!("the browser did not attach to a new page within {:?}", budget.whole());
        return Err(Fault::transient(FailureClass::Timeout, message));
    };

    let events = PageEvents::new(target.as_ref());
    let session = link.connection().session(&session, page_events::METHODS);
    let page = Page::new(session, target.as_ref().to_owned(), events.documents());
    let preparation = Preparation::start(page.session(), &setup, budget).await?;
    // The replies come when the page has its first document, which may never happen.
    drop(page.session().start(EnableParams::default(), budget.left()).await?);
    drop(page.session().start(RunIfWaitingForDebuggerParams::default(), budget.left()).await?);
    let under_way = UnderWay { url, preparation, network };
    Ok(AttachedPage { page, events, popups, under_way })
}
