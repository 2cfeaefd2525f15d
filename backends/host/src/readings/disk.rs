//! Free space and inodes on the file system of the profile root.

use std::path::Path;

use plimsoll_core::policy::{Disk, Tally};
use plimsoll_core::units::Bytes;

use super::Seen;
use super::file::Blindness;

const SOURCE: &str = "statvfs of the profile root";

/// Space, and inodes if the file system has a fixed number of them. A profile root that does not exist yet will be
/// created below its nearest existing ancestor.
pub(super) fn read(profile_root: &Path) -> Result<(Seen<Disk>, Option<Seen<Tally>>), Blindness> {
    let missing = || Blindness::Missing { path: profile_root.to_owned() };
    let existing = profile_root.ancestors().find(|dir| dir.exists()).ok_or_else(missing)?;
    let stat = rustix::fs::statvfs(existing).map_err(|errno| Blindness::of(existing, &errno.into()))?;
    if stat.f_blocks == 0 {
        return Err(Blindness::garbage(existing, "the size of its file system"));
    }
    let bytes = |blocks: u64| Bytes(blocks.saturating_mul(stat.f_frsize));
    let space = Disk { free: bytes(stat.f_bavail.min(stat.f_blocks)), total: bytes(stat.f_blocks) };
    let inodes = Tally { used: stat.f_files.saturating_sub(stat.f_favail), limit: stat.f_files };
    let inodes = (stat.f_files > 0).then_some(Seen { value: inodes, source: SOURCE });
    Ok((Seen { value: space, source: SOURCE }, inodes))
}
