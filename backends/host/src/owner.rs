//! Directories that belong to a run until it ends: the run holds a lock in each directory, and the kernel releases the
//! lock however the run ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// The file in such a directory whose lock its owner holds.
pub const LOCK: &str = "owner.lock";

/// Locks a run's directory for us; `None` when another run holds it or has just removed it. Both owners and sweeps use
/// this function, so neither can harm the other between the creation of a directory and its locking.
///
/// # Errors
/// When the lock cannot be opened or taken for another reason.
pub fn claim(run: &Path) -> io::Result<Option<File>> {
    let path = run.join(LOCK);
    let flags = OFlags::NOFOLLOW.bits().cast_signed();
    let opened = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(flags)
        .open(&path);
    let lock = match opened {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    match lock.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
        Ok(()) => {}
    }
    // The previous holder of the lock may have removed the directory: then this lock protects nothing.
    let ours = lock.metadata()?;
    let same =
        fs::symlink_metadata(&path).is_ok_and(|now| now.ino() == ours.ino() && now.dev() == ours.dev());
    Ok(same.then_some(lock))
}
