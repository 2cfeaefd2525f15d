//! Keyboard actions: `fill` checks that its text is kept; `type` and `press` send keys.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use super::look::act;
use super::page_driver::PageDriver;
use crate::outcome::{FailureClass, Fault};
use crate::page::keys::{Chord, DELETE, END, Stroke};
use crate::page::{Act, LOOK, PageError, Verdict};
use crate::runtime::budget::Budget;
use crate::step::{Fill, Press, Type};

/// The maximum number of times that a field is filled if it does not keep its text. A page that is still starting may
/// overwrite the field once or twice.
const FILLS: u32 = 3;

/// Replaces the text of a field, and checks that the text is kept.
pub(super) async fn fill(page: &impl PageDriver, step: &Fill, budget: Budget) -> Result<(), Fault> {
    let (selector, budget) = (&step.selector, budget.at_most(step.timeout));
    let text = step.text.replace("\r\n", "\n");
    let value = json!(text);
    let filled = Act::FILLED.script(selector, &value);
    let mut lost = String::new();
    for _ in 0..FILLS {
        if !act::<bool>(page, selector, Act::FILL, &value, budget).await? {
            return Ok(());
        }
        if text.is_empty() {
            page.press(&[DELETE.into()], budget).await?;
        } else {
            page.insert_text(&text, budget).await?;
        }
        match page.look(&filled, budget.left().min(LOOK)).await {
            // A page that navigates as soon as it has the text has accepted the text.
            Ok(Verdict::Ready(())) | Err(PageError::Moved) => return Ok(()),
            Ok(Verdict::Waiting(what) | Verdict::Refused(what)) => lost = what,
            Err(PageError::Silent(_)) => lost = "to answer afterwards".to_owned(),
            Err(PageError::Fault(fault)) => return Err(fault),
        }
    }
    let advice = "a field that rewrites what it is given may take it key by key (`type`)";
    Err(Fault::persistent(
        FailureClass::Script,
        format!("filled `{selector}` {FILLS} times, but it failed {lost}; {advice}"),
    ))
}

/// Types text into a field, after its current text.
pub(super) async fn type_text(page: &impl PageDriver, step: &Type, budget: Budget) -> Result<(), Fault> {
    let budget = budget.at_most(step.timeout);
    if !act::<bool>(page, &step.selector, Act::TYPE, &json!("end"), budget).await? {
        page.press(&[END.into()], budget).await?;
    }
    let mut strokes = step.text.chars().filter(|character| *character != '\r').map(Stroke::of).peekable();
    let delay = step.delay.unwrap_or(Duration::ZERO);
    if delay.is_zero() {
        return strike(page, strokes, budget).await;
    }
    while let Some(stroke) = strokes.next() {
        strike(page, [stroke], budget).await?;
        if strokes.peek().is_some() {
            if budget.left() <= delay {
                let message = format!("typing was not done within {:?}", budget.whole());
                return Err(Fault::transient(FailureClass::Timeout, message));
            }
            sleep(delay).await;
        }
    }
    Ok(())
}

/// Presses a key or a chord, on an element if the step has a selector.
pub(super) async fn press(page: &impl PageDriver, step: &Press, budget: Budget) -> Result<(), Fault> {
    let budget = budget.at_most(step.timeout);
    let stroke =
        Stroke::parse(&step.key).map_err(|why| Fault::persistent(FailureClass::Script, why.to_string()))?;
    if let Some(selector) = &step.selector {
        act::<bool>(page, selector, Act::FOCUS, &json!("keep"), budget).await?;
    }
    strike(page, [stroke], budget).await
}

/// Sends keys in as few calls as possible. A character without a key is inserted as text.
async fn strike(
    page: &impl PageDriver,
    strokes: impl IntoIterator<Item = Stroke, IntoIter: Send> + Send,
    budget: Budget,
) -> Result<(), Fault> {
    let mut chords: Vec<Chord> = Vec::new();
    for stroke in strokes {
        match stroke {
            Stroke::Keys(chord) => chords.push(chord),
            Stroke::Text(character) => {
                if !chords.is_empty() {
                    page.press(&std::mem::take(&mut chords), budget).await?;
                }
                page.insert_text(&character.to_string(), budget).await?;
            }
        }
    }
    if chords.is_empty() { Ok(()) } else { page.press(&chords, budget).await }
}
