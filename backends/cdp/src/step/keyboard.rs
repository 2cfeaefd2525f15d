//! The keyboard: trusted key events, and text without keys.

use std::time::Duration;

use chromiumoxide_cdp::cdp::browser_protocol::input::{
    DispatchKeyEventParams, DispatchKeyEventType as Kind, InsertTextParams,
};
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::page::keys::{Chord, Key, Stroke};
use plimsoll_core::runtime::budget::Budget;
use tokio::time::sleep;

use crate::page::{Page, Trouble};

/// Presses and releases one key.
pub(super) async fn press(page: &Page, key: Key, budget: Budget) -> Result<(), Fault> {
    press_chord(page, &Chord { held: Vec::new(), stroke: Stroke::Key(key) }, budget).await
}

/// Presses the modifiers of a chord in order, then its key, and releases all in reverse.
pub(super) async fn press_chord(page: &Page, chord: &Chord, budget: Budget) -> Result<(), Fault> {
    let key = match &chord.stroke {
        Stroke::Key(key) => key,
        Stroke::Text(character) => return insert(page, &character.to_string(), budget).await,
    };
    let mut mask = 0;
    for modifier in &chord.held {
        mask |= modifier.mask();
        send(page, event(Kind::RawKeyDown, &modifier.key(), mask), budget).await?;
    }
    let down = if key.text.is_some() { Kind::KeyDown } else { Kind::RawKeyDown };
    let down = DispatchKeyEventParams { text: key.text.map(Into::into), ..event(down, key, mask) };
    send(page, down, budget).await?;
    send(page, event(Kind::KeyUp, key, mask), budget).await?;
    for modifier in chord.held.iter().rev() {
        mask &= !modifier.mask();
        send(page, event(Kind::KeyUp, &modifier.key(), mask), budget).await?;
    }
    Ok(())
}

/// Types text character by character, with a pause between two.
pub(super) async fn type_text(page: &Page, text: &str, delay: Duration, budget: Budget) -> Result<(), Fault> {
    let mut characters = text.chars().filter(|character| *character != '\r').peekable();
    while let Some(character) = characters.next() {
        let stroke = Stroke::of(character);
        press_chord(page, &Chord { held: Vec::new(), stroke }, budget).await?;
        if !delay.is_zero() && characters.peek().is_some() {
            if budget.left() <= delay {
                let message = format!("typing was not done within {:?}", budget.whole());
                return Err(Fault::transient(FailureClass::Timeout, message));
            }
            sleep(delay).await;
        }
    }
    Ok(())
}

/// Inserts text where the caret is, as an input method does: no key events, but trusted input events.
pub(super) async fn insert(page: &Page, text: &str, budget: Budget) -> Result<(), Fault> {
    delivered(page.call(InsertTextParams::new(text), budget.left()).await)
}

/// An input event whose document went away before it was acknowledged has done its work.
pub(super) fn delivered<T>(reply: Result<T, Trouble>) -> Result<(), Fault> {
    match reply {
        Ok(_) | Err(Trouble::Moved) => Ok(()),
        Err(trouble) => Err(trouble.into()),
    }
}

async fn send(page: &Page, event: DispatchKeyEventParams, budget: Budget) -> Result<(), Fault> {
    delivered(page.call(event, budget.left()).await)
}

fn event(kind: Kind, key: &Key, modifiers: i64) -> DispatchKeyEventParams {
    DispatchKeyEventParams {
        modifiers: Some(modifiers),
        key: Some(key.name.into()),
        code: Some(key.code.into()),
        windows_virtual_key_code: Some(key.virtual_code.into()),
        location: Some(key.location()),
        ..DispatchKeyEventParams::new(kind)
    }
}
