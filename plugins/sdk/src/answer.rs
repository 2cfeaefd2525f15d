//! How a call is answered: [`Answer`].

use std::any::Any;

use plimsoll_plugin_abi::status;
use serde::Serialize;

/// A status with what belongs to it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u32,
    /// JSON.
    pub(crate) head: Vec<u8>,
    /// The content of an artifact.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Done, with what came of it.
    pub(crate) fn ok(head: &impl Serialize) -> Self {
        Self::new(status::OK, head)
    }

    /// A status that needs no words.
    pub(crate) const fn bare(status: u32) -> Self {
        Self { status, head: Vec::new(), body: Vec::new() }
    }

    /// A status with words.
    pub(crate) fn new(status: u32, head: &impl Serialize) -> Self {
        match serde_json::to_vec(head) {
            Ok(head) => Self { status, head, body: Vec::new() },
            // A path that is no text, say.
            Err(why) => Self::new(status::MALFORMED, &format!("the answer cannot be written: {why}")),
        }
    }

    /// What a panic left.
    pub(crate) fn panicked(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Self::new(status::PANICKED, &text.unwrap_or("(no message)"))
    }
}
