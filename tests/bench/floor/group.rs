//! A control group for one client and its browsers: the only place where all of their processor time adds up.
//!
//! What a browser's renderers took cannot be learnt from processes: they are gone before anybody looks, and their
//! times do not reach the browser's. Needs cgroup v2, or `cpuacct` of v1, and the right to make a group in ours.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where systems mount them.
const MOUNT: &str = "/sys/fs/cgroup";

/// The group. Dropping it removes it, once all in it have ended.
#[derive(Debug)]
pub(crate) struct Group {
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
    /// Makes a group below our own, for this process and its descendants to come.
    pub(crate) fn of(process: u32) -> io::Result<Self> {
        let (home, accounts) = home(&fs::read_to_string("/proc/self/cgroup")?)
            .ok_or_else(|| io::Error::other("no control groups that count processor time"))?;
        let dir = home.join(format!("bench-floor-{process}"));
        fs::create_dir(&dir)?;
        let group = Self { dir, accounts };
        fs::write(group.dir.join("cgroup.procs"), process.to_string())?;
        Ok(group)
    }

    /// Processor time of all that is or was in it.
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
        // A group that is not empty stays, and harms nobody.
        let _ = fs::remove_dir(&self.dir);
    }
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
