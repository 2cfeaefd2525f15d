//! The pointer: trusted mouse events at a point of the viewport.

use chromiumoxide_cdp::cdp::browser_protocol::input::{
    self, DispatchMouseEventParams, DispatchMouseEventType as Kind,
};
use plimsoll_core::outcome::Fault;
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::MouseButton;
use serde::Deserialize;

use super::keyboard::delivered;
use crate::page::Page;

/// A point of the viewport in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub(super) struct Point {
    x: f64,
    y: f64,
}

/// Moves the pointer to a point.
pub(super) async fn hover(page: &Page, at: Point, budget: Budget) -> Result<(), Fault> {
    delivered(page.call(event(Kind::MouseMoved, at), budget.left()).await)
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
        for (kind, buttons) in [(Kind::MousePressed, held), (Kind::MouseReleased, 0)] {
            let event = DispatchMouseEventParams {
                button: Some(button.clone()),
                buttons: Some(buttons),
                click_count: Some(nth.into()),
                ..event(kind, at)
            };
            delivered(page.call(event, budget.left()).await)?;
        }
    }
    Ok(())
}

fn event(kind: Kind, Point { x, y }: Point) -> DispatchMouseEventParams {
    DispatchMouseEventParams::new(kind, x, y)
}
