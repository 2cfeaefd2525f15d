//! The number of processes that the kernel has killed because of memory: of our cgroup if it counts them, else of the
//! whole machine.

use std::path::Path;

use super::cgroup::{Group, Version};
use super::file::{self, Blindness};
use super::{Notes, Seen};

/// The counter; it only grows, but may restart when the source changes.
pub(super) fn kills(root: &Path, group: Option<&Group>, notes: &mut Notes) -> Option<Seen<u64>> {
    let own = group.and_then(|group| {
        let (name, source) = match group.version {
            Version::V1 => ("memory.oom_control", "cgroup v1 memory.oom_control"),
            Version::V2 => ("memory.events", "cgroup v2 memory.events"),
        };
        counter(&group.nearest().join(name)).ok().map(|value| Seen { value, source })
    });
    own.or_else(|| {
        let machine = notes.see("OOM kills", counter(&root.join("proc/vmstat")));
        machine.map(|value| Seen { value, source: "/proc/vmstat oom_kill" })
    })
}

fn counter(path: &Path) -> Result<u64, Blindness> {
    file::field(&file::text(path)?, "oom_kill").ok_or_else(|| Blindness::garbage(path, "oom_kill"))
}
