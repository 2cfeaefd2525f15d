//! What a job wants in place before its first page: cookies, headers, viewport.
//!
//! Cookies are stored in the context before its page exists. The rest is told to the page while it is held; the
//! browser obeys at once but replies only when the page has a document, so the replies are looked at later.

use chromiumoxide_cdp::cdp::browser_protocol::browser::BrowserContextId;
use chromiumoxide_cdp::cdp::browser_protocol::emulation::{
    SetDeviceMetricsOverrideParams, SetDeviceMetricsOverrideReturns,
};
use chromiumoxide_cdp::cdp::browser_protocol::network::{
    EnableParams, Headers, SetExtraHttpHeadersParams, SetExtraHttpHeadersReturns,
};
use chromiumoxide_cdp::cdp::browser_protocol::storage::SetCookiesParams;
use plimsoll_core::job::Setup;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::{PageUrl, Viewport};
use serde_json::{Map, Value};

use crate::step::cookies;
use crate::transport::{CallError, PendingCall, Session};

/// Stores the job's cookies in its context. One that names no host gets the host of the first page.
pub(crate) async fn store_cookies(
    root: &Session,
    setup: &Setup,
    context: &BrowserContextId,
    first: Option<&PageUrl>,
    budget: Budget,
) -> Result<(), Fault> {
    if setup.cookies.is_empty() {
        return Ok(());
    }
    let here = first.map(PageUrl::as_str);
    let params = setup.cookies.iter().map(|cookie| cookies::param(cookie, here)).collect();
    let mut store = SetCookiesParams::new(params);
    store.browser_context_id = Some(context.clone());
    match root.call(store, budget.left()).await {
        Ok(_) => Ok(()),
        Err(error) => Err(refused("cookies", error)),
    }
}

/// What a held page was told, and has not replied to yet.
#[derive(Debug)]
pub(crate) struct Preparation {
    viewport: Option<PendingCall<SetDeviceMetricsOverrideReturns>>,
    headers: Option<PendingCall<SetExtraHttpHeadersReturns>>,
}

impl Preparation {
    /// Tells the page.
    pub(crate) async fn start(page: &Session, setup: &Setup, budget: Budget) -> Result<Self, Fault> {
        let mut preparation = Self { viewport: None, headers: None };
        if let Some(Viewport { width, height, scale }) = setup.viewport {
            let metrics =
                SetDeviceMetricsOverrideParams::new(i64::from(width), i64::from(height), scale, false);
            preparation.viewport = Some(page.start(metrics, budget.left()).await?);
        }
        if !setup.headers.is_empty() {
            let headers: Map<String, Value> =
                setup.headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
            // Without it the headers are accepted and forgotten. Its reply tells nothing that theirs does not.
            drop(page.start(EnableParams::default(), budget.left()).await?);
            let headers = SetExtraHttpHeadersParams::new(Headers::new(headers));
            preparation.headers = Some(page.start(headers, budget.left()).await?);
        }
        Ok(preparation)
    }

    /// Whether all of it was accepted. Call it when the page has a document: the replies are there then.
    pub(crate) async fn check(self) -> Result<(), Fault> {
        if let Some(viewport) = self.viewport {
            viewport.reply().await.map_err(|error| refused("viewport", error))?;
        }
        if let Some(headers) = self.headers {
            headers.reply().await.map_err(|error| refused("headers", error))?;
        }
        Ok(())
    }
}

/// The job asked for something that the browser does not accept.
fn refused(what: &str, error: CallError) -> Fault {
    match error {
        CallError::Protocol { message, .. } => Fault::persistent(
            FailureClass::Script,
            format!("the browser does not accept the job's {what}: {message}"),
        ),
        error => error.into(),
    }
}
