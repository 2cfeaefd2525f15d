//! The job's setup before its first page: cookies, headers, viewport.
//!
//! Cookies are stored in the context before its page exists. Headers and viewport are sent to the page while it is
//! held; the browser applies them at once but replies only when the page has a document, so the replies are checked
//! later.

use chromiumoxide_cdp::cdp::browser_protocol::browser::BrowserContextId;
use chromiumoxide_cdp::cdp::browser_protocol::emulation::{
    SetDeviceMetricsOverrideParams, SetDeviceMetricsOverrideReturns,
};
use chromiumoxide_cdp::cdp::browser_protocol::network::{
    CookieParam, CookieSameSite, EnableParams, Headers, SetExtraHttpHeadersParams,
    SetExtraHttpHeadersReturns, TimeSinceEpoch,
};
use chromiumoxide_cdp::cdp::browser_protocol::storage::SetCookiesParams;
use plimsoll_core::job::Setup;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::{Cookie, PageUrl, SameSite, Viewport};
use serde_json::{Map, Value};

use crate::transport::{CallError, PendingCall, Session};

/// Stores the job's cookies in its context. A cookie that names no host gets the host of the first page.
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
    let params = setup.cookies.iter().map(|cookie| cookie_param(cookie, here)).collect();
    let mut store = SetCookiesParams::new(params);
    store.browser_context_id = Some(context.clone());
    match root.call(store, budget.left()).await {
        Ok(_) => Ok(()),
        Err(error) => Err(refused("cookies", error)),
    }
}

/// The commands that were sent to a held page and have no reply yet.
#[derive(Debug)]
pub(crate) struct Preparation {
    viewport: Option<PendingCall<SetDeviceMetricsOverrideReturns>>,
    headers: Option<PendingCall<SetExtraHttpHeadersReturns>>,
}

impl Preparation {
    /// Sends the commands.
    pub(crate) async fn start(page: &Session, setup: &Setup, budget: Budget) -> Result<Self, Fault> {
        let mut preparation = Self { viewport: None, headers: None };
        if let Some(viewport) = &setup.viewport {
            preparation.viewport = Some(page.start(metrics(viewport), budget.left()).await?);
        }
        if !setup.headers.is_empty() {
            let headers: Map<String, Value> =
                setup.headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
            // Without this command the headers are accepted but have no effect. Its own reply carries no information.
            drop(page.start(EnableParams::default(), budget.left()).await?);
            let headers = SetExtraHttpHeadersParams::new(Headers::new(headers));
            preparation.headers = Some(page.start(headers, budget.left()).await?);
        }
        Ok(preparation)
    }

    /// Checks that all commands were accepted. Call this when the page has a document: the replies have arrived then.
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

/// The command that gives a page a viewport of this size.
pub(crate) fn metrics(viewport: &Viewport) -> SetDeviceMetricsOverrideParams {
    let Viewport { width, height, scale } = *viewport;
    SetDeviceMetricsOverrideParams::new(i64::from(width), i64::from(height), scale, false)
}

/// A cookie in the protocol's format; `here` is the URL for a cookie that names no host.
pub(crate) fn cookie_param(cookie: &Cookie, here: Option<&str>) -> CookieParam {
    let url = cookie.url.clone().or_else(|| here.filter(|_| cookie.is_homeless()).map(str::to_owned));
    CookieParam {
        url,
        domain: cookie.domain.clone(),
        path: cookie.path.clone(),
        secure: Some(cookie.secure),
        http_only: Some(cookie.http_only),
        same_site: cookie.same_site.map(|same_site| match same_site {
            SameSite::Strict => CookieSameSite::Strict,
            SameSite::Lax => CookieSameSite::Lax,
            SameSite::None => CookieSameSite::None,
        }),
        expires: cookie.expires.map(TimeSinceEpoch::new),
        ..CookieParam::new(cookie.name.clone(), cookie.value.clone())
    }
}

/// The fault for a request of the job that the browser does not accept.
fn refused(what: &str, error: CallError) -> Fault {
    match error {
        CallError::Protocol { message, .. } => Fault::persistent(
            FailureClass::Script,
            format!("the browser does not accept the job's {what}: {message}"),
        ),
        error => error.into(),
    }
}
