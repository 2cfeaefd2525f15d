//! Scripts about the whole page: its HTML, its URL and its scroll position.

use serde_json::{Value, json};

use super::act::Act;
use super::script::script;
use crate::step::ScrollTarget;

/// A script that returns the page's URL. A page can make its URL as long as it likes.
pub const LOCATION: &str = "({ ready: location.href.slice(0, 65536) })";

/// A script that returns the number of device pixels in a CSS pixel.
pub const PIXEL_RATIO: &str = "({ ready: +devicePixelRatio })";

/// A script that returns the page's HTML with its doctype.
#[must_use]
pub fn content() -> String {
    script(include_str!("content.js"), &())
}

/// A script that scrolls, and the description of what it waits for.
#[must_use]
pub fn scroll(to: &ScrollTarget) -> (String, &str) {
    let to = match to {
        ScrollTarget::Selector(selector) => return (Act::INTO_VIEW.script(selector, &Value::Null), selector),
        ScrollTarget::Top => json!({ "to": "top" }),
        ScrollTarget::Bottom => json!({ "to": "bottom" }),
        ScrollTarget::By(right, down) => json!({ "to": "by", "right": right, "down": down }),
    };
    (script(include_str!("scroll.js"), &to), "the page")
}
