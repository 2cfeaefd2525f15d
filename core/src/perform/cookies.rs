//! Sets cookies. A cookie with neither a URL nor a domain belongs to the open page.

use super::look::until;
use super::page_driver::PageDriver;
use crate::outcome::{FailureClass, Fault};
use crate::page::LOCATION;
use crate::runtime::budget::Budget;
use crate::step::Cookie;

/// Sets cookies in the context.
pub(super) async fn set(page: &impl PageDriver, cookies: &[Cookie], budget: Budget) -> Result<(), Fault> {
    let Some(homeless) = cookies.iter().find(|cookie| cookie.is_homeless()) else {
        return page.set_cookies(cookies, None, budget).await;
    };
    let here: String = until(page, LOCATION, budget).await.map_err(|unmet| unmet.look(budget.whole()))?;
    if !here.starts_with("http") {
        let name = &homeless.name;
        let message =
            format!("cookie `{name}` names no host and no page is open yet; give it a `url` or a `domain`");
        return Err(Fault::persistent(FailureClass::Script, message));
    }
    page.set_cookies(cookies, Some(&here), budget).await
}
