//! Profile directories that are removed with their owner.
//!
//! ```text
//!   <base>/                    ours alone; shared by every run of this user
//!    ├─ run-<pid>-<random>/    one run; its owner.lock is held for as long as the run lives
//!    │   ├─ owner.lock
//!    │   └─ <name>/            one browser's profile, owned by the browser's user; tmp/ inside
//!    └─ .trash-...             given up, being deleted
//! ```
//!
//! The kernel releases the lock when its owner ends for any reason. A free lock therefore marks the directory of a run
//! that has ended, and [`ProfileRoot::sweep`] removes it with all processes that still use it.
//!
//! Browsers are not trusted: their directories may contain links to any place, and directories that nobody may enter. The
//! deletion follows no link, and opens such directories to their owner first.

mod sweep;

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use plimsoll_core::runtime::supervisor::{Supervisor, TaskFailure};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;

pub use self::sweep::SweepReport;
use crate::identity::Identity;
use crate::owner::claim;

/// Prefix of a run's directory.
const RUN: &str = "run-";
/// Prefix of a directory that is being deleted.
const TRASH: &str = ".trash-";
/// The number of tries when a sweep removes a new directory as abandoned before it is locked.
const CLAIMS: usize = 5;
/// Attempts to delete a directory that a process still writes to.
const REMOVALS: u32 = 5;
/// Pause after the first attempt; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Why a profile directory could not be created or removed.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The base is a link, a file or a device.
    #[error("{} is not a directory of its own; move it away or choose another place for profiles", path.display())]
    NotADirectory {
        /// The base.
        path: PathBuf,
    },
    /// The base belongs to another user, who could read or replace profiles.
    #[error("{} belongs to uid {owner}, not to us (uid {us}); choose another place for profiles", path.display())]
    ForeignOwner {
        /// The base.
        path: PathBuf,
        /// The owner of the base.
        owner: u32,
        /// The user of this process.
        us: u32,
    },
    /// The browsers' user cannot access the base.
    #[error("{user} cannot enter {}, which leads to the profiles; `chmod o+x` it or choose another place", dir.display())]
    Unreachable {
        /// The directory without access.
        dir: PathBuf,
        /// The browsers' user.
        user: Identity,
    },
    /// A profile's name must be a plain file name.
    #[error("{0:?} is no name for a profile: use letters, digits, '-' and '_'")]
    BadName(String),
    /// Sweeps of other runs took every new directory before it could be locked.
    #[error("could not claim a directory in {}: other runs kept sweeping it", base.display())]
    Contended {
        /// The base.
        base: PathBuf,
    },
    /// The file system returned an error.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// The operation.
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The task that deletes files failed or was cut off by the end of the runtime.
    #[error("deleting {} was interrupted", path.display())]
    Interrupted {
        /// The path that was being deleted.
        path: PathBuf,
        /// The cause.
        source: TaskFailure,
    },
}

/// The default place for profiles: `plimsoll-<uid>` in the system's directory for temporary files.
#[must_use]
pub fn default_base() -> PathBuf {
    std::env::temp_dir().join(format!("plimsoll-{}", rustix::process::geteuid().as_raw()))
}

/// The directory of one run, locked for as long as this lives. Dropping it deletes the directory.
#[derive(Debug)]
pub struct ProfileRoot {
    base: PathBuf,
    run: PathBuf,
    identity: Identity,
    /// Held but never read: the kernel releases the lock when the last copy is closed.
    _lock: File,
}

/// One browser's directory. Dropping it tries once to delete it; [`ProfileDir::remove`] tries several times.
#[derive(Debug)]
pub struct ProfileDir {
    path: PathBuf,
}

impl ProfileRoot {
    /// Creates `base` if needed (its parent must exist) and a new directory in it. Browsers will run as `identity`.
    ///
    /// # Errors
    /// When `base` is not only ours, when the browsers' user cannot reach it, or on a file system error.
    pub fn open(base: &Path, identity: &Identity) -> Result<Self, ProfileError> {
        let base = own_base(base, identity)?;
        reachable(&base, identity)?;
        for _ in 0..CLAIMS {
            let name = format!("{RUN}{}-{:016x}", rustix::process::getpid().as_raw_pid(), fastrand::u64(..));
            let run = base.join(name);
            make_dir(&run)?;
            match claim(&run) {
                Ok(Some(lock)) => {
                    // Only after it is locked: until then a sweep may remove it.
                    set_mode(&run, traversable(identity))?;
                    return Ok(Self { base, run, identity: identity.clone(), _lock: lock });
                }
                Ok(None) => {}
                Err(source) => return Err(ProfileError::Io { action: "lock", path: run, source }),
            }
        }
        Err(ProfileError::Contended { base })
    }

