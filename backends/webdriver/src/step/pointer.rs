//! The pointer: trusted mouse events at a point of the viewport.

use plimsoll_core::outcome::Fault;
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::MouseButton;
use serde::Deserialize;
use serde_json::{Value, json};

use super::keyboard::delivered;
use crate::tab::Tab;

/// A point of the viewport in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub(super) struct Point {
    x: f64,
    y: f64,
}

/// Moves the pointer to a point.
pub(super) async fn hover(tab: &Tab, at: Point, budget: Budget) -> Result<(), Fault> {
    perform(tab, vec![moved(at)], budget).await
}

/// Moves to a point and clicks `count` times.
pub(super) async fn click(
    tab: &Tab,
    at: Point,
    button: MouseButton,
    count: u8,
    budget: Budget,
) -> Result<(), Fault> {
    let button = match button {
        MouseButton::Left => 0,
        MouseButton::Middle => 1,
        MouseButton::Right => 2,
    };
    let mut actions = vec![moved(at)];
    for _ in 0..count {
        actions.push(json!({ "type": "pointerDown", "button": button }));
        actions.push(json!({ "type": "pointerUp", "button": button }));
    }
    perform(tab, actions, budget).await
}

/// A pixel is the finest that every remote end knows.
fn moved(Point { x, y }: Point) -> Value {
    json!({ "type": "pointerMove", "duration": 0, "x": x.floor() as i64, "y": y.floor() as i64 })
}

async fn perform(tab: &Tab, actions: Vec<Value>, budget: Budget) -> Result<(), Fault> {
    let mouse = json!({
        "type": "pointer", "id": "mouse", "parameters": { "pointerType": "mouse" }, "actions": actions,
    });
    delivered(tab.session().post("actions", &json!({ "actions": [mouse] }), budget.left()).await)
}
