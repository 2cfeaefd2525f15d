//! The open descriptors of this process, and its limits.
//!
//! The limits come from `/proc/self/limits` and not from a system call, so tests can use a copy of the file.

use std::fs;
use std::path::Path;

use plimsoll_core::policy::Tally;

use rustix::io::Errno;

use super::Seen;
use super::file::{self, Blindness};

/// The maximum number of descriptors that are counted: the kernel's default for the maximum of a process.
const MOST: usize = 1 << 20;

/// Soft limits of this process; `None` where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UserLimits {
    /// `RLIMIT_NOFILE`.
    pub(super) files: Option<u64>,
    /// `RLIMIT_NPROC`.
    pub(super) tasks: Option<u64>,
}

/// Reads the limits of this process.
pub(super) fn user_limits(root: &Path) -> Result<UserLimits, Blindness> {
    let path = root.join("proc/self/limits");
    let text = file::text(&path)?;
    let soft = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        match line.split_ascii_whitespace().next()? {
            "unlimited" => Some(None),
            limit => limit.parse().ok().map(Some),
        }
    };
    match (soft("Max open files "), soft("Max processes ")) {
        (Some(files), Some(tasks)) => Ok(UserLimits { files, tasks }),
        _ => Err(Blindness::garbage(&path, "the limits of files and processes")),
    }
}

/// Counts the open descriptors, including the one that is used for counting. When no descriptor is left for counting,
/// all are in use.
pub(super) fn read(root: &Path, limits: UserLimits) -> Result<Seen<Tally>, Blindness> {
    let path = root.join("proc/self/fd");
    // Zero means "no limit", so a limit of zero becomes the smallest limit.
    let limit = limits.files.map_or(0, |files| files.max(1));
    let used = match fs::read_dir(&path) {
        Ok(entries) => entries.take(MOST).count() as u64,
        Err(error) if Errno::from_io_error(&error) == Some(Errno::MFILE) => limit,
        Err(error) => return Err(Blindness::of(&path, &error)),
    };
    Ok(Seen { value: Tally { used, limit }, source: "/proc/self/fd against RLIMIT_NOFILE" })
}
