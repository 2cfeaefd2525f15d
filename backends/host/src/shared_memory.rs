//! Where browsers keep shared memory.

use plimsoll_core::units::Bytes;

/// Pages crash when `/dev/shm` is full. With less room than this (a container's default is 64 MiB) browsers do not use
/// it.
pub const ENOUGH: Bytes = Bytes::mib(512);

/// Where a browser keeps shared memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SharedMemory {
    /// In `/dev/shm`.
    DevShm,
    /// In its `TMPDIR`, because `/dev/shm` is too small.
    TemporaryDir,
}

impl SharedMemory {
    /// The place with enough room on this machine now.
    #[must_use]
    pub fn detect() -> Self {
        match rustix::fs::statvfs("/dev/shm") {
            Ok(found) if found.f_bavail.saturating_mul(found.f_frsize) >= ENOUGH.0 => Self::DevShm,
            _ => Self::TemporaryDir,
        }
    }
}