    /// The directory of this run.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.run
    }

    /// Makes a directory for one browser, which owns it, with an empty `tmp` inside.
    ///
    /// # Errors
    /// When the name is not plain or already in use, or when the file system returns an error.
    pub fn create(&self, name: &str) -> Result<ProfileDir, ProfileError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if name.is_empty() || !name.bytes().all(plain) {
            return Err(ProfileError::BadName(name.to_owned()));
        }
        let path = self.run.join(name);
        make_dir(&path)?;
        let dir = ProfileDir { path };
        let tmp = dir.tmp();
        make_dir(&tmp)?;
        // The outer directory last: until then its new owner has no access.
        for path in [tmp, dir.path.clone()] {
            self.identity.take_ownership(&path).map_err(|source| ProfileError::Io {
                action: "hand over to the browsers' user",
                path,
                source,
            })?;
        }
        Ok(dir)
    }
}

impl Drop for ProfileRoot {
    fn drop(&mut self) {
        if let Err(error) = discard(&self.base, &self.run) {
            tracing::warn!(dir = %self.run.display(), %error, "left for the next sweep");
        }
    }
}

impl ProfileDir {
    /// The directory, to be given as `--user-data-dir` and `HOME`.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory inside it for temporary files, to be given as `TMPDIR`.
    #[must_use]
    pub fn tmp(&self) -> PathBuf {
        self.path.join("tmp")
    }

    /// Deletes it. The deletion fails while a process still writes to it, so it is tried five times within 0.8 seconds;
    /// call this when the browser's tree is gone.
    ///
    /// # Errors
    /// When it still exists after the last attempt.
    pub async fn remove(self, supervisor: &Supervisor) -> Result<(), ProfileError> {
        let mut attempt = 1;
        loop {
            let path = self.path.clone();
            let removal = supervisor.spawn_blocking("profile removal", move || delete(&path));
            let removed = removal
                .await
                .map_err(|source| ProfileError::Interrupted { path: self.path.clone(), source })?;
            match removed {
                Ok(()) => return Ok(()),
                Err(error) if attempt < REMOVALS && is_in_use(&error) => {
                    tokio::time::sleep(FIRST_PAUSE * 2_u32.pow(attempt - 1)).await;
                    attempt += 1;
                }
                Err(source) => {
                    return Err(ProfileError::Io { action: "delete", path: self.path.clone(), source });
                }
            }
        }
    }
}

impl Drop for ProfileDir {
    fn drop(&mut self) {
        // Files that cannot be deleted now are deleted with the run.
        if let Err(error) = delete(&self.path) {
            tracing::debug!(dir = %self.path.display(), %error, "left until the run ends");
        }
    }
}

/// Creates the base, or checks that an existing base is ours. Returns its path without links.
fn own_base(base: &Path, identity: &Identity) -> Result<PathBuf, ProfileError> {
    let failed = |action, source| ProfileError::Io { action, path: base.to_owned(), source };
    match DirBuilder::new().mode(0o700).create(base) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(failed("create", error)),
        _ => {}
    }
    let found = fs::symlink_metadata(base).map_err(|error| failed("inspect", error))?;
    let us = rustix::process::geteuid().as_raw();
    if !found.is_dir() {
        return Err(ProfileError::NotADirectory { path: base.to_owned() });
    }
    if found.uid() != us {
        return Err(ProfileError::ForeignOwner { path: base.to_owned(), owner: found.uid(), us });
    }
    // Another run may need access for its browsers' user: never remove that access, and never add more.
    set_mode(base, (found.mode() | traversable(identity)) & 0o711)?;
    base.canonicalize().map_err(|error| failed("resolve", error))
}

