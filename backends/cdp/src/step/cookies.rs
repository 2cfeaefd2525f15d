//! Cookies of the page's own context.
//!
//! Commands of the `Network` domain, sent to a page, apply to the cookies of its context only. Commands of the
//! `Storage` domain do not: without a context id they apply to the browser's default context, whichever page receives
//! them.

use chromiumoxide_cdp::cdp::browser_protocol::network::SetCookiesParams;
use chromiumoxide_types::{Command, Method, MethodId};
use plimsoll_core::outcome::Fault;
use plimsoll_core::page::ReportedCookie;
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::Cookie;
use serde::{Deserialize, Serialize};

use crate::page::Page;
use crate::setup::cookie_param;

/// Every cookie of the context, whatever its host.
pub(super) async fn get(page: &Page, budget: Budget) -> Result<Vec<Cookie>, Fault> {
    let found = page.call(GetAllCookies {}, budget.left()).await?;
    Ok(found.cookies.into_iter().map(Into::into).collect())
}

/// Sets cookies in the context; `here` is the URL for a cookie that names no host.
pub(super) async fn set(
    page: &Page,
    cookies: &[Cookie],
    here: Option<&str>,
    budget: Budget,
) -> Result<(), Fault> {
    let params = cookies.iter().map(|cookie| cookie_param(cookie, here)).collect();
    page.call(SetCookiesParams::new(params), budget.left()).await?;
    Ok(())
}

/// `Network.getAllCookies`. Only the parts of the answer that jobs need are parsed, so new values elsewhere do no harm.
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
    cookies: Vec<ReportedCookie>,
}
