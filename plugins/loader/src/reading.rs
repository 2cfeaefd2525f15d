//! What an answer means: its status and head, as the port's words.

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::CloseError;
use plimsoll_plugin_abi::status;
use serde::de::DeserializeOwned;

use crate::session::Unanswered;
use crate::sink::Reply;

/// What came of a call that has something to say.
pub(crate) fn json<T: DeserializeOwned>(reply: &Reply) -> Result<T, Fault> {
    done(reply)?;
    serde_json::from_slice(&reply.head)
        .map_err(|why| internal(format!("the plugin's answer cannot be read: {why}")))
}

/// What came of a call that has nothing to say but that it is done.
pub(crate) fn done(reply: &Reply) -> Result<(), Fault> {
    let words = || serde_json::from_slice::<String>(&reply.head).unwrap_or_default();
    Err(match reply.status {
        status::OK => return Ok(()),
        status::FAULT => serde_json::from_slice(&reply.head)
            .unwrap_or_else(|why| internal(format!("the plugin's fault cannot be read: {why}"))),
        status::PANICKED => internal(format!("the plugin panicked: {}", words())),
        status::CANCELLED => internal("the plugin took a call back by itself".to_owned()),
        status::UNKNOWN => Fault::persistent(
            FailureClass::Unsupported,
            "the plugin does not know this call; rebuild it with the SDK of this version",
        ),
        status::MALFORMED => internal(format!("the plugin cannot read the call: {}", words())),
        // What was closed, or went down by itself, is forgotten.
        status::NO_SUCH_OBJECT => {
            Fault::transient(FailureClass::BrowserCrash, "the plugin has this browser or context no more")
        }
        other => internal(format!("the plugin answered with the unknown status {other}")),
    })
}

/// What came of a closing. What the plugin does not know is gone.
pub(crate) fn closed(reply: &Reply) -> Result<(), CloseError> {
    match reply.status {
        status::OK | status::NO_SUCH_OBJECT => Ok(()),
        status::FAULT => Err(serde_json::from_slice(&reply.head)
            .unwrap_or_else(|why| CloseError(format!("the plugin's reason cannot be read: {why}")))),
        _ => done(reply).map_err(|fault| CloseError(fault.message)),
    }
}

/// The fault of a call without an answer.
pub(crate) fn unanswered(why: &Unanswered, doing: &'static str) -> Fault {
    match why {
        Unanswered::Over(end) => {
            Fault::transient(FailureClass::BrowserCrash, format!("the plugin ended: {end}"))
        }
        Unanswered::Late(within) => Fault::transient(
            FailureClass::Timeout,
            format!("the plugin has not answered within {within:?} while {doing}"),
        ),
    }
}

fn internal(message: String) -> Fault {
    Fault::persistent(FailureClass::Internal, message)
}
