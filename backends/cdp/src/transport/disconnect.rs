//! Why a connection ended.

use std::io;

use plimsoll_core::units::Bytes;

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Disconnect {
    /// The browser closed its end: it exited, or was killed.
    #[error("browser ended the connection")]
    Eof,
    /// Reading or writing failed.
    #[error("connection to the browser failed: {0}")]
    Io(io::ErrorKind),
    /// The browser sent a message that exceeds [`ConnectionLimits::frame`](super::ConnectionLimits::frame).
    #[error("browser sent a message of more than {limit}")]
    FrameTooLarge {
        /// The limit that was exceeded.
        limit: Bytes,
    },
    /// We closed it: by [`Connection::close`](super::Connection::close), by dropping the last handle, or by ending its
    /// tasks.
    #[error("connection was closed")]
    Closed,
}
