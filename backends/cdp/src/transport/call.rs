//! One call: from the pending table to its answer, its deadline, or the departure of its caller.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use chromiumoxide_types::MethodId;
use plimsoll_core::duration::rounded;
use plimsoll_core::units::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::connection::Connection;
use super::disconnect::Disconnect;
use super::envelope::ProtocolError;
use super::frame::encode;
use super::mailbox::Mailbox;
use super::pending::{Answer, Failure};

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The browser refused the command.
    #[error("{method} was refused: {message} ({code})")]
    Protocol {
        /// The command.
        method: MethodId,
        /// The protocol's error code; 0 when the browser's error could not be read.
        code: i64,
        /// The browser's message.
        message: String,
    },
    /// The deadline passed.
    #[error("{method} had no answer within {:?} (waiting for {stage})", rounded(*after))]
    Timeout {
        /// The command.
        method: MethodId,
        /// The time that the call was given.
        after: Duration,
        /// The stage that the call was in.
        stage: CallStage,
    },
    /// The connection ended before the answer came.
    #[error("{method} lost its connection: {reason}")]
    Disconnected {
        /// The command.
        method: MethodId,
        /// Why the connection ended.
        reason: Disconnect,
    },
    /// The session ended before the answer came: its target was closed, crashed or detached.
    #[error("{method} lost its session")]
    SessionGone {
        /// The command.
        method: MethodId,
    },
    /// The parameters could not be written as JSON. Nothing was sent.
    #[error("{method} could not be encoded: {why}")]
    Encode {
        /// The command.
        method: MethodId,
        /// The serializer's error.
        why: serde_json::Error,
    },
    /// The command is longer than [`ConnectionLimits::command`](super::ConnectionLimits::command).
    /// Nothing was sent.
    #[error("{method} is {size} long, and at most {limit} may be sent")]
    TooLarge {
        /// The command.
        method: MethodId,
        /// Its length.
        size: Bytes,
        /// The longest allowed.
        limit: Bytes,
    },
    /// The reply is longer than [`ConnectionLimits::frame`](super::ConnectionLimits::frame), and was skipped.
    #[error("{method} answered {size}, which is too large: at most {limit} are accepted")]
    AnswerTooLarge {
        /// The command.
        method: MethodId,
        /// The length of the reply.
        size: Bytes,
        /// The longest that is accepted.
        limit: Bytes,
    },
    /// The result does not have the shape of the command's response type.
    #[error("{method} answered something else: {why}")]
    Decode {
        /// The command.
        method: MethodId,
        /// The parser's error.
        why: serde_json::Error,
    },
}

/// The stage of a call whose deadline passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallStage {
    /// Waits for room in the queue to the browser: the browser has stopped reading.
    Queue,
    /// Waits for the browser's reply.
    Reply,
}

impl std::fmt::Display for CallStage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Queue => "the queue to the browser",
            Self::Reply => "the reply",
        })
    }
}

/// A command that was sent. Dropping it removes the call from the pending table.
#[derive(Debug)]
#[must_use = "a call that is dropped is forgotten, its failure too"]
pub struct PendingCall<R> {
    ticket: Ticket,
    response: PhantomData<fn() -> R>,
}

impl<R: DeserializeOwned> PendingCall<R> {
    pub(super) const fn new(ticket: Ticket) -> Self {
        Self { ticket, response: PhantomData }
    }

    /// Waits for the reply, until the deadline given at the start.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn reply(self) -> Result<R, CallError> {
        let method = self.ticket.method.clone();
        let answer = self.ticket.answer().await?;
        serde_json::from_str(answer.get()).map_err(|why| CallError::Decode { method, why })
    }
}

/// An entry in the pending table, removed on drop.
#[derive(Debug)]
pub(super) struct Ticket {
    connection: Connection,
    id: u32,
    method: MethodId,
    answer: oneshot::Receiver<Answer>,
    after: Duration,
    expires: Instant,
}

impl Ticket {
    /// Adds a call to the table. Its deadline counts from now.
    pub(super) fn take(
        connection: &Connection,
        session: Option<&Arc<str>>,
        mailbox: &Mailbox,
        method: MethodId,
        after: Duration,
    ) -> Result<Self, CallError> {
        match connection.router().begin(session.cloned(), mailbox) {
            Ok((id, answer)) => {
                let expires = connection.router().expiry(after);
                Ok(Self { connection: connection.clone(), id, method, answer, after, expires })
            }
            Err(failure) => Err(failure.of(method)),
        }
    }

    /// The command as a frame.
    pub(super) fn encode<P: Serialize + ?Sized>(
        &self,
        session: Option<&str>,
        params: &P,
    ) -> Result<Vec<u8>, CallError> {
        let frame = encode(self.id, session, &self.method, params)
            .map_err(|why| CallError::Encode { method: self.method.clone(), why })?;
        let (size, limit) = (Bytes(frame.len() as u64), self.connection.command_limit());
        if size > limit {
            return Err(CallError::TooLarge { method: self.method.clone(), size, limit });
        }
        Ok(frame)
    }

    /// Queues the frame for the writer; waits while the queue is full.
    pub(super) async fn queue(&self, frame: Vec<u8>) -> Result<(), CallError> {
        let outgoing = self.connection.outgoing();
        // A closed queue means that the connection has ended, or is about to end: the answer contains the reason.
        let Err(TrySendError::Full(frame)) = outgoing.try_send(frame) else { return Ok(()) };
        match timeout_at(self.expires, outgoing.send(frame)).await {
            Ok(_) => Ok(()),
            Err(_) => Err(self.timeout(CallStage::Queue)),
        }
    }

    /// Waits for the result, as unparsed JSON.
    pub(super) async fn answer(mut self) -> Result<Box<RawValue>, CallError> {
        match timeout_at(self.expires, &mut self.answer).await {
            Ok(Ok(Ok(result))) => Ok(result),
            Ok(Ok(Err(failure))) => Err(failure.of(self.method.clone())),
            // The router answers every call that it takes out of its table, so only the end of the router leads here.
            Ok(Err(_)) => Err(Failure::Disconnected(Disconnect::Closed).of(self.method.clone())),
            Err(_) => Err(self.timeout(CallStage::Reply)),
        }
    }

    fn timeout(&self, stage: CallStage) -> CallError {
        CallError::Timeout { method: self.method.clone(), after: self.after, stage }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.connection.router().forget(self.id);
    }
}

impl Failure {
    /// This failure as the error of a call of `method`.
    fn of(self, method: MethodId) -> CallError {
        match self {
            Self::Protocol(ProtocolError { code, message }) => CallError::Protocol { method, code, message },
            Self::SessionGone => CallError::SessionGone { method },
            Self::TooLarge { size, limit } => CallError::AnswerTooLarge { method, size, limit },
            Self::Disconnected(reason) => CallError::Disconnected { method, reason },
        }
    }
}
