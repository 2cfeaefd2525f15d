//! How a call is answered: [`Answer`].

use std::any::Any;

use plimsoll_plugin_abi::status;
use serde::Serialize;

/// A status with its head and body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u32,
    /// JSON.
    pub(crate) head: Vec<u8>,
    /// The content of an artifact.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Success, with its result.
    pub(crate) fn ok(head: &impl Serialize) -> Self {
        Self::new(status::OK, head)
    }

    /// A status without text.
    pub(crate) const fn bare(status: u32) -> Self {
        Self { status, head: Vec::new(), body: Vec::new() }
    }

    /// A status with text.
    pub(crate) fn new(status: u32, head: &impl Serialize) -> Self {
        match serde_json::to_vec(head) {
            Ok(head) => Self { status, head, body: Vec::new() },
            // For example, a path that is not valid UTF-8.
            Err(why) => Self::new(status::MALFORMED, &format!("the answer cannot be written: {why}")),
        }
    }

    /// The answer for a panic.
    pub(crate) fn panicked(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Self::new(status::PANICKED, &text.unwrap_or("(no message)"))
    }
}
