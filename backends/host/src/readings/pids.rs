//! Processes and threads, which Linux counts alike, against the limit that would be reached first.
//!
//! A cgroup counts its own. The machine's limits and the user's limit (`RLIMIT_NPROC`) are compared with the number of
//! all threads of the machine, which `/proc/loadavg` contains. For the user's limit that is too high rather than too
//! low; an exact count would need every process's owner.

use std::path::Path;

use plimsoll_core::policy::Tally;
use plimsoll_core::units::Ratio;

use super::bound::{Bound, tightest};
use super::cgroup::{Group, GroupLimit, Version};
use super::file::{self, Blindness};
use super::{Notes, Seen};

/// Of several limits, the limit with the least room below this share counts. The share is only used for this choice:
/// the configured lines are close enough.
const ORDER_LINE: Ratio = Ratio::percent(80);
const SENSOR: &str = "processes and threads";

/// The limits on processes that the cgroup and its ancestors set.
pub(super) fn limits(group: &Group, previous: &[GroupLimit], notes: &mut Notes) -> Vec<GroupLimit> {
    group.limits(
        |dir| file::limit(&dir.join("pids.max")),
        previous,
        |blindness| notes.add("cgroup pids limit", blindness),
    )
}

/// Processes and threads under the bound that would be reached first. `user` is the limit of this process's user.
pub(super) fn read(
    root: &Path,
    limits: &[GroupLimit],
    user: Option<u64>,
    notes: &mut Notes,
) -> Option<Seen<Tally>> {
    let machine = notes.see(SENSOR, machine(root, user));
    let groups = limits.iter().filter_map(|group| {
        if let Some(bound) = notes.see(SENSOR, in_group(group)) {
            return Some(bound);
        }
        machine
            .map(|machine| Bound::new(machine.used, group.limit, "/proc/loadavg against the cgroup's limit"))
    });
    let bounds: Vec<Bound> = groups.collect();
    let Bound { used, limit, source } = tightest(bounds.into_iter().chain(machine), ORDER_LINE)?;
    Some(Seen { value: Tally { used, limit }, source })
}

fn in_group(group: &GroupLimit) -> Result<Bound, Blindness> {
    let source = match group.version {
        Version::V1 => "cgroup v1 pids.current",
        Version::V2 => "cgroup v2 pids.current",
    };
    Ok(Bound::new(file::number(&group.dir.join("pids.current"))?, group.limit, source))
}

fn machine(root: &Path, user: Option<u64>) -> Result<Bound, Blindness> {
    let path = root.join("proc/loadavg");
    let text = file::text(&path)?;
    // Three load averages, then `running/all`. At least this thread exists.
    let fourth = text.split_ascii_whitespace().nth(3).and_then(|field| field.split_once('/'));
    let used = fourth.and_then(|(_, all)| all.parse().ok()).filter(|all| *all > 0);
    let used = used.ok_or_else(|| Blindness::garbage(&path, "the number of threads"))?;
    let kernel = ["threads-max", "pid_max"].map(|name| root.join("proc/sys/kernel").join(name));
    let kernel = kernel.into_iter().filter_map(|path| file::number(&path).ok());
    let limits = kernel.map(|limit| (limit, "/proc/loadavg against the machine's limit"));
    let limits = limits.chain(user.map(|limit| (limit, "/proc/loadavg against RLIMIT_NPROC")));
    let (limit, source) = limits.min().ok_or_else(|| Blindness::garbage(&path, "a limit of threads"))?;
    Ok(Bound::new(used, limit, source))
}
