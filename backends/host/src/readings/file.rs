//! Reads one small file of `/proc` or `/sys` that may be missing, disappear, block, or have any content.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

/// The maximum that is read of one file, in bytes. The largest of these files, `memory.stat`, has about 4 KiB.
const CAP: u64 = 64 << 10;

/// Why a sensor reads nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Blindness {
    /// The file does not exist, or its subject has ended.
    #[error("{path} is missing")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The system returned an error.
    #[error("cannot read {path}: {cause}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        cause: Errno,
    },
    /// The file can be read but not parsed.
    #[error("{path} does not tell {wanted}")]
    Garbage {
        /// The file.
        path: PathBuf,
        /// The value that was expected.
        wanted: &'static str,
    },
    /// This system has no such sensor.
    #[error("not Linux")]
    NotLinux,
}

impl Blindness {
    pub(super) fn garbage(path: &Path, wanted: &'static str) -> Self {
        Self::Garbage { path: path.to_owned(), wanted }
    }

    pub(super) fn of(path: &Path, error: &io::Error) -> Self {
        let path = path.to_owned();
        if !cfg!(target_os = "linux") {
            return Self::NotLinux;
        }
        match Errno::from_io_error(error) {
            // The last two are the errors when a process or a cgroup has ended meanwhile.
            Some(Errno::NOENT | Errno::SRCH | Errno::NODEV) => Self::Missing { path },
            cause => Self::Unreadable { path, cause: cause.unwrap_or(Errno::IO) },
        }
    }

    pub(super) const fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }
}

/// The whole text. Never blocks, not even on a pipe in place of the file.
pub(super) fn text(path: &Path) -> Result<String, Blindness> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let fd =
        rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| Blindness::of(path, &errno.into()))?;
    let mut bytes = Vec::with_capacity(4096);
    File::from(fd).take(CAP + 1).read_to_end(&mut bytes).map_err(|error| Blindness::of(path, &error))?;
    if bytes.len() as u64 > CAP {
        return Err(Blindness::garbage(path, "anything in its first 64 KiB"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The single number in the file.
pub(super) fn number(path: &Path) -> Result<u64, Blindness> {
    text(path)?.trim().parse().map_err(|_| Blindness::garbage(path, "a number"))
}

/// The limit in the file; `None` for `max` and for a missing file.
pub(super) fn limit(path: &Path) -> Result<Option<u64>, Blindness> {
    match text(path) {
        Ok(text) if text.trim() == "max" => Ok(None),
        Ok(text) => text.trim().parse().map(Some).map_err(|_| Blindness::garbage(path, "a limit")),
        Err(blindness) if blindness.is_missing() => Ok(None),
        Err(blindness) => Err(blindness),
    }
}

/// The number after `name` on a line: `name 17`, or `name: 17 kB`.
pub(super) fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let named = words.next().map(|word| word.trim_end_matches(':')) == Some(name);
        named.then(|| words.next()?.parse().ok())?
    })
}

/// The same in bytes, for a file that counts in `kB` (1024 bytes).
pub(super) fn kib_field(text: &str, name: &str) -> Option<u64> {
    field(text, name)?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_in_range_are_numbers() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("value");
        for text in ["", "\n", "-1", "NaN", "1e3", "1.5", "99999999999999999999", "0x10", "7 8", "\0"] {
            std::fs::write(&path, text).expect("writable");
            assert_eq!(number(&path), Err(Blindness::garbage(&path, "a number")), "{text:?}");
            assert_eq!(limit(&path), Err(Blindness::garbage(&path, "a limit")), "{text:?}");
        }
        std::fs::write(&path, " 18446744073709551615\n").expect("writable");
        assert_eq!(number(&path), Ok(u64::MAX));
    }

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let text =
            "total_inactive_file 1\ninactive_file 2\nMemTotal:  3 kB\nempty\nhuge 18446744073709551615\n";
        assert_eq!(field(text, "inactive_file"), Some(2));
        assert_eq!(kib_field(text, "MemTotal"), Some(3072));
        assert_eq!(kib_field(text, "huge"), None, "out of range");
        assert_eq!(field(text, "empty"), None);
        assert_eq!(field(text, "Mem"), None);
    }

    #[test]
    fn what_is_no_file_is_told_apart() {
        let dir = tempfile::tempdir().expect("a directory");
        let looped = dir.path().join("loop");
        std::os::unix::fs::symlink(&looped, &looped).expect("writable");
        let large = dir.path().join("large");
        std::fs::write(&large, vec![b'7'; (CAP + 1) as usize]).expect("writable");
        let pipe = dir.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, Mode::RUSR, 0)
            .expect("a pipe");

        assert!(text(&dir.path().join("none")).is_err_and(|error| error.is_missing()));
        assert!(matches!(text(dir.path()), Err(Blindness::Unreadable { cause: Errno::ISDIR, .. })));
        assert!(matches!(text(&looped), Err(Blindness::Unreadable { .. })));
        assert!(matches!(text(&large), Err(Blindness::Garbage { .. })));
        assert_eq!(text(&pipe), Ok(String::new()), "does not wait for a writer");
    }
}
