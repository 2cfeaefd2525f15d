//! Why a connection ended.

use std::io;

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Disconnect {
    /// The browser closed its end: it exited, or was killed.
    #[error("browser ended the connection")]
    Eof,
    /// Reading or writing failed.
    #[error("connection to the browser failed: {0}")]
    Io(io::ErrorKind),
    /// We closed it: by [`Connection::close`](super::Connection::close), by dropping the last handle, or by ending its
    /// tasks.
    #[error("connection was closed")]
    Closed,
}
