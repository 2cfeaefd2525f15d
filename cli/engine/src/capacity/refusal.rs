//! [`Refusal`]: why no context fits on this machine, and which limit to raise.

use plimsoll_core::units::Bytes;
use plimsoll_host::readings::Resource;

/// The source that the host's readings name for the user's limit on threads.
pub(crate) const NPROC: &str = "/proc/loadavg against RLIMIT_NPROC";

/// Why no context fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A process may not open enough files.
    #[error("a browser needs {needed} open files for its first page and may have {limit}")]
    Descriptors {
        /// The least limit that suffices.
        needed: u64,
        /// `RLIMIT_NOFILE`.
        limit: u64,
    },
    /// There is no room for a browser's processes and threads.
    #[error(
        "a browser needs {needed} processes and threads for its first page, and {used} of {limit} are in use ({seen_in})"
    )]
    Threads {
        /// Processes and threads of a browser with one page.
        needed: u64,
        /// Processes and threads in use.
        used: u64,
        /// The limit, of which only a share may be used.
        limit: u64,
        /// Where both were read.
        seen_in: &'static str,
    },
    /// The limit on memory is too small for a browser even when nothing else runs.
    #[error(
        "a browser needs a limit of {needed} of memory for its first page, and the limit is {limit} ({seen_in})"
    )]
    Memory {
        /// The least limit that suffices.
        needed: Bytes,
        /// The limit.
        limit: Bytes,
        /// Where it was read.
        seen_in: &'static str,
    },
}

impl Refusal {
    /// Which limit to raise, and how.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Descriptors { .. } => remedy(Resource::Descriptors, ""),
            Self::Threads { seen_in, .. } => remedy(Resource::Threads, seen_in),
            Self::Memory { seen_in, .. } => remedy(Resource::Memory, seen_in),
        }
    }
}

/// How to make more room, as a command where there is one. `source` is where the limit was read.
#[must_use]
pub fn remedy(resource: Resource, source: &str) -> &'static str {
    let in_group = source.starts_with("cgroup") || source.ends_with("the cgroup's limit");
    match resource {
        // The soft limit already equals the hard limit, and only root can raise that; this is for the current shell.
        Resource::Descriptors => {
            "as root: `prlimit --pid $$ --nofile=65536` (docker: `--ulimit nofile=65536`)"
        }
        Resource::Threads if in_group => "docker: `--pids-limit 16384`; systemd: `TasksMax=16384`",
        Resource::Threads if source == NPROC => {
            "as root: `prlimit --pid $$ --nproc=32768` (docker: `--ulimit nproc=32768`)"
        }
        Resource::Threads => "as root: `sysctl kernel.threads-max=131072 kernel.pid_max=131072`",
        Resource::Memory if in_group => "docker: `--memory 4g`; systemd: `MemoryMax=4G`",
        Resource::Memory => "close what else runs here, or take a larger machine",
    }
}
