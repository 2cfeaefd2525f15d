//! This process's open descriptors, and the limits it runs under.
//!
//! The limits come from `/proc/self/limits` rather than from a system call, so that a copy of the file can stand for
//! a machine.

use std::fs;
use std::path::Path;

use plimsoll_core::policy::Tally;

use rustix::io::Errno;

use super::Seen;
use super::file::{self, Blindness};

/// No more descriptors than this are counted: the kernel's own default for the most that a process may have.
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

/// Counts the open descriptors; the one that counts them is among them. When there is none left to count with, all
/// are in use.
pub(super) fn read(root: &Path, limits: UserLimits) -> Result<Seen<Tally>, Blindness> {
    let path = root.join("proc/self/fd");
    // Zero stands for "no limit", so a limit of nothing becomes the smallest one.
    let limit = limits.files.map_or(0, |files| files.max(1));
    let used = match fs::read_dir(&path) {
        Ok(entries) => entries.take(MOST).count() as u64,
        Err(error) if Errno::from_io_error(&error) == Some(Errno::MFILE) => limit,
        Err(error) => return Err(Blindness::of(&path, &error)),
    };
    Ok(Seen { value: Tally { used, limit }, source: "/proc/self/fd against RLIMIT_NOFILE" })
}
