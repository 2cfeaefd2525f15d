//! Converts an answer's status and head into the port's types.

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::call::OutputHead;
use plimsoll_core::port::{CloseError, StepOutput};
use plimsoll_plugin_abi::status;
use serde::de::DeserializeOwned;

use crate::calls::Unanswered;
use crate::sink::Reply;

/// The value that an answer carries.
pub(crate) fn json<T: DeserializeOwned>(reply: &Reply) -> Result<T, Fault> {
    done(reply)?;
    serde_json::from_slice(&reply.head)
        .map_err(|why| internal(format!("the plugin's answer cannot be read: {why}")))
}

/// The result of a call that returns no value.
pub(crate) fn done(reply: &Reply) -> Result<(), Fault> {
    let words = || serde_json::from_slice::<String>(&reply.head).unwrap_or_default();
    Err(match reply.status {
        status::OK => return Ok(()),
        status::FAULT => serde_json::from_slice(&reply.head)
            .unwrap_or_else(|why| internal(format!("the plugin's fault cannot be read: {why}"))),
        status::PANICKED => internal(format!("the plugin panicked: {}", words())),
        status::CANCELLED => internal("the plugin cancelled a call by itself".to_owned()),
        status::UNKNOWN => Fault::persistent(
            FailureClass::Unsupported,
            "the plugin does not know this call; rebuild the plugin with the SDK of this version",
        ),
        status::MALFORMED => internal(format!("the plugin cannot read the call: {}", words())),
        // The plugin forgets an object that was closed or that ended.
        status::NO_SUCH_OBJECT => {
            Fault::transient(FailureClass::BrowserCrash, "the plugin no longer has this browser or context")
        }
        other => internal(format!("the plugin answered with the unknown status {other}")),
    })
}

/// The result of closing a browser or context. An object that the plugin does not know is gone.
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
        Unanswered::Twice => internal(format!("the plugin answered twice while {doing}")),
    }
}

/// The fault of a step without an answer. A driver owes an answer in any case, so its absence is the driver's fault and
/// not the page's; but a machine that is short of time can also be the cause, so a retry can help.
pub(crate) fn unperformed(why: &Unanswered) -> Fault {
    match why {
        Unanswered::Late(within) => Fault::transient(
            FailureClass::Internal,
            format!("the plugin has not answered within {within:?}, not even with a fault"),
        ),
        Unanswered::Twice => internal("the plugin answered a step twice".to_owned()),
        Unanswered::Over(_) => unanswered(why, ""),
    }
}

/// The output of a step. `body` is the content of an artifact.
pub(crate) fn output(head: OutputHead, body: Vec<u8>) -> Result<StepOutput, Fault> {
    match head {
        OutputHead::Artifact(_) => Ok(head.join(body)),
        _ if body.is_empty() => Ok(head.join(body)),
        _ => Err(internal(format!("the plugin's answer has {} bytes that are no artifact", body.len()))),
    }
}

fn internal(message: String) -> Fault {
    Fault::persistent(FailureClass::Internal, message)
}
