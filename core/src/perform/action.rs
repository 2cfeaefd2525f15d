//! Pointer actions and actions that one script completes. Each action waits until its element is ready.

use serde_json::{Value, json};

use super::look::{act, until};
use super::page_driver::{PageDriver, Point};
use crate::outcome::{FailureClass, Fault};
use crate::page::{self, Act};
use crate::runtime::budget::Budget;
use crate::step::{Check, Click, Hover, MouseButton, Scroll, Select};

/// Clicks an element.
pub(super) async fn click(page: &impl PageDriver, step: &Click, budget: Budget) -> Result<(), Fault> {
    let budget = budget.at_most(step.timeout);
    let point: Point = act(page, &step.selector, Act::CLICK, &Value::Null, budget).await?;
    page.click(point, step.button, step.count.unwrap_or(1).clamp(1, 3), budget).await
}

/// Moves the pointer over an element.
pub(super) async fn hover(page: &impl PageDriver, step: &Hover, budget: Budget) -> Result<(), Fault> {
    let budget = budget.at_most(step.timeout);
    let point: Point = act(page, &step.selector, Act::HOVER, &Value::Null, budget).await?;
    page.hover(point, budget).await
}

/// The state after a `check` or an `uncheck`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tick {
    /// Ticked.
    On,
    /// Not ticked.
    Off,
}

/// Ticks or unticks an element, and checks that the state is kept.
pub(super) async fn tick(
    page: &impl PageDriver,
    step: &Check,
    tick: Tick,
    budget: Budget,
) -> Result<(), Fault> {
    let (selector, budget) = (&step.selector, budget.at_most(step.timeout));
    let wanted = tick == Tick::On;
    if act::<bool>(page, selector, Act::TICKED, &Value::Null, budget).await? == wanted {
        return Ok(());
    }
    let point: Point = act(page, selector, Act::TICK, &Value::Null, budget).await?;
    page.click(point, MouseButton::Left, 1, budget).await?;
    act::<bool>(page, selector, Act::TICKED, &json!(wanted), budget).await.map(drop)
}

/// Chooses options.
pub(super) async fn select(page: &impl PageDriver, step: &Select, budget: Budget) -> Result<(), Fault> {
    let wanted: Vec<&String> = step.value.iter().chain(&step.values).collect();
    if wanted.is_empty() {
        let message = format!("select of `{}` names no option; give it a `value` or `values`", step.selector);
        return Err(Fault::persistent(FailureClass::Script, message));
    }
    act(page, &step.selector, Act::SELECT, &json!(wanted), budget.at_most(step.timeout)).await
}

/// Scrolls the page, or an element into view.
pub(super) async fn scroll(page: &impl PageDriver, step: &Scroll, budget: Budget) -> Result<(), Fault> {
    let budget = budget.at_most(step.timeout);
    let (script, subject) = page::scroll(&step.to);
    until(page, &script, budget).await.map_err(|unmet| unmet.action(subject, budget.whole()))
}
