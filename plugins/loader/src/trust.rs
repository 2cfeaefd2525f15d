//! Decides from owners and modes who could have changed a library. No input or output.
//!
//! Loading a library runs its code, so only this user and root may be able to change it: neither the file nor, by
//! renaming, a directory above it. These are accepted, from the file up to the root directory:
//!
//! * the owner is this user or root;
//! * others cannot write. A group can write only if it is the owner's own (its number equals the owner's, as with
//!   private groups; root's group for root's files);
//! * a directory that others can write to is accepted when it is sticky (`/tmp`): there, only an owner can rename or
//!   remove an entry, and the entry below belongs to this user or root, by the rules above.
//!
//! Access control lists need no separate rule: their permissions appear in the mode's group bits.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The relevant properties of a file or directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) mode: u32,
    pub(crate) is_dir: bool,
}

/// Why a file or directory is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// Another user owns the file.
    #[error("{} belongs to user {uid}, who could change it; it must belong to you or to root", path.display())]
    Owner {
        /// The file or directory.
        path: PathBuf,
        /// The owner.
        uid: u32,
    },
    /// Another user may write to the file.
    #[error("{} can be changed by {who} (mode {mode:04o}); run `chmod {remedy} {}`", path.display(), path.display())]
    Writable {
        /// The file or directory.
        path: PathBuf,
        /// The permissions.
        mode: u32,
        /// Who may write.
        who: &'static str,
        /// The argument of `chmod` that fixes it.
        remedy: &'static str,
    },
}

impl From<&Metadata> for Facts {
    fn from(metadata: &Metadata) -> Self {
        Self { uid: metadata.uid(), gid: metadata.gid(), mode: metadata.mode(), is_dir: metadata.is_dir() }
    }
}

/// Whether only user `us` and root can change the file at `path`.
pub(crate) fn judge(path: &Path, facts: Facts, us: u32) -> Result<(), Distrust> {
    const STICKY: u32 = 0o1000;
    if facts.uid != us && facts.uid != 0 {
        return Err(Distrust::Owner { path: path.to_owned(), uid: facts.uid });
    }
    if facts.is_dir && facts.mode & STICKY != 0 {
        return Ok(());
    }
    let writable =
        |who, remedy| Distrust::Writable { path: path.to_owned(), mode: facts.mode & 0o7777, who, remedy };
    if facts.mode & 0o002 != 0 {
        return Err(writable("everybody", "o-w"));
    }
    if facts.mode & 0o020 != 0 && facts.gid != facts.uid {
        return Err(writable("a group", "g-w"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: u32 = 1000;

    fn verdict(uid: u32, gid: u32, mode: u32, is_dir: bool) -> Result<(), Distrust> {
        judge(Path::new("/x"), Facts { uid, gid, mode, is_dir }, US)
    }

    #[test]
    fn only_we_and_root_may_be_able_to_change_a_library() {
        for (uid, gid, mode, is_dir) in [
            (US, US, 0o644, false),
            (US, US, 0o664, false),
            (0, 0, 0o755, true),
            (0, 0, 0o775, true),
            (0, 0, 0o1777, true),
            (US, 0, 0o644, false),
        ] {
            assert_eq!(verdict(uid, gid, mode, is_dir), Ok(()), "{uid} {gid} {mode:o}");
        }
        for (uid, gid, mode, is_dir, says) in [
            (1001, US, 0o600, false, "belongs to user 1001"),
            (1001, US, 0o1777, true, "belongs to user 1001"),
            (US, US, 0o666, false, "everybody"),
            (US, US, 0o1666, false, "everybody"),
            (0, 0, 0o777, true, "everybody"),
            (US, 100, 0o664, false, "a group"),
            (0, 50, 0o2775, true, "a group"),
        ] {
            let refused = verdict(uid, gid, mode, is_dir).map_err(|why| why.to_string());
            assert!(refused.as_ref().is_err_and(|why| why.contains(says)), "{refused:?}");
        }
    }
}
