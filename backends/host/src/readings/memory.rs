//! Memory in use, without the file cache that the kernel can drop at once, against the limit that is reached first.
//!
//! Each cgroup with a limit is compared with *its own* use: other processes may fill an ancestor. The machine itself is
//! a further bound: `MemTotal - MemAvailable` of `MemTotal`.
//!
//! Failure paths: a cgroup whose use cannot be read is assumed to use as much as the whole machine does, which is too
//! high rather than too low, and is listed as blind.

use std::path::Path;

use plimsoll_core::policy::MemoryUse;
use plimsoll_core::units::{Bytes, Ratio};

use super::bound::{Bound, tightest};
use super::cgroup::{Group, GroupLimit, Version};
use super::file::{self, Blindness};
use super::{Notes, Seen};

/// Of several limits, the limit with the least room below this share counts. The share is only used for this choice:
/// the configured lines are close enough.
const ORDER_LINE: Ratio = Ratio::percent(85);
/// Version 1 writes "no limit" as the largest number of whole pages; no machine has an eighth of that.
const V1_NO_LIMIT: u64 = 1 << 60;
const SENSOR: &str = "memory";

/// The limits on memory that the cgroup and its ancestors set.
pub(super) fn limits(group: &Group, previous: &[GroupLimit], notes: &mut Notes) -> Vec<GroupLimit> {
    let read = |dir: &Path| match group.version {
        Version::V1 => {
            let limit = file::limit(&dir.join("memory.limit_in_bytes"))?;
            Ok(limit.filter(|bytes| *bytes < V1_NO_LIMIT))
        }
        Version::V2 => {
            let max = file::limit(&dir.join("memory.max"))?;
            // Above `high` the kernel slows all processes down instead of killing one: for a run this is as bad.
            let high = file::limit(&dir.join("memory.high"))?;
            Ok(max.into_iter().chain(high).min())
        }
    };
    group.limits(read, previous, |blindness| notes.add("cgroup memory limit", blindness))
}

/// Memory in use under the bound that would be reached first.
pub(super) fn read(root: &Path, limits: &[GroupLimit], notes: &mut Notes) -> Option<Seen<MemoryUse>> {
    let machine = notes.see(SENSOR, machine(root));
    let groups = limits.iter().filter_map(|group| {
        if let Some(bound) = notes.see(SENSOR, in_group(group)) {
            return Some(bound);
        }
        machine
            .map(|machine| Bound::new(machine.used, group.limit, "/proc/meminfo against the cgroup's limit"))
    });
    let bounds: Vec<Bound> = groups.collect();
    let Bound { used, limit, source } = tightest(bounds.into_iter().chain(machine), ORDER_LINE)?;
    Some(Seen { value: MemoryUse { used: Bytes(used), limit: Bytes(limit) }, source })
}

fn machine(root: &Path) -> Result<Bound, Blindness> {
    let path = root.join("proc/meminfo");
    let text = file::text(&path)?;
    let amount = |name| file::kib_field(&text, name);
    match (amount("MemTotal"), amount("MemAvailable")) {
        (Some(total), Some(available)) if available <= total && total > 0 => {
            Ok(Bound::new(total - available, total, "/proc/meminfo"))
        }
        _ => Err(Blindness::garbage(&path, "MemTotal and MemAvailable")),
    }
}

fn in_group(group: &GroupLimit) -> Result<Bound, Blindness> {
    let (usage, cache, source, with_cache) = match group.version {
        Version::V1 => (
            "memory.usage_in_bytes",
            "total_inactive_file",
            "cgroup v1 memory.usage_in_bytes",
            "cgroup v1 memory.usage_in_bytes with file cache",
        ),
        Version::V2 => (
            "memory.current",
            "inactive_file",
            "cgroup v2 memory.current",
            "cgroup v2 memory.current with file cache",
        ),
    };
    let used = file::number(&group.dir.join(usage))?;
    let droppable =
        file::text(&group.dir.join("memory.stat")).ok().and_then(|text| file::field(&text, cache));
    // More cache than use is invalid; with that value the cgroup would look empty.
    Ok(match droppable.filter(|droppable| *droppable <= used) {
        Some(droppable) => Bound::new(used - droppable, group.limit, source),
        None => Bound::new(used, group.limit, with_cache),
    })
}