/// Whether the browsers' user can pass through every directory on the way.
fn reachable(base: &Path, identity: &Identity) -> Result<(), ProfileError> {
    let Identity::User { uid, gid, .. } = identity else { return Ok(()) };
    for dir in base.ancestors() {
        let found = fs::metadata(dir).map_err(|source| ProfileError::Io {
            action: "inspect",
            path: dir.to_owned(),
            source,
        })?;
        let passable = match (found.uid() == *uid, found.gid() == *gid) {
            (true, _) => 0o100,
            (false, true) => 0o010,
            (false, false) => 0o001,
        };
        if found.mode() & passable == 0 {
            return Err(ProfileError::Unreachable { dir: dir.to_owned(), user: identity.clone() });
        }
    }
    Ok(())
}

/// Mode of a directory that leads to profiles: other users may pass through but not list it.
const fn traversable(identity: &Identity) -> u32 {
    match identity {
        Identity::Current => 0o700,
        Identity::User { .. } => 0o711,
    }
}

/// Creates a directory that other users cannot access.
fn make_dir(path: &Path) -> Result<(), ProfileError> {
    let made = DirBuilder::new().mode(0o700).create(path);
    made.map_err(|source| ProfileError::Io { action: "create", path: path.to_owned(), source })
}

fn set_mode(path: &Path, mode: u32) -> Result<(), ProfileError> {
    let set = fs::set_permissions(path, fs::Permissions::from_mode(mode));
    set.map_err(|source| ProfileError::Io { action: "set permissions of", path: path.to_owned(), source })
}

/// Renames a run directory, then deletes it. The next sweep completes a deletion that was interrupted.
fn discard(base: &Path, run: &Path) -> io::Result<()> {
    let Some(Component::Normal(name)) = run.components().next_back() else { return Ok(()) };
    let mut trash = std::ffi::OsString::from(TRASH);
    trash.push(name);
    let trash = base.join(trash);
    match fs::rename(run, &trash) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => delete(&trash),
    }
}

/// Deletes a directory with all its content; links are removed, not followed. A missing directory is no error.
fn delete(path: &Path) -> io::Result<()> {
    let removed = match fs::remove_dir_all(path) {
        // A browser, or a page that downloads, may have closed a directory to its own user.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            open_up(path)?;
            fs::remove_dir_all(path)
        }
        outcome => outcome,
    };
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

/// Lets the owner of a directory enter it and every directory in it, and change them. No link is followed.
fn open_up(path: &Path) -> io::Result<()> {
    const OWNER: u32 = 0o700;
    let mut left = vec![path.to_owned()];
    while let Some(dir) = left.pop() {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = match rustix::fs::openat(CWD, &dir, flags, Mode::empty()) {
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => continue,
            fd => fd?,
        };
        // The directory that is held, whatever has its name now.
        let held = PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()));
        let mode = fs::metadata(&held)?.mode();
        if mode & OWNER != OWNER {
            fs::set_permissions(&held, fs::Permissions::from_mode(mode & 0o7777 | OWNER))?;
        }
        for entry in fs::read_dir(&held)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                left.push(dir.join(entry.file_name()));
            }
        }
    }
    Ok(())
}

/// Whether a process wrote to the directory while it was being deleted.
fn is_in_use(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::ResourceBusy)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn closed_directories_are_opened_and_links_are_not_followed() {
        let root = tempfile::tempdir().expect("a place for tests");
        let (profile, beside) = (root.path().join("profile"), root.path().join("beside"));
        fs::create_dir_all(profile.join("a/b/c")).expect("room");
        fs::create_dir(&beside).expect("room");
        fs::write(profile.join("a/b/c/file"), "x").expect("room");
        symlink(&beside, profile.join("a/link")).expect("a link");
        let mode_of = |dir: &Path| fs::metadata(dir).map(|found| found.mode() & 0o777).ok();
        for (dir, mode) in [("a/b/c", 0o000), ("a/b", 0o500), ("a", 0o000)] {
            set_mode(&profile.join(dir), mode).expect("ours");
        }
        set_mode(&beside, 0o500).expect("ours");
        open_up(&profile).expect("ours");
        for dir in ["a", "a/b", "a/b/c"] {
            assert_eq!(mode_of(&profile.join(dir)), Some(0o700), "{dir}");
        }
        assert_eq!(mode_of(&beside), Some(0o500));
        delete(&profile).expect("ours");
        assert!(!profile.exists() && beside.exists());
        delete(&profile).expect("a missing directory is no error");
    }
}
