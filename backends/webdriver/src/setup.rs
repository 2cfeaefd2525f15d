//! The setup of a session before its first page: the job's viewport, headers and cookies; downloads are refused.

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::perform::PageDriver as _;
use plimsoll_core::port::OpenRequest;
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::Viewport;
use plimsoll_host::window::WindowSize;
use serde_json::{Map, Value, json};

use crate::call::CallError;
use crate::settings::Family;
use crate::step;
use crate::tab::Tab;

/// Prepares a session that has no page yet.
pub(crate) async fn prepare(tab: &Tab, request: &OpenRequest, budget: Budget) -> Result<(), Fault> {
    let setup = &request.setup;
    if tab.family() == Family::Chromium {
        let deny = json!({ "behavior": "deny", "eventsEnabled": true });
        tab.session().devtools::<Value>("Browser.setDownloadBehavior", deny, budget.left()).await?;
    }
    match (setup.viewport, tab.family()) {
        (Some(wanted), _) => tab.set_viewport(&wanted, budget).await?,
        // The window has a frame, which `window` must not include.
        (None, Family::Firefox) => {
            let WindowSize { width, height } = tab.window();
            tab.set_viewport(&Viewport { width, height, scale: 1.0 }, budget).await?;
        }
        (None, Family::Chromium) => {}
    }
    if !setup.headers.is_empty() {
        only_chromium(tab, "headers")?;
        let headers: Map<String, Value> =
            setup.headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        // Without this command the headers are accepted but have no effect.
        tab.session().devtools::<Value>("Network.enable", json!({}), budget.left()).await?;
        let set = json!({ "headers": headers });
        let answer = tab.session().devtools::<Value>("Network.setExtraHTTPHeaders", set, budget.left()).await;
        answer.map_err(|error| refused("headers", error))?;
    }
    if !setup.cookies.is_empty() {
        only_chromium(tab, "cookies before the first page")?;
        let here = request.first.as_ref().map(|goto| goto.url.as_str());
        let answer = step::store_cookies(tab, &setup.cookies, here, budget).await;
        answer.map_err(|error| refused("cookies", error))?;
    }
    Ok(())
}

fn only_chromium(tab: &Tab, what: &str) -> Result<(), Fault> {
    match tab.family() {
        Family::Chromium => Ok(()),
        Family::Firefox => {
            let message = format!("WebDriver has no way to give Firefox {what}");
            Err(Fault::persistent(FailureClass::Unsupported, message))
        }
    }
}

/// The fault for a request of the job that the browser does not accept.
fn refused(what: &str, error: CallError) -> Fault {
    match error {
        CallError::Refused { code, message, .. } if code.is_of_the_job() => Fault::persistent(
            FailureClass::Script,
            format!("the browser does not accept the job's {what}: {message}"),
        ),
        error => error.into(),
    }
}
