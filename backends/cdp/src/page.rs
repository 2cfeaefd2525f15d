//! One page: the session that commands it, and the only place that maps a failed call to its meaning.
//!
//! Steps distinguish three kinds of failure ([`PageError`]): the document is gone, so the next document may be asked;
//! the page did not answer in time, so it may be asked again; or it is a [`Fault`] and the step is over.

mod world;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use chromiumoxide_types::Command;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::page::PageError;

use self::world::World;
use crate::transport::{CallError, Session};

/// JSON-RPC: the method does not exist.
const METHOD_NOT_FOUND: i64 = -32601;
/// JSON-RPC: the parameters are not valid.
const INVALID_PARAMS: i64 = -32602;
/// The protocol's code for all other refusals of a browser.
const SERVER_ERROR: i64 = -32000;

/// A page and the session that commands it.
#[derive(Debug)]
pub(crate) struct Page {
    session: Session,
    world: World,
}

impl Page {
    /// The page at the other end of `session`; `documents` counts the documents of its main frame `frame`.
    pub(crate) const fn new(session: Session, frame: String, documents: Arc<AtomicU64>) -> Self {
        Self { session, world: World::new(frame, documents) }
    }

    /// The session, for events and for commands that are sent together.
    pub(crate) const fn session(&self) -> &Session {
        &self.session
    }

    /// Sends a command and waits for its reply, both within `deadline`.
    pub(crate) async fn call<C: Command>(
        &self,
        command: C,
        deadline: Duration,
    ) -> Result<C::Response, PageError> {
        Ok(self.session.call(command, deadline).await?)
    }

    /// Sends a command to our own world in the document. `command` gets the id of that world.
    pub(crate) async fn call_in_world<C: Command>(
        &self,
        command: impl FnOnce(i64) -> C + Send,
        deadline: Duration,
    ) -> Result<C::Response, PageError> {
        let world = self.world.id(&self.session, deadline).await?;
        let answer = self.call(command(world), deadline).await;
        if matches!(answer, Err(PageError::Moved)) {
            self.world.forget();
        }
        answer
    }
}

impl From<CallError> for PageError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Timeout { .. } => Self::Silent(error.into()),
            CallError::Protocol { code, ref message, .. } if document_is_gone(code, message) => Self::Moved,
            error => Self::Fault(error.into()),
        }
    }
}

impl From<CallError> for Fault {
    fn from(error: CallError) -> Self {
        let message = error.to_string();
        match error {
            CallError::Timeout { .. } => Self::transient(FailureClass::Timeout, message),
            CallError::Disconnected { .. } => Self::transient(FailureClass::BrowserCrash, message),
            CallError::SessionGone { .. } => Self::transient(FailureClass::PageCrash, message),
            CallError::Protocol { code: METHOD_NOT_FOUND, .. } => {
                Self::persistent(FailureClass::Unsupported, message)
            }
            CallError::Protocol { code: INVALID_PARAMS, .. }
            | CallError::TooLarge { .. }
            | CallError::AnswerTooLarge { .. } => Self::persistent(FailureClass::Script, message),
            CallError::Protocol { .. } => Self::transient(FailureClass::Script, message),
            CallError::Encode { .. } | CallError::Decode { .. } => {
                Self::persistent(FailureClass::Internal, message)
            }
        }
    }
}

/// Whether an error means that the document of the command is gone.
///
/// The protocol has no code of its own for this, only the general code and these words; no other code in the crate
/// compares the text of an error.
fn document_is_gone(code: i64, message: &str) -> bool {
    const WORDS: [&str; 9] = [
        "Inspected target navigated or closed",
        "Execution context was destroyed",
        "Cannot find context with specified id",
        "Cannot find default execution context",
        "Could not find object with given id",
        "Not attached to an active page",
        "No frame for given id found",
        "Could not create isolated world",
        "Promise was collected",
    ];
    code == SERVER_ERROR && WORDS.iter().any(|words| message.starts_with(words))
}

#[cfg(test)]
mod tests {
    use plimsoll_core::outcome::Recurrence;

    use super::*;

    fn refused(code: i64, message: &str) -> CallError {
        CallError::Protocol { method: "A.b".into(), code, message: message.to_owned() }
    }

    #[test]
    fn a_document_that_is_gone_is_told_from_a_fault_by_code_and_words() {
        let gone = refused(SERVER_ERROR, "Execution context was destroyed.");
        assert!(matches!(PageError::from(gone), PageError::Moved));
        for fault in
            [refused(SERVER_ERROR, "Unable to capture screenshot"), refused(1, "Promise was collected")]
        {
            assert!(matches!(PageError::from(fault), PageError::Fault(_)));
        }
    }

    #[test]
    fn each_error_has_its_class() {
        let classes = [
            (refused(METHOD_NOT_FOUND, ""), FailureClass::Unsupported, Recurrence::Persistent),
            (refused(INVALID_PARAMS, ""), FailureClass::Script, Recurrence::Persistent),
            (refused(SERVER_ERROR, ""), FailureClass::Script, Recurrence::Transient),
            (CallError::SessionGone { method: "A.b".into() }, FailureClass::PageCrash, Recurrence::Transient),
        ];
        for (error, class, recurrence) in classes {
            let fault = Fault::from(error);
            assert_eq!((fault.class, fault.recurrence), (class, recurrence), "{fault}");
        }
    }
}
