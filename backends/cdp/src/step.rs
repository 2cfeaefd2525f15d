//! The primitives of the step engine (`plimsoll_core::perform`), over the DevTools protocol.

mod capture;
mod cookies;
mod input;

use std::time::Duration;

use chromiumoxide_cdp::cdp::browser_protocol::dom::SetFileInputFilesParams;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::page::keys::Chord;
use plimsoll_core::page::{Act, EvaluateError, PageError, Verdict};
use plimsoll_core::perform::{Area, DragKind, Encoding, PageDriver, Point};
use plimsoll_core::port;
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::{Cookie, Goto, MouseButton, PageUrl, Pdf, Viewport};
use plimsoll_host::network_service::NetworkEnd;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::evaluate;
use crate::navigation::{self, Start};
use crate::page::Page;
use crate::page_events::PageEvents;
use crate::setup::{Preparation, metrics};

/// A context's page, as one step uses it.
#[derive(Debug)]
pub(crate) struct StepPage<'a> {
    pub(crate) page: &'a Page,
    pub(crate) events: &'a PageEvents,
    /// Present in the first step of a context only.
    pub(crate) under_way: Option<UnderWay>,
}

/// The state that a page was created with.
#[derive(Debug)]
pub(crate) struct UnderWay {
    /// The address that the page loads.
    pub(crate) url: Option<PageUrl>,
    /// The setup commands that the page has not acknowledged yet.
    pub(crate) preparation: Preparation,
    /// The end of the network service since the page began to load.
    pub(crate) network: NetworkEnd,
}

impl PageDriver for StepPage<'_> {
    async fn navigate(&mut self, goto: &Goto, budget: Budget) -> Result<port::Page, Fault> {
        let under_way = self.under_way.take();
        let known = under_way.as_ref().and_then(|under_way| under_way.url.as_ref());
        let start = if known == Some(&goto.url) { Start::UnderWay } else { Start::Tell };
        let page = navigation::goto(self.page, self.events, goto, start, budget).await?;
        if let Some(UnderWay { preparation, .. }) = under_way {
            preparation.check().await?;
        }
        Ok(page)
    }

    async fn look<T: DeserializeOwned + Send>(
        &self,
        script: &str,
        deadline: Duration,
    ) -> Result<Verdict<T>, PageError> {
        Ok(evaluate::ours(self.page, script, deadline).await?)
    }

    async fn evaluate(&self, expression: &str, budget: Budget) -> Result<Value, EvaluateError> {
        evaluate::json(self.page, expression, budget).await
    }

    async fn is_truthy(&self, expression: &str, budget: Budget) -> Result<bool, EvaluateError> {
        evaluate::truthy(self.page, expression, budget).await
    }

    async fn hover(&self, at: Point, budget: Budget) -> Result<(), Fault> {
        input::hover(self.page, at, budget).await
    }

    async fn click(&self, at: Point, button: MouseButton, count: u8, budget: Budget) -> Result<(), Fault> {
        input::click(self.page, at, button, count, budget).await
    }

    async fn drag(&self, path: &[Point], _: DragKind, budget: Budget) -> Result<(), Fault> {
        input::drag(self.page, path, budget).await
    }

    async fn press(&self, chords: &[Chord], budget: Budget) -> Result<(), Fault> {
        input::press(self.page, chords, budget).await
    }

    async fn insert_text(&self, text: &str, budget: Budget) -> Result<(), Fault> {
        input::insert_text(self.page, text, budget).await
    }

    async fn screenshot(&self, area: Area<'_>, encoding: Encoding, budget: Budget) -> Result<Vec<u8>, Fault> {
        capture::screenshot(self, self.page, area, encoding, budget).await
    }

    async fn print(&self, step: &Pdf, budget: Budget) -> Result<Vec<u8>, Fault> {
        capture::print(self.page, step, budget).await
    }

    async fn cookies(&self, budget: Budget) -> Result<Vec<Cookie>, Fault> {
        cookies::get(self.page, budget).await
    }

    async fn set_cookies(&self, cookies: &[Cookie], here: Option<&str>, budget: Budget) -> Result<(), Fault> {
        cookies::set(self.page, cookies, here, budget).await
    }

    async fn set_files(&self, selector: &str, files: &[&str], budget: Budget) -> Result<(), Fault> {
        let element = Act::ELEMENT.script(selector, &Value::Null);
        let Some(object) = evaluate::object(self.page, &element, budget.left()).await? else {
            let message = format!("`{selector}` went away before it was given its files");
            return Err(Fault::transient(FailureClass::Script, message));
        };
        let files = files.iter().map(|file| (*file).to_owned()).collect();
        let params =
            SetFileInputFilesParams { object_id: Some(object.into()), ..SetFileInputFilesParams::new(files) };
        self.page.call(params, budget.left()).await?;
        Ok(())
    }

    async fn set_viewport(&self, viewport: &Viewport, budget: Budget) -> Result<(), Fault> {
        self.page.call(metrics(viewport), budget.left()).await?;
        Ok(())
    }
}
