//! One DevTools session: commands to one target, and its events.

use std::sync::Arc;
use std::time::Duration;

use chromiumoxide_types::{Command, MethodId};
use serde_json::value::RawValue;

use super::call::{CallError, PendingCall, Ticket};
use super::connection::Connection;
use super::mailbox::{Event, Mailbox, SessionEnd};

/// A session, or the browser itself. Dropping it stops its events; it does not detach the target.
#[derive(Debug)]
pub struct Session {
    connection: Connection,
    id: Option<Arc<str>>,
    mailbox: Arc<Mailbox>,
}

impl Connection {
    /// The session with this id; it receives events with these `methods` only.
    ///
    /// Call it with the id from the attach reply: events since the announcement already wait in the mailbox. A session
    /// has one handle; a second claim ends the earlier handle.
    #[must_use]
    pub fn session(&self, id: &str, methods: &'static [&'static str]) -> Session {
        Session::claim(self.clone(), Some(id.into()), methods)
    }

    /// The browser itself: commands without a session, and browser-level events. It too has only one handle.
    #[must_use]
    pub fn root(&self, methods: &'static [&'static str]) -> Session {
        Session::claim(self.clone(), None, methods)
    }
}

impl Session {
    fn claim(connection: Connection, id: Option<Arc<str>>, methods: &'static [&'static str]) -> Self {
        let mailbox = connection.router().claim(id.as_ref(), methods, connection.bounds());
        Self { connection, id, mailbox }
    }

    /// The protocol's id of this session; `None` for the browser itself.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The connection this session belongs to.
    #[must_use]
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Sends a command and waits for its reply, both within `deadline`. Dropping the future removes the call; the
    /// command may still reach the browser.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn call<C: Command>(&self, command: C, deadline: Duration) -> Result<C::Response, CallError> {
        self.start(command, deadline).await?.reply().await
    }

    /// Sends a command and returns without waiting for its reply, so that several can be sent together. Commands arrive
    /// in the order in which `start` completed. The deadline counts from here.
    ///
    /// # Errors
    /// When the command could not be queued; later failures are reported by the [`PendingCall`].
    pub async fn start<C: Command>(
        &self,
        command: C,
        deadline: Duration,
    ) -> Result<PendingCall<C::Response>, CallError> {
        self.send(command.identifier(), &command, deadline).await.map(PendingCall::new)
    }

    /// Sends a command that has no type here; the result stays JSON.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn call_raw(
        &self,
        method: impl Into<MethodId>,
        params: &RawValue,
        deadline: Duration,
    ) -> Result<Box<RawValue>, CallError> {
        self.send(method.into(), params, deadline).await?.answer().await
    }

    /// The next event among the requested methods. Cancel-safe; use a timeout, because an event may never come.
    ///
    /// # Errors
    /// When no more events will come. Events that already wait are returned first.
    pub async fn next_event(&self) -> Result<Event, SessionEnd> {
        self.mailbox.next().await
    }

    async fn send<P: serde::Serialize + ?Sized>(
        &self,
        method: MethodId,
        params: &P,
        deadline: Duration,
    ) -> Result<Ticket, CallError> {
        let ticket = Ticket::take(&self.connection, self.id.as_ref(), &self.mailbox, method, deadline)?;
        let frame = ticket.encode(self.id(), params)?;
        ticket.queue(frame).await?;
        Ok(ticket)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.connection.router().release(self.id(), &self.mailbox);
    }
}
