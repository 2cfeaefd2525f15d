//! The step engine: carries out each step of a job in a page, over the primitives of a driver.
//!
//! ```text
//!   perform ──┬─► navigate                                open a page
//!             ├─► action, drag, typing, upload            act on an element
//!             ├─► wait_for, expect ─► look                look until a condition holds
//!             ├─► extract, capture, cookies, evaluate     bring something back
//!             └─► set_viewport                            change the page
//!                   └─► PageDriver: scripts of `page`, input, pictures, cookies, files
//! ```
//!
//! What a step means is written here once. A driver implements [`PageDriver`] and calls [`perform`](perform()); it
//! decides nothing about steps.
//!
//! When all goes well, an action waits until its element can take it, sends trusted input, and checks the effect where
//! one can be seen. Each call has what is left of the step's budget as its deadline, so a step also ends when a script
//! in the page never does. Polling goes on in the next document when one document is replaced by another. Every failure
//! is a [`Fault`] that names what was done or waited for, and on what.

mod action;
mod capture;
mod cookies;
mod drag;
mod look;
mod page_driver;
#[cfg(test)]
mod tests;
mod typing;
mod upload;

use std::time::Duration;

use serde_json::Map;

use crate::outcome::Fault;
use crate::page::{self, Condition};
use crate::port::StepOutput;
use crate::runtime::budget::Budget;
use crate::step::Step;

use self::action::Tick;

pub use capture::{LONGEST_SIDE, drawable};
pub use look::act;
pub use page_driver::{Area, Clip, DragKind, Encoding, PageDriver, Point};
pub use upload::unreadable;

/// Carries out a step within `budget`.
///
/// # Errors
/// A [`Fault`] that names what was done or waited for, and on what.
pub async fn perform(page: &mut impl PageDriver, step: &Step, budget: Duration) -> Result<StepOutput, Fault> {
    let budget = Budget::start(budget);
    if let Step::Goto(goto) = step {
        return page.navigate(goto, budget).await.map(StepOutput::Page);
    }
    let page = &*page;
    match step {
        Step::Goto(_) => {}
        Step::WaitFor(step) => {
            let (condition, budget) = (Condition::from(&step.target), budget.at_most(step.timeout));
            let held = look::until_holds(page, condition, budget).await;
            held.map_err(|unmet| unmet.wait(condition, budget.whole()))?;
        }
        Step::Expect(step) => {
            let (condition, whole) = (Condition::from(&step.that), budget);
            let budget = whole.at_most(Some(step.timeout));
            let held = if step.timeout.is_zero() {
                look::holds_now(page, condition, whole).await
            } else {
                look::until_holds(page, condition, budget).await
            };
            held.map_err(|unmet| unmet.expectation(condition, budget.whole()))?;
        }
        Step::Click(step) => action::click(page, step, budget).await?,
        Step::Fill(step) => typing::fill(page, step, budget).await?,
        Step::Type(step) => typing::type_text(page, step, budget).await?,
        Step::Press(step) => typing::press(page, step, budget).await?,
        Step::Select(step) => action::select(page, step, budget).await?,
        Step::Check(step) => action::tick(page, step, Tick::On, budget).await?,
        Step::Uncheck(step) => action::tick(page, step, Tick::Off, budget).await?,
        Step::Hover(step) => action::hover(page, step, budget).await?,
        Step::Drag(step) => drag::drag(page, step, budget).await?,
        Step::Scroll(step) => action::scroll(page, step, budget).await?,
        Step::Upload(step) => upload::upload(page, step, budget).await?,
        Step::SetCookies(cookies) => cookies::set(page, cookies, budget).await?,
        Step::SetViewport(viewport) => page.set_viewport(viewport, budget).await?,
        Step::Evaluate(step) => {
            return Ok(StepOutput::named(&step.name, page.evaluate(&step.script, budget).await?));
        }
        Step::Extract(step) => {
            let data: Map<_, _> = look::once(page, &page::extract(step), budget).await?;
            return Ok(StepOutput::Data(data));
        }
        Step::Screenshot(step) => {
            return capture::screenshot(page, step, budget).await.map(StepOutput::Artifact);
        }
        Step::Pdf(step) => return capture::pdf(page, step, budget).await.map(StepOutput::Artifact),
        Step::Content(step) => {
            let html: String = look::once(page, &page::content(), budget).await?;
            return Ok(StepOutput::named(&step.name, html.into()));
        }
        Step::GetCookies(step) => return StepOutput::cookies(&step.name, &page.cookies(budget).await?),
    }
    Ok(StepOutput::Done)
}
