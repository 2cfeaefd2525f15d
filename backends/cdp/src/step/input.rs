//! Trusted input events: the pointer at a point of the viewport, the keyboard, and text without keys.

use chromiumoxide_cdp::cdp::browser_protocol::input::{
    self, DispatchKeyEventParams, DispatchKeyEventType as KeyEvent, DispatchMouseEventParams,
    DispatchMouseEventType as MouseEvent, InsertTextParams,
};
use chromiumoxide_types::Command;
use plimsoll_core::outcome::Fault;
use plimsoll_core::page::delivered;
use plimsoll_core::page::keys::{Chord, Key};
use plimsoll_core::perform::Point;
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::MouseButton;

use crate::page::Page;

/// Moves the pointer to a point.
pub(super) async fn hover(page: &Page, at: Point, budget: Budget) -> Result<(), Fault> {
    send(page, mouse_event(MouseEvent::MouseMoved, at), budget).await
}

/// Moves to a point and clicks `count` times.
pub(super) async fn click(
    page: &Page,
    at: Point,
    button: MouseButton,
    count: u8,
    budget: Budget,
) -> Result<(), Fault> {
    hover(page, at, budget).await?;
    let (button, held) = match button {
        MouseButton::Left => (input::MouseButton::Left, 1),
        MouseButton::Right => (input::MouseButton::Right, 2),
        MouseButton::Middle => (input::MouseButton::Middle, 4),
    };
    for nth in 1..=count {
        for (kind, buttons) in [(MouseEvent::MousePressed, held), (MouseEvent::MouseReleased, 0)] {
            let event = DispatchMouseEventParams {
                button: Some(button.clone()),
                buttons: Some(buttons),
                click_count: Some(nth.into()),
                ..mouse_event(kind, at)
            };
            send(page, event, budget).await?;
        }
    }
    Ok(())
}

/// Presses the main button at the first point, moves through the others, and releases it at the last one.
pub(super) async fn drag(page: &Page, path: &[Point], budget: Budget) -> Result<(), Fault> {
    let (Some(from), Some(to)) = (path.first(), path.last()) else { return Ok(()) };
    let held = |kind, at: &Point, buttons| DispatchMouseEventParams {
        button: Some(input::MouseButton::Left),
        buttons: Some(buttons),
        ..mouse_event(kind, *at)
    };
    hover(page, *from, budget).await?;
    let press = DispatchMouseEventParams { click_count: Some(1), ..held(MouseEvent::MousePressed, from, 1) };
    send(page, press, budget).await?;
    for at in &path[1..] {
        send(page, held(MouseEvent::MouseMoved, at, 1), budget).await?;
    }
    let release = DispatchMouseEventParams { click_count: Some(1), ..held(MouseEvent::MouseReleased, to, 0) };
    send(page, release, budget).await
}

/// Presses chords one after the other.
pub(super) async fn press(page: &Page, chords: &[Chord], budget: Budget) -> Result<(), Fault> {
    for Chord { held, key } in chords {
        let mut mask = 0;
        for modifier in held {
            mask |= modifier.mask();
            send(page, key_event(KeyEvent::RawKeyDown, &modifier.key(), mask), budget).await?;
        }
        let down = if key.text.is_some() { KeyEvent::KeyDown } else { KeyEvent::RawKeyDown };
        let down = DispatchKeyEventParams { text: key.text.map(Into::into), ..key_event(down, key, mask) };
        send(page, down, budget).await?;
        send(page, key_event(KeyEvent::KeyUp, key, mask), budget).await?;
        for modifier in held.iter().rev() {
            mask &= !modifier.mask();
            send(page, key_event(KeyEvent::KeyUp, &modifier.key(), mask), budget).await?;
        }
    }
    Ok(())
}

/// Inserts text at the caret.
pub(super) async fn insert_text(page: &Page, text: &str, budget: Budget) -> Result<(), Fault> {
    send(page, InsertTextParams::new(text), budget).await
}

async fn send<C: Command>(page: &Page, event: C, budget: Budget) -> Result<(), Fault> {
    delivered(page.call(event, budget.left()).await)
}

fn mouse_event(kind: MouseEvent, Point { x, y }: Point) -> DispatchMouseEventParams {
    DispatchMouseEventParams::new(kind, x, y)
}

fn key_event(kind: KeyEvent, key: &Key, modifiers: i64) -> DispatchKeyEventParams {
    DispatchKeyEventParams {
        modifiers: Some(modifiers),
        key: Some(key.name.into()),
        code: Some(key.code.into()),
        windows_virtual_key_code: Some(key.virtual_code.into()),
        location: Some(key.location()),
        ..DispatchKeyEventParams::new(kind)
    }
}
