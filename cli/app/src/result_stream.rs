//! Standard output as the stream of results, which nothing else may write to.
//!
//! A driver library that runs in this process shares its descriptors, and may print. So the stream is moved to a
//! descriptor that only its holder knows, and what is printed from then on goes to standard error.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::OFlags;

/// Standard output was closed before the program started, so every result would be lost.
#[derive(Debug, thiserror::Error)]
#[error(
    "standard output is closed, and result lines would be lost; name a directory with `--out`, or write `> /dev/null` to \
     throw them away"
)]
pub struct Closed;

/// Checks that standard output was open when the program started.
///
/// # Errors
/// [`Closed`].
pub fn require_open() -> Result<(), Closed> {
    if is_stand_in(io::stdout().as_fd()).unwrap_or(false) { Err(Closed) } else { Ok(()) }
}

/// Whether the standard library has put `/dev/null` in the place of a closed descriptor: it is open for reading too, which
/// a redirection of the output is not.
fn is_stand_in(stream: BorrowedFd<'_>) -> rustix::io::Result<bool> {
    let (found, null) = (rustix::fs::fstat(stream)?, rustix::fs::stat("/dev/null")?);
    let mode = rustix::fs::fcntl_getfl(stream)? & OFlags::RWMODE;
    Ok(found.st_rdev == null.st_rdev && found.st_ino == null.st_ino && mode == OFlags::RDWR)
}

/// Takes standard output for results. To be called before a library is loaded.
///
/// # Errors
/// When there is no descriptor left.
pub fn claim() -> io::Result<File> {
    let stream = io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok(stream.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_for_a_closed_stream_is_known() {
        let null = |options: &File| is_stand_in(options.as_fd());
        let open =
            |write: &mut std::fs::OpenOptions| write.write(true).open("/dev/null").expect("Linux has it");
        assert_eq!(null(&open(File::options().read(true))), Ok(true));
        assert_eq!(null(&open(&mut File::options())), Ok(false));
        assert_eq!(null(&tempfile::tempfile().expect("a file")), Ok(false));
    }
}
