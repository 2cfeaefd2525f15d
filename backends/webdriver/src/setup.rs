//! The setup of a session before its first page: the job's viewport, headers and cookies; downloads are refused.
//!
//! What Firefox cannot be given is refused before a session is requested, because a session costs seconds.

use plimsoll_core::job::Setup;
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

/// Refuses a setup that this family has no way to be given.
pub(crate) fn offered(setup: &Setup, family: Family) -> Result<(), Fault> {
    if family == Family::Chromium {
        return Ok(());
    }
    let lacks =
        [("headers", setup.headers.is_empty()), ("cookies before the first page", setup.cookies.is_empty())];
    if let Some((what, _)) = lacks.iter().find(|(_, absent)| !absent) {
        let message = format!("WebDriver has no way to give Firefox {what}");
        return Err(Fault::persistent(FailureClass::Unsupported, message));
    }
    setup.viewport.as_ref().map_or(Ok(()), |viewport| step::viewport_offered(viewport, family))
}

/// Prepares a session that has no page yet. The setup is [`offered`].
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
        let headers: Map<String, Value> =
            setup.headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        // Without this command the headers are accepted but have no effect.
        tab.session().devtools::<Value>("Network.enable", json!({}), budget.left()).await?;
        let set = json!({ "headers": headers });
        let answer = tab.session().devtools::<Value>("Network.setExtraHTTPHeaders", set, budget.left()).await;
        answer.map_err(|error| refused("headers", error))?;
    }
    if !setup.cookies.is_empty() {
        let here = request.first.as_ref().map(|goto| goto.url.as_str());
        let answer = step::store_cookies(tab, &setup.cookies, here, budget).await;
        answer.map_err(|error| refused("cookies", error))?;
    }
    Ok(())
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
