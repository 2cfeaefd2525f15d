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
mod evaluate;
mod keyboard;
mod pointer;
mod probe;
mod upload;
pub(crate) mod viewport;

use std::time::Duration;

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::page;
use plimsoll_core::port::StepOutput;
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::Step;
use serde_json::{Map, Value};

use self::action::Tick;
use crate::tab::Tab;

/// Carries out a step within `budget`, and takes stock of what it has caused.
///
/// # Errors
/// A [`Fault`] that says what was done or waited for, and on what. A `goto` is one of class `internal`.
pub(crate) async fn perform(tab: &Tab, step: &Step, budget: Duration) -> Result<StepOutput, Fault> {
    let budget = Budget::start(budget);
    let done = carry_out(tab, step, budget).await;
    tab.take_stock(budget).await;
    done
}

async fn carry_out(tab: &Tab, step: &Step, budget: Budget) -> Result<StepOutput, Fault> {
    match step {
        Step::Goto(_) => {
            return Err(Fault::persistent(
                FailureClass::Internal,
                "a goto was taken for a step within a page",
            ));
        }
        Step::WaitFor(step) => condition::wait_for(tab, step, budget).await?,
        Step::Expect(step) => condition::expect(tab, step, budget).await?,
        Step::Click(step) => action::click(tab, step, budget).await?,
        Step::Fill(step) => action::fill(tab, step, budget).await?,
        Step::Type(step) => action::type_text(tab, step, budget).await?,
        Step::Press(step) => action::press(tab, step, budget).await?,
        Step::Select(step) => action::select(tab, step, budget).await?,
        Step::Check(step) => action::tick(tab, step, Tick::On, budget).await?,
        Step::Uncheck(step) => action::tick(tab, step, Tick::Off, budget).await?,
        Step::Hover(step) => action::hover(tab, step, budget).await?,
        Step::Scroll(step) => action::scroll(tab, step, budget).await?,
        Step::Upload(step) => upload::upload(tab, step, budget).await?,
        Step::SetCookies(cookies) => cookies::set(tab, cookies, budget).await?,
        Step::SetViewport(viewport) => viewport::set(tab, viewport, budget).await?,
        Step::Evaluate(step) => {
            return Ok(named(&step.name, evaluate::json(tab, &step.script, budget).await?));
        }
        Step::Extract(step) => {
            return Ok(StepOutput::Data(probe::once(tab, &page::extract(step), budget).await?));
        }
        Step::Screenshot(step) => {
            return Ok(StepOutput::Artifact(capture::screenshot(tab, step, budget).await?));
        }
        Step::Pdf(step) => return Ok(StepOutput::Artifact(capture::pdf(tab, step, budget).await?)),
        Step::Content(step) => {
            let html: String = probe::once(tab, &page::content(), budget).await?;
            return Ok(named(&step.name, html.into()));
        }
        Step::GetCookies(step) => {
            let cookies = serde_json::to_value(cookies::get(tab, budget).await?).map_err(|why| {
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
