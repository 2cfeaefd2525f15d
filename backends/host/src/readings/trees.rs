//! Which processes belong to the browsers' trees: one pass over `/proc`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::file::Blindness;
use super::stat::Stat;

/// The maximum number of processes that are read: twice the default of `pid_max`.
const MOST: usize = 1 << 16;

/// A process of a tree. Numbers are reused; a number together with a start time is unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Process number.
    pub pid: i32,
    /// Its start time, in clock ticks since boot.
    pub born: u64,
    /// The tree: the number of its leader.
    pub tree: i32,
}

/// The living processes whose group or session is that of one of these leaders. A process that ends meanwhile may be
/// missing. Costs some microseconds for each process of the machine: not for the hot path.
///
/// # Errors
/// When `/proc` below `root` cannot be listed.
pub fn tree_pids(root: &Path, leaders: &BTreeSet<i32>) -> Result<Vec<Member>, Blindness> {
    let proc = root.join("proc");
    let entries = fs::read_dir(&proc).map_err(|error| Blindness::of(&proc, &error))?;
    let members = entries.take(MOST).flatten().filter_map(|entry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = Stat::read(&entry.path().join("stat")).ok().filter(|stat| stat.alive)?;
        let tree = [stat.group, stat.session].into_iter().find(|number| leaders.contains(number))?;
        Some(Member { pid, born: stat.born, tree })
    });
    Ok(members.collect())
}
