//! Actions on an element: what a person does with hand, pointer and keyboard.
//!
//! Each waits until its element can take it (`core`'s `page::act`) and then sends trusted input; those whose effect can be
//! seen (`fill`, `check`) look whether it came.

use std::time::Duration;

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::page::{Act, Verdict, keys, scroll as scrolling};
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::{Check, Click, Fill, Hover, MouseButton, Press, Scroll, Select, Type};
use serde_json::{Value, json};

use super::keyboard;
use super::pointer::{self, Point};
use super::probe::{self, Wait};
use crate::call::Trouble;
use crate::session::LOOK;
use crate::tab::Tab;

/// How often a field that does not keep its text is filled again: a page that is still starting up may
/// overwrite it once or twice.
const FILLS: u32 = 3;

/// Clicks an element.
pub(super) async fn click(tab: &Tab, step: &Click, budget: Budget) -> Result<(), Fault> {
    let budget = budget.at_most(step.timeout);
    let point: Point = probe::act(tab, &step.selector, Act::CLICK, Value::Null, budget).await?;
    pointer::click(tab, point, step.button, step.count.unwrap_or(1).clamp(1, 3), budget).await
}

/// Moves the pointer over an element.
pub(super) async fn hover(tab: &Tab, step: &Hover, budget: Budget) -> Result<(), Fault> {
    let budget = budget.at_most(step.timeout);
    let point: Point = probe::act(tab, &step.selector, Act::HOVER, Value::Null, budget).await?;
    pointer::hover(tab, point, budget).await
}

/// What a `check` or an `uncheck` leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tick {
    /// Ticked.
    On,
    /// Not ticked.
    Off,
}

/// Ticks or unticks an element, and sees that it is so.
pub(super) async fn tick(tab: &Tab, step: &Check, tick: Tick, budget: Budget) -> Result<(), Fault> {
    let (selector, budget) = (&step.selector, budget.at_most(step.timeout));
    let wanted = tick == Tick::On;
    if probe::act::<bool>(tab, selector, Act::TICKED, Value::Null, budget).await? == wanted {
        return Ok(());
    }
    let point: Point = probe::act(tab, selector, Act::TICK, Value::Null, budget).await?;
    pointer::click(tab, point, MouseButton::Left, 1, budget).await?;

    let script = Act::TICKED.script(selector, &Value::Null);
    let mut wait = Wait::new(budget);
    loop {
        let look =
            probe::look::<bool>(tab, &script, budget.left().min(LOOK)).await.map(|verdict| match verdict {
                Verdict::Ready(now) if now == wanted => Verdict::Ready(()),
                Verdict::Ready(_) if wanted => Verdict::Waiting("to be ticked after the click".to_owned()),
                Verdict::Ready(_) => Verdict::Waiting("to be unticked after the click".to_owned()),
                Verdict::Waiting(what) => Verdict::Waiting(what),
                Verdict::Refused(why) => Verdict::Refused(why),
            });
        if let Some(end) = wait.weigh(probe::seen(look)).await {
            return end.map_err(|unmet| unmet.action(selector, budget.whole()));
        }
    }
}

/// Replaces the text of a field, and sees that it is kept.
pub(super) async fn fill(tab: &Tab, step: &Fill, budget: Budget) -> Result<(), Fault> {
    let (selector, budget) = (&step.selector, budget.at_most(step.timeout));
    let text = step.text.replace("\r\n", "\n");
    let filled = Act::FILLED.script(selector, &json!(text));
    let mut lost = String::new();
    for _ in 0..FILLS {
        if !probe::act::<bool>(tab, selector, Act::FILL, json!(text), budget).await? {
            return Ok(());
        }
        if text.is_empty() {
            keyboard::press(tab, keys::DELETE, budget).await?;
        } else {
            keyboard::insert(tab, &text, budget).await?;
        }
        match probe::look(tab, &filled, budget.left().min(LOOK)).await {
            // A page that moves on as soon as it has the text has taken it.
            Ok(Verdict::Ready(())) | Err(Trouble::Moved) => return Ok(()),
            Ok(Verdict::Waiting(what) | Verdict::Refused(what)) => lost = what,
            Err(Trouble::Silent(_)) => lost = "to answer afterwards".to_owned(),
            Err(Trouble::Fault(fault)) => return Err(fault),
        }
    }
    let advice = "a field that rewrites what it is given may take it key by key (`type`)";
    Err(Fault::persistent(
        FailureClass::Script,
        format!("filled `{selector}` {FILLS} times, but it failed {lost}; {advice}"),
    ))
}

/// Types text into a field, after what it holds.
pub(super) async fn type_text(tab: &Tab, step: &Type, budget: Budget) -> Result<(), Fault> {
    let budget = budget.at_most(step.timeout);
    probe::act::<()>(tab, &step.selector, Act::TYPE, json!("end"), budget).await?;
    keyboard::type_text(tab, &step.text, step.delay.unwrap_or(Duration::ZERO), budget).await
}

/// Presses a key or a chord, on an element if the step names one.
pub(super) async fn press(tab: &Tab, step: &Press, budget: Budget) -> Result<(), Fault> {
    let budget = budget.at_most(step.timeout);
    let chord = keys::Chord::parse(&step.key)
        .map_err(|why| Fault::persistent(FailureClass::Script, why.to_string()))?;
    if let Some(selector) = &step.selector {
        probe::act::<()>(tab, selector, Act::FOCUS, json!("keep"), budget).await?;
    }
    keyboard::press_chord(tab, &chord, budget).await
}

/// Chooses options.
pub(super) async fn select(tab: &Tab, step: &Select, budget: Budget) -> Result<(), Fault> {
    let wanted: Vec<&String> = step.value.iter().chain(&step.values).collect();
    if wanted.is_empty() {
        let message = format!("select of `{}` names no option; give it a `value` or `values`", step.selector);
        return Err(Fault::persistent(FailureClass::Script, message));
    }
    probe::act(tab, &step.selector, Act::SELECT, json!(wanted), budget.at_most(step.timeout)).await
}

/// Scrolls the page, or an element into view.
pub(super) async fn scroll(tab: &Tab, step: &Scroll, budget: Budget) -> Result<(), Fault> {
    let budget = budget.at_most(step.timeout);
    match scrolling(&step.to) {
        Err(selector) => probe::act(tab, selector, Act::INTO_VIEW, Value::Null, budget).await,
        Ok(script) => {
            let scrolled = probe::until(tab, &script, budget).await;
            scrolled.map_err(|unmet| unmet.action("the page", budget.whole()))
        }
    }
}
