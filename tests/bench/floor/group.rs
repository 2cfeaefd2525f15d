//! A control group for one client and its browsers, which counts the processor time of all their processes.
//!
//! The processor time of a browser's renderers cannot be read from processes: they end unnoticed, and their times are
//! not added to the browser's. Needs cgroup v2, or `cpuacct` of v1, and the right to make a group in ours.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The usual mount point.
const MOUNT: &str = "/sys/fs/cgroup";

/// The group. Dropping it removes the group, if all its processes have ended.
#[derive(Debug)]
pub(crate) struct Group {
    /// The group of this process.
    home: PathBuf,
    dir: PathBuf,
    accounts: Accounts,
}

/// Which kernel interface keeps the accounts.
#[derive(Debug, Clone, Copy)]
enum Accounts {
    V1,
    V2,
}

impl Group {
    /// Makes a group below our own.
    pub(crate) fn make() -> io::Result<Self> {
        let (home, accounts) = home(&fs::read_to_string("/proc/self/cgroup")?)
            .ok_or_else(|| io::Error::other("no control groups that count processor time"))?;
        let dir = home.join(format!("bench-floor-{}", std::process::id()));
        fs::create_dir(&dir)?;
        Ok(Self { home, dir, accounts })
    }

    /// Calls `start` inside the group, so the child is in it from its beginning. A child that is moved later might
    /// already have children.
    pub(crate) fn around<T>(&self, start: impl FnOnce() -> T) -> io::Result<T> {
        move_to(&self.dir)?;
        let started = start();
        move_to(&self.home)?;
        Ok(started)
    }

    /// Processor time of all present and past processes of the group.
    pub(crate) fn used(&self) -> io::Result<Duration> {
        let read = |file: &str| fs::read_to_string(self.dir.join(file));
        let used = match self.accounts {
            Accounts::V1 => read("cpuacct.usage")?.trim().parse().ok().map(Duration::from_nanos),
            Accounts::V2 => {
                let text = read("cpu.stat")?;
                let micros = text.lines().find_map(|line| line.strip_prefix("usage_usec "));
                micros.and_then(|micros| micros.parse().ok()).map(Duration::from_micros)
            }
        };
        used.ok_or_else(|| io::Error::other("the group's processor time is no number"))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A group that is not empty stays, which does no harm.
        let _ = fs::remove_dir(&self.dir);
    }
}

/// Moves this process.
fn move_to(dir: &Path) -> io::Result<()> {
    fs::write(dir.join("cgroup.procs"), std::process::id().to_string())
}

/// The directory of our own group among those that count processor time. `memberships` is `/proc/self/cgroup`.
fn home(memberships: &str) -> Option<(PathBuf, Accounts)> {
    memberships.lines().find_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        let path = path.trim_start_matches('/');
        if controllers.split(',').any(|controller| controller == "cpuacct") {
            Some((Path::new(MOUNT).join(controllers).join(path), Accounts::V1))
        } else {
            let v2 = controllers.is_empty() && Path::new(MOUNT).join("cgroup.controllers").exists();
            v2.then(|| (Path::new(MOUNT).join(path), Accounts::V2))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_that_counts_is_found_among_others() {
        let found = |memberships| home(memberships).map(|(dir, _)| dir);
        let expected = [
            ("4:memory:/a\n2:cpuacct:/\n", Some("/sys/fs/cgroup/cpuacct")),
            ("3:cpu,cpuacct:/a/b\n", Some("/sys/fs/cgroup/cpu,cpuacct/a/b")),
            ("4:memory:/a\n1:name=systemd:/\n", None),
        ];
        for (memberships, dir) in expected {
            assert_eq!(found(memberships), dir.map(PathBuf::from), "{memberships}");
        }
    }
}
