//! Reads a file that the user named, if it is a plain file and not too large.
//!
//! A pipe without a writer would block the program without end, and a device would fill the memory. So the file is opened
//! without waiting, examined through the same handle, and read up to a bound.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is none.
    #[error("cannot be read: there is no such file")]
    Missing,
    /// It is a directory.
    #[error("cannot be read: it is a directory; name a file in it")]
    Directory,
    /// It is a pipe, a socket or a device.
    #[error("cannot be read: it is a {0}; name a plain file")]
    NotPlain(&'static str),
    /// It is too large.
    #[error("cannot be read: it is larger than {} KiB, which no such file is", .0 >> 10)]
    TooLarge(usize),
    /// The system refuses.
    #[error("cannot be read: {0}")]
    System(io::Error),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound { Self::Missing } else { Self::System(error) }
    }
}

/// The content of the plain file at `path`, of `most` bytes at most.
///
/// # Errors
/// When it is no plain file, is larger, or cannot be read.
pub(super) fn read(path: &Path, most: usize) -> Result<Vec<u8>, ReadError> {
    let no_waiting = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(no_waiting).open(path)?;
    is_plain(&file)?;
    let mut content = Vec::new();
    file.take(most as u64 + 1).read_to_end(&mut content)?;
    if content.len() > most { Err(ReadError::TooLarge(most)) } else { Ok(content) }
}

fn is_plain(file: &File) -> Result<(), ReadError> {
    let kind = file.metadata()?.file_type();
    Err(match kind {
        _ if kind.is_file() => return Ok(()),
        _ if kind.is_dir() => ReadError::Directory,
        _ if kind.is_fifo() => ReadError::NotPlain("pipe"),
        _ if kind.is_socket() => ReadError::NotPlain("socket"),
        _ => ReadError::NotPlain("device"),
    })
}
