//! The primitives of the step engine (`plimsoll_core::perform`), over WebDriver; and the incidents that a step caused.

mod capture;
mod cookies;
mod element;
mod evaluate;
mod input;
mod viewport;

use std::time::Duration;

use plimsoll_core::outcome::Fault;
use plimsoll_core::page::keys::Chord;
use plimsoll_core::page::{EvaluateError, PageError, Verdict};
use plimsoll_core::perform::{self, Area, DragKind, Encoding, PageDriver, Point};
use plimsoll_core::port::{Page, StepOutput};
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::{Cookie, Goto, MouseButton, Pdf, Step, Viewport};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::navigation;
use crate::tab::Tab;

pub(crate) use cookies::store as store_cookies;
pub(crate) use viewport::offered as viewport_offered;

/// Carries out a step within `budget`, and counts the incidents that it has caused.
///
/// # Errors
/// A [`Fault`] that names the action or the awaited state, and its target.
pub(crate) async fn perform(tab: &mut Tab, step: &Step, budget: Duration) -> Result<StepOutput, Fault> {
    let whole = Budget::start(budget);
    let done = perform::perform(tab, step, budget).await;
    // A navigation counts its own incidents, because it can detect whether the page answers.
    if !matches!(step, Step::Goto(_)) {
        tab.count_incidents(whole).await;
    }
    done
}

impl PageDriver for Tab {
    async fn navigate(&mut self, goto: &Goto, budget: Budget) -> Result<Page, Fault> {
        navigation::goto(self, goto, budget).await
    }

    async fn look<T: DeserializeOwned + Send>(
        &self,
        script: &str,
        deadline: Duration,
    ) -> Result<Verdict<T>, PageError> {
        evaluate::look(self, script, deadline).await
    }

    async fn evaluate(&self, expression: &str, budget: Budget) -> Result<Value, EvaluateError> {
        evaluate::json(self, expression, budget).await
    }

    async fn is_truthy(&self, expression: &str, budget: Budget) -> Result<bool, EvaluateError> {
        evaluate::truthy(self, expression, budget).await
    }

    async fn hover(&self, at: Point, budget: Budget) -> Result<(), Fault> {
        input::hover(self, at, budget).await
    }

    async fn click(&self, at: Point, button: MouseButton, count: u8, budget: Budget) -> Result<(), Fault> {
        input::click(self, at, button, count, budget).await
    }

    async fn drag(&self, path: &[Point], kind: DragKind, budget: Budget) -> Result<(), Fault> {
        input::drag(self, path, kind, budget).await
    }

    async fn press(&self, chords: &[Chord], budget: Budget) -> Result<(), Fault> {
        input::press(self, chords, budget).await
    }

    async fn insert_text(&self, text: &str, budget: Budget) -> Result<(), Fault> {
        input::insert_text(self, text, budget).await
    }

    async fn screenshot(&self, area: Area<'_>, encoding: Encoding, budget: Budget) -> Result<Vec<u8>, Fault> {
        capture::screenshot(self, area, encoding, budget).await
    }

    async fn print(&self, step: &Pdf, budget: Budget) -> Result<Vec<u8>, Fault> {
        capture::print(self, step, budget).await
    }

    async fn cookies(&self, budget: Budget) -> Result<Vec<Cookie>, Fault> {
        cookies::get(self, budget).await
    }

    async fn set_cookies(&self, cookies: &[Cookie], here: Option<&str>, budget: Budget) -> Result<(), Fault> {
        cookies::set(self, cookies, here, budget).await
    }

    async fn set_files(&self, selector: &str, files: &[&str], budget: Budget) -> Result<(), Fault> {
        element::set_files(self, selector, files, budget).await
    }

    async fn set_viewport(&self, viewport: &Viewport, budget: Budget) -> Result<(), Fault> {
        viewport::set(self, viewport, budget).await
    }
}
