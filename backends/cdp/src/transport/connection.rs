//! One connection to one browser: opened on a pair of byte streams, shared by all its sessions.

use std::sync::Arc;

use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_core::time::Moment;
use plimsoll_core::units::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

use super::disconnect::Disconnect;
use super::limits::ConnectionLimits;
use super::mailbox::Bounds;
use super::reader::read;
use super::router::{CloseOnDrop, Router, Stats};
use super::writer::write;

/// A handle to one connection; clones are cheap. The connection closes when the last clone, [`Session`](super::Session)
/// and [`PendingCall`](super::PendingCall) are dropped.
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
        let close_on_drop = || CloseOnDrop(Arc::clone(&router));
        // `closed` reports how the tasks end; the supervisor logs and counts a panic.
        drop(supervisor.spawn("cdp reader", read(reader, limits.frame, close_on_drop())));
        drop(supervisor.spawn("cdp writer", write(writer, queue, close_on_drop())));
        Self(Arc::new(Owner { router, outgoing, limits }))
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

    /// The traffic of this connection so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.router().stats()
    }

    /// The time of the last received data; before any data, the time when the connection was opened.
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
