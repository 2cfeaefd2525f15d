//! Carrying out the steps of a job in one page; all but `goto`, which is navigation's.
//!
//! ```text
//!   perform ──► action ──► pointer, keyboard, upload     act on an element
//!          ├──► condition (waits and expectations)       look until something holds
//!          ├──► extract, capture, cookies, evaluate      bring something back
//!          └──► viewport                                 set the stage
//!                  └──► probe ──► functions in the page (`plimsoll_core::page`)
//! ```
//!
//! Every call has what is left of the step's budget as its deadline, so a step also ends when a script in the
//! page never does. Polling goes on in the next document when one is replaced by another.

mod action;
mod capture;
mod condition;
pub(crate) mod cookies;
mod keyboard;
mod pointer;
pub(crate) mod probe;
mod upload;
pub(crate) mod viewport;

use std::time::Duration;

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::page::extract;
use plimsoll_core::port::StepOutput;
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::Step;
use serde_json::{Map, Value};

use crate::evaluate;
use crate::page::Page;
use action::Tick;

/// Carries out a step within `budget`.
///
/// # Errors
/// A [`Fault`] that says what was done or waited for, and on what. A `goto` is one of class `internal`.
pub(crate) async fn perform(page: &Page, step: &Step, budget: Duration) -> Result<StepOutput, Fault> {
    let budget = Budget::start(budget);
    match step {
        Step::Goto(_) => {
            return Err(Fault::persistent(
                FailureClass::Internal,
                "a goto was taken for a step within a page",
            ));
        }
        Step::WaitFor(step) => condition::wait_for(page, step, budget).await?,
        Step::Expect(step) => condition::expect(page, step, budget).await?,
        Step::Click(step) => action::click(page, step, budget).await?,
        Step::Fill(step) => action::fill(page, step, budget).await?,
        Step::Type(step) => action::type_text(page, step, budget).await?,
        Step::Press(step) => action::press(page, step, budget).await?,
        Step::Select(step) => action::select(page, step, budget).await?,
        Step::Check(step) => action::tick(page, step, Tick::On, budget).await?,
        Step::Uncheck(step) => action::tick(page, step, Tick::Off, budget).await?,
        Step::Hover(step) => action::hover(page, step, budget).await?,
        Step::Scroll(step) => action::scroll(page, step, budget).await?,
        Step::Upload(step) => upload::upload(page, step, budget).await?,
        Step::SetCookies(cookies) => cookies::set(page, cookies, budget).await?,
        Step::SetViewport(viewport) => viewport::set(page, viewport, budget).await?,
        Step::Evaluate(step) => {
            return Ok(named(&step.name, evaluate::json(page, &step.script, budget).await?));
        }
        Step::Extract(step) => return Ok(StepOutput::Data(probe::once(page, &extract(step), budget).await?)),
        Step::Screenshot(step) => {
            return Ok(StepOutput::Artifact(capture::screenshot(page, step, budget).await?));
        }
        Step::Pdf(step) => return Ok(StepOutput::Artifact(capture::pdf(page, step, budget).await?)),
        Step::Content(step) => return Ok(named(&step.name, capture::content(page, budget).await?.into())),
        Step::GetCookies(step) => {
            let cookies = serde_json::to_value(cookies::get(page, budget).await?).map_err(|why| {
                Fault::persistent(FailureClass::Internal, format!("cannot write cookies as JSON: {why}"))
            })?;
            return Ok(named(&step.name, cookies));
        }
    }
    Ok(StepOutput::Done)
}

/// One value for the job's data.
fn named(name: &str, value: Value) -> StepOutput {
    StepOutput::Data(Map::from_iter([(name.to_owned(), value)]))
}
