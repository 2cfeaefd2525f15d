//! One connection to one browser: opened on a pair of byte streams, shared by all its sessions.

use std::io;
use std::sync::Arc;

use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_core::time::Moment;
use plimsoll_core::units::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

use super::mailbox::Bounds;
use super::reader::read;
use super::router::{Lifeline, Router, Stats};
use super::session::Session;
use super::writer::write;

/// What one connection may hold in memory.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// The longest message accepted from the browser; a longer one ends the connection. The default,
    /// 128 MiB, is above any screenshot or PDF; Chromium itself sends no more than 256 MiB.
    pub frame: Bytes,
    /// The longest command. Chromium drops a client that sends more than 100 MiB, and every context
    /// of that browser with it; the default is 16 MiB.
    pub command: Bytes,
    /// Commands that may wait for the writer; further callers wait, within their deadlines.
    pub queued_commands: usize,
    /// Events that may wait in one session; beyond it the oldest are dropped and counted.
    pub queued_events: usize,
    /// Memory those events may take.
    pub queued_event_bytes: Bytes,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            frame: Bytes::mib(128),
            command: Bytes::mib(16),
            queued_commands: 256,
            queued_events: 1024,
            queued_event_bytes: Bytes::mib(16),
        }
    }
}

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Disconnect {
    /// The browser closed its end: it exited, or was killed.
    #[error("browser ended the connection")]
    Eof,
    /// Reading or writing failed.
    #[error("connection to the browser failed: {0}")]
    Io(io::ErrorKind),
    /// The browser sent a message beyond [`ConnectionLimits::frame`].
    #[error("browser sent a message of more than {limit}")]
    FrameTooLarge {
        /// The limit that was exceeded.
        limit: Bytes,
    },
    /// We ended it: by [`Connection::close`], by dropping the last handle, or by ending its tasks.
    #[error("connection was closed")]
    Closed,
}

/// A handle to one connection; clones are cheap. It closes when the last clone, [`Session`] and
/// [`PendingCall`](super::PendingCall) are gone.
#[derive(Debug, Clone)]
pub struct Connection(Arc<Owner>);

#[derive(Debug)]
struct Owner {
    router: Arc<Router>,
    outgoing: mpsc::Sender<Vec<u8>>,
    limits: ConnectionLimits,
}

impl Connection {
    /// Starts to read and write. Both tasks run on `supervisor` and end with the connection; when
    /// the supervisor ends them, the connection is [`Disconnect::Closed`].
    ///
    /// # Panics
    /// When called outside a tokio runtime, or with a queue limit of zero.
    pub fn open(
        reader: impl AsyncRead + Unpin + Send + 'static,
        writer: impl AsyncWrite + Unpin + Send + 'static,
        supervisor: &Supervisor,
        clock: Clock,
        limits: ConnectionLimits,
    ) -> Self {
        let router = Arc::new(Router::new(clock));
        let (outgoing, queue) = mpsc::channel(limits.queued_commands);
        let lifeline = || Lifeline(Arc::clone(&router));
        // How the tasks end is told by `closed`; a panic is logged and counted by the supervisor.
        drop(supervisor.spawn("cdp reader", read(reader, limits.frame, lifeline())));
        drop(supervisor.spawn("cdp writer", write(writer, queue, lifeline())));
        Self(Arc::new(Owner { router, outgoing, limits }))
    }

    /// The session with this id, to be told of events with these `methods` only.
    ///
    /// Call it with the id that attaching gave: events since the announcement are already waiting.
    /// A session has one handle; claiming it again ends the earlier one.
    #[must_use]
    pub fn session(&self, id: &str, methods: &'static [&'static str]) -> Session {
        Session::claim(self.clone(), Some(id.into()), methods)
    }

    /// The browser itself: commands without a session, browser-level events. It too has one handle.
    #[must_use]
    pub fn root(&self, methods: &'static [&'static str]) -> Session {
        Session::claim(self.clone(), None, methods)
    }

    /// Ends the connection now: pending calls fail, and the browser sees its end of the streams close.
    pub fn close(&self) {
        self.router().close(Disconnect::Closed);
    }

    /// Completes when the connection ends, with the reason.
    pub async fn closed(&self) -> Disconnect {
        self.router().closed().await
    }

    /// Why the connection ended, if it has.
    #[must_use]
    pub fn disconnect(&self) -> Option<Disconnect> {
        self.router().disconnect()
    }

    /// What went over the wire so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.router().stats()
    }

    /// When the browser was last heard of; the moment of opening, before it spoke.
    #[must_use]
    pub fn last_received(&self) -> Moment {
        self.router().last_received()
    }

    pub(super) fn router(&self) -> &Router {
        &self.0.router
    }

    pub(super) fn outgoing(&self) -> &mpsc::Sender<Vec<u8>> {
        &self.0.outgoing
    }

    pub(super) fn command_limit(&self) -> Bytes {
        self.0.limits.command
    }

    pub(super) fn bounds(&self) -> Bounds {
        let bytes = usize::try_from(self.0.limits.queued_event_bytes.0).unwrap_or(usize::MAX);
        Bounds { events: self.0.limits.queued_events, bytes }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.router.close(Disconnect::Closed);
    }
}
