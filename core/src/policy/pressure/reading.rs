//! [`Reading`]: the values of the machine's sensors, each with its source and its age.

use std::time::Duration;

use serde::Serialize;

use crate::time::Moment;
use crate::units::{Bytes, Ratio};

/// A value with its origin. A sensor without a value is `None` in the [`Reading`], never a zero.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sensed<T> {
    /// What was seen.
    pub value: T,
    /// Where, for people: "cgroup v2 memory.current", "/proc/meminfo".
    pub source: &'static str,
    /// When.
    pub at: Moment,
}

/// Memory in use, without what the kernel can drop at once, and the bound that would be hit first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MemoryUse {
    /// In use.
    pub used: Bytes,
    /// The smallest limit above this process: of a cgroup, or the machine's own.
    pub limit: Bytes,
}

/// Pressure stall information: the share of the last 10 s in which tasks stood still.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Stall {
    /// At least one task stood still.
    pub some10: Ratio,
    /// All tasks stood still.
    pub full10: Ratio,
}

/// Things that are counted against a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// In use.
    pub used: u64,
    /// The limit; zero means there is none.
    pub limit: u64,
}

/// Room on the disk that holds profiles and artifacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Disk {
    /// What an ordinary user may still write.
    pub free: Bytes,
    /// The size of the file system.
    pub total: Bytes,
}

/// One look at the machine.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Reading {
    /// Memory.
    pub memory: Option<Sensed<MemoryUse>>,
    /// Stalls for want of memory.
    pub memory_stall: Option<Sensed<Stall>>,
    /// Stalls for want of CPU: shown, never acted on.
    pub cpu_stall: Option<Sensed<Stall>>,
    /// Processes the kernel has killed for want of memory, ever.
    pub oom_kills: Option<Sensed<u64>>,
    /// Open file descriptors.
    pub fds: Option<Sensed<Tally>>,
    /// Processes and threads.
    pub pids: Option<Sensed<Tally>>,
    /// Disk space.
    pub disk: Option<Sensed<Disk>>,
    /// Files on that disk.
    pub inodes: Option<Sensed<Tally>>,
    /// By how much this program's own timers were late, at least, during 30 % of the last 5 s.
    pub loop_lag: Option<Sensed<Duration>>,
    /// Contexts that the driver's endpoints can hold, where they report it (a Grid's slots): the active limit stays below.
    pub slots: Option<u32>,
}

impl MemoryUse {
    /// The share of the limit in use.
    #[must_use]
    pub fn share(self) -> Ratio {
        self.used.share_of(self.limit)
    }
}

impl Tally {
    /// The share of the limit in use; zero without a limit.
    #[must_use]
    pub fn share(self) -> Ratio {
        Bytes(self.used).share_of(Bytes(self.limit))
    }
}

impl Disk {
    /// No more of a disk counts than this. What profiles need does not grow with the disk, so 2 GiB free are as much
    /// room on a terabyte as on 20 GiB, and a full disk is near only where little is free.
    pub(crate) const COUNTED: Bytes = Bytes::gib(20);

    /// The share in use of the last `Disk::COUNTED` of the disk, or of all of a smaller one.
    #[must_use]
    pub fn share(self) -> Ratio {
        let counted = self.total.min(Self::COUNTED);
        (counted - self.free).share_of(counted)
    }
}
