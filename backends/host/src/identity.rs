//! The user that browsers run as.
//!
//! A browser renders untrusted pages, and its sandbox needs an ordinary user. When this program runs as root, browsers
//! run as `nobody`; otherwise they run as the user of this program.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::lchown;
use std::path::Path;

/// The user that browsers run as when this program is root.
const UNPRIVILEGED: &str = "nobody";

/// The user that a child process runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The user of this process.
    Current,
    /// Another user; only root may start processes as one. Supplementary groups are dropped.
    User {
        /// Numeric user id.
        uid: u32,
        /// Numeric id of the user's primary group.
        gid: u32,
        /// The name, for messages.
        name: String,
    },
}

/// Why no user for browsers was found.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The user database cannot be read.
    #[error("cannot read /etc/passwd to find the user {UNPRIVILEGED:?} that browsers run as")]
    Unreadable(#[source] io::Error),
    /// The user does not exist.
    #[error(
        "browsers must not run as root and /etc/passwd has no usable user {UNPRIVILEGED:?}; create it with `useradd --system --user-group {UNPRIVILEGED}` or start plimsoll as an ordinary user"
    )]
    NoSuchUser,
}

impl Identity {
    /// The user that browsers should run as: `nobody` when this process is root, else the current user.
    ///
    /// # Errors
    /// When this process is root and the user database has no `nobody`.
    pub fn for_browsers() -> Result<Self, IdentityError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Current);
        }
        let passwd = fs::read_to_string("/etc/passwd").map_err(IdentityError::Unreadable)?;
        user_in(&passwd, UNPRIVILEGED).ok_or(IdentityError::NoSuchUser)
    }

    /// Makes this user the owner of `path`. The owner of a symbolic link itself is changed, never that of its target.
    ///
    /// # Errors
    /// When the path does not exist or this process may not change its owner.
    pub fn take_ownership(&self, path: &Path) -> io::Result<()> {
        match self {
            Self::Current => Ok(()),
            Self::User { uid, gid, .. } => lchown(path, Some(*uid), Some(*gid)),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Current => write!(f, "the current user"),
            Self::User { uid, name, .. } => write!(f, "{name} (uid {uid})"),
        }
    }
}

/// The entry `name:x:uid:gid:...`, unless its uid is that of root.
fn user_in(passwd: &str, name: &str) -> Option<Identity> {
    let mut fields = passwd.lines().map(|line| line.split(':')).find_map(|mut fields| {
        let found = fields.next() == Some(name);
        found.then_some(fields)
    })?;
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    (uid != 0 && gid != 0).then(|| Identity::User { uid, gid, name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_is_found_by_its_whole_name() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nnobody2:x:7:7::/:/bin/sh\nnobody:x:65534:65533:n:/:/bin/false\n";
        let nobody = Identity::User { uid: 65534, gid: 65533, name: "nobody".into() };
        assert_eq!(user_in(passwd, "nobody"), Some(nobody));
    }

    #[test]
    fn root_in_disguise_and_broken_lines_are_no_identity() {
        for passwd in [
            "",
            "nobody",
            "nobody:x:0:0::/:/bin/sh",
            "nobody:x:5:0::/:/bin/sh",
            "nobody:x:-1:7::/:",
            "nobody:x:a:b",
        ] {
            assert_eq!(user_in(passwd, "nobody"), None, "{passwd:?}");
        }
    }

    #[test]
    fn browsers_never_run_as_root() {
        let identity = Identity::for_browsers().expect("this machine has a user for browsers");
        let is_root = rustix::process::geteuid().is_root();
        assert_eq!(is_root, matches!(identity, Identity::User { uid, .. } if uid != 0));
    }
}
