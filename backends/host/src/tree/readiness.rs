//! Waiting, without a thread, for a descriptor to become readable.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Registers a copy of `fd` with the runtime: a pidfd becomes readable when its process ends, a pipe when it holds
/// bytes or has no writer any more.
///
/// # Panics
/// When called outside a tokio runtime.
#[expect(
    unsafe_code,
    reason = "tokio has no safe way to register a descriptor that is not a socket or a pipe"
)]
pub(crate) fn readiness(fd: impl AsFd) -> io::Result<AsyncFd<OwnedFd>> {
    let copy = fd.as_fd().try_clone_to_owned()?;
    // SAFETY: the registration owns its copy, so the descriptor stays open and the same for as long as it is watched.
    Ok(unsafe { AsyncFd::register_with_interest(copy, Interest::READABLE) }?)
}
