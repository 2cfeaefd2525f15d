//! Which cgroup this process is in, and the directories of its ancestors.
//!
//! `/proc/self/cgroup` names a path in each hierarchy; the content of the mount points shows where that hierarchy is
//! mounted: version 2 alone, version 1 with one hierarchy for each controller, or both ("hybrid").
//!
//! Inside a container the path is often the host's and does not exist below the mount. Then the mount's root is the
//! container's cgroup.

use std::path::{Component, Path, PathBuf};

use super::file::{self, Blindness};

/// The maximum number of ancestors that are read; systemd nests about eight deep.
const DEPTH: usize = 32;

/// Which interface a cgroup offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    V2,
}

/// A cgroup with its ancestors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) version: Version,
    nearest: PathBuf,
    /// Its ancestors up to the mount point.
    above: Vec<PathBuf>,
}

/// A limit that one cgroup sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GroupLimit {
    pub(super) version: Version,
    pub(super) dir: PathBuf,
    pub(super) limit: u64,
}

impl Group {
    /// The cgroup of this process in the hierarchy of `controller`.
    pub(super) fn find(root: &Path, controller: &str) -> Result<Self, Blindness> {
        let path = root.join("proc/self/cgroup");
        match membership(&file::text(&path)?, controller) {
            Some(member) => Self::below(&root.join("sys/fs/cgroup").join(controller), &member, Version::V1),
            None => Self::unified(root),
        }
    }

    /// The cgroup of this process in the version 2 hierarchy.
    pub(super) fn unified(root: &Path) -> Result<Self, Blindness> {
        let path = root.join("proc/self/cgroup");
        let member =
            membership(&file::text(&path)?, "").ok_or_else(|| Blindness::garbage(&path, "the cgroup"))?;
        let mount = root.join("sys/fs/cgroup");
        let hybrid = mount.join("unified");
        let mount = if hybrid.join("cgroup.controllers").exists() { hybrid } else { mount };
        Self::below(&mount, &member, Version::V2)
    }

    fn below(mount: &Path, member: &str, version: Version) -> Result<Self, Blindness> {
        if !mount.is_dir() {
            return Err(Blindness::Missing { path: mount.to_owned() });
        }
        let relative = Path::new(member.trim_start_matches('/'));
        let stays_below = relative.components().all(|part| matches!(part, Component::Normal(_)));
        let inside = mount.join(relative);
        let nearest = if stays_below && inside.is_dir() { inside } else { mount.to_owned() };
        let above = nearest.ancestors().skip(1).take(DEPTH).take_while(|dir| dir.starts_with(mount));
        Ok(Self { version, above: above.map(Path::to_owned).collect(), nearest })
    }

    /// The directory of the cgroup itself.
    pub(super) fn nearest(&self) -> &Path {
        &self.nearest
    }

    /// The limits of the cgroup and its ancestors, as `limit` reads them from each directory. A limit that cannot be
    /// read is reported to `blind`, and its `previous` value is kept.
    pub(super) fn limits(
        &self,
        limit: impl Fn(&Path) -> Result<Option<u64>, Blindness>,
        previous: &[GroupLimit],
        mut blind: impl FnMut(Blindness),
    ) -> Vec<GroupLimit> {
        let known = |dir: &Path| previous.iter().find(|known| known.dir == dir).map(|known| known.limit);
        let dirs = std::iter::once(&self.nearest).chain(&self.above);
        let limits = dirs.filter_map(|dir| {
            let limit = limit(dir).unwrap_or_else(|blindness| {
                blind(blindness);
                known(dir)
            })?;
            Some(GroupLimit { version: self.version, dir: dir.clone(), limit })
        });
        limits.collect()
    }
}

/// The path behind `id:controllers:path` in the hierarchy with this controller; version 2 has none in that field.
fn membership(text: &str, controller: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let named = parts.next()?.split(',').any(|name| name == controller);
        named.then(|| parts.next().map(str::to_owned))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hierarchy_has_its_own_path() {
        let hybrid = "9:name=systemd:/a\n4:cpu,memory:/b:c\n0::/d\n";
        assert_eq!(membership(hybrid, "memory").as_deref(), Some("/b:c"));
        assert_eq!(membership(hybrid, "").as_deref(), Some("/d"));
        assert_eq!(membership(hybrid, "pids"), None);
        for garbage in ["", "\n", "4", "4:memory", "::", "memory:/x"] {
            assert_eq!(membership(garbage, "memory"), None, "{garbage:?}");
        }
    }

    #[test]
    fn a_path_never_leads_out_of_the_mount() {
        let root = tempfile::tempdir().expect("a directory");
        let mount = root.path().join("mount");
        std::fs::create_dir_all(mount.join("a/b")).expect("writable");
        let nearest = |member: &str| {
            Group::below(&mount, member, Version::V2)
                .expect("mounted")
                .nearest
                .strip_prefix(&mount)
                .map(Path::to_owned)
        };
        assert_eq!(nearest("/a/b"), Ok("a/b".into()));
        for elsewhere in ["/", "", "/..", "/../../etc", "/a/../..", "/docker/0123", "/a/b (deleted)"] {
            assert_eq!(nearest(elsewhere), Ok("".into()), "{elsewhere:?}");
        }
        let group = Group::below(&mount, "/a/b", Version::V2).expect("mounted");
        assert_eq!(group.above, [mount.join("a"), mount.clone()]);
    }
}
