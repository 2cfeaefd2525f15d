//! Cookies of the page's own context.
//!
//! Commands of the `Network` domain, sent to a page, reach the cookies of its context and no others. Those of the
//! `Storage` domain do not: without a context's id they mean the browser's default one, whichever page is asked.

use chromiumoxide_cdp::cdp::browser_protocol::network::{
    CookieParam, CookieSameSite, SetCookiesParams, TimeSinceEpoch,
};
use chromiumoxide_types::{Command, Method, MethodId};
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::{Cookie, SameSite};
use serde::{Deserialize, Serialize};

use crate::evaluate;
use crate::page::Page;

/// Every cookie of the context, whatever its host.
pub(crate) async fn get(page: &Page, budget: Budget) -> Result<Vec<Cookie>, Fault> {
    let found = page.call(GetAllCookies {}, budget.left()).await?;
    Ok(found.cookies.into_iter().map(Into::into).collect())
}

/// Sets cookies in the context. One that names neither a URL nor a domain gets the page's URL.
pub(crate) async fn set(page: &Page, cookies: &[Cookie], budget: Budget) -> Result<(), Fault> {
    let mut here = None;
    if cookies.iter().any(is_homeless) {
        let url: String = evaluate::ours(page, "location.href", budget.left()).await?;
        here = url.starts_with("http").then_some(url);
    }
    let mut params = Vec::with_capacity(cookies.len());
    for cookie in cookies {
        if is_homeless(cookie) && here.is_none() {
            let message = format!(
                "cookie `{}` names no host and no page is open yet; give it a `url` or a `domain`",
                cookie.name
            );
            return Err(Fault::persistent(FailureClass::Script, message));
        }
        params.push(param(cookie, here.as_deref()));
    }
    page.call(SetCookiesParams::new(params), budget.left()).await?;
    Ok(())
}

const fn is_homeless(cookie: &Cookie) -> bool {
    cookie.url.is_none() && cookie.domain.is_none()
}

/// A cookie in the protocol's words; `here` is the URL for one that names no host.
pub(crate) fn param(cookie: &Cookie, here: Option<&str>) -> CookieParam {
    let url = cookie.url.clone().or_else(|| here.filter(|_| is_homeless(cookie)).map(str::to_owned));
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

/// `Network.getAllCookies`, with only what a job wants to know, so that new kinds of anything else do no harm.
#[derive(Debug, Serialize)]
struct GetAllCookies {}

impl Method for GetAllCookies {
    fn identifier(&self) -> MethodId {
        "Network.getAllCookies".into()
    }
}

impl Command for GetAllCookies {
    type Response = Found;
}

#[derive(Debug, Deserialize)]
struct Found {
    cookies: Vec<FoundCookie>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FoundCookie {
    name: String,
    value: String,
    domain: String,
    path: String,
    expires: f64,
    http_only: bool,
    secure: bool,
    session: bool,
    same_site: Option<String>,
}

impl From<FoundCookie> for Cookie {
    fn from(found: FoundCookie) -> Self {
        Self {
            name: found.name,
            value: found.value,
            url: None,
            domain: Some(found.domain),
            path: Some(found.path),
            expires: (!found.session).then_some(found.expires),
            http_only: found.http_only,
            secure: found.secure,
            same_site: found.same_site.and_then(|name| match name.as_str() {
                "Strict" => Some(SameSite::Strict),
                "Lax" => Some(SameSite::Lax),
                "None" => Some(SameSite::None),
                _ => None,
            }),
        }
    }
}
