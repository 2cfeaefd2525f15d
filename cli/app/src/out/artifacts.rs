//! [`Artifacts`]: the directory `artifacts/` with pictures and PDFs.
//!
//! A file's name is made from the job's id, its ticket and a number. Only letters, digits, `.`, `_` and `-` of the id are
//! used, and each file is created new, relative to the open directory, never through a link. So neither an id such as
//! `../../etc/passwd` nor a link in the directory can make it write outside the directory.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use plimsoll_core::id::{JobId, Ticket};
use plimsoll_core::port::{Artifact, StoreError};
use rustix::fs::{AtFlags, Dir, Mode, OFlags};
use rustix::io::Errno;

/// The directory's name in the output directory; each artifact's name begins with it.
pub const DIR: &str = "artifacts";

/// The most characters of an id in a file name. With the numbers, a name stays far below the limit of 255 bytes.
const MAX_ID: usize = 60;

/// The most artifacts of one job. A job that makes more is a mistake.
const MAX_PER_JOB: u32 = 10_000;

/// The artifact directory. It is held open, so that renaming or replacing it does not redirect files.
#[derive(Debug, Clone)]
pub struct Artifacts {
    dir: Arc<OwnedFd>,
}

impl Artifacts {
    /// Opens the directory `path`, which may be relative to `at`, and creates it if it is missing.
    ///
    /// # Errors
    /// When it cannot be made or opened, or is not itself a directory (a link to one is refused).
    pub(super) fn open(at: impl AsFd, path: &Path) -> io::Result<Self> {
        match rustix::fs::mkdirat(&at, path, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir = rustix::fs::openat(&at, path, flags, Mode::empty())?;
        Ok(Self { dir: Arc::new(dir) })
    }

    /// Removes the artifacts of an earlier run; other files stay.
    ///
    /// # Errors
    /// When the directory cannot be read or a file not removed.
    pub(super) fn clear(&self) -> io::Result<()> {
        for entry in Dir::read_from(&*self.dir)? {
            let entry = entry?;
            if entry.file_name().to_str().is_ok_and(is_ours) {
                rustix::fs::unlinkat(&*self.dir, entry.file_name(), AtFlags::empty())?;
            }
        }
        Ok(())
    }

    /// Writes an artifact and returns its name relative to the output directory. It blocks until the disk has taken it.
    ///
    /// # Errors
    /// When the artifact could not be written; no part of it is then left.
    pub fn keep(&self, ticket: Ticket, job: &JobId, artifact: &Artifact) -> Result<String, StoreError> {
        let stem = format!("{}-{}", sanitised(job.as_str()), ticket.0);
        let (mut file, name) = self.create(&stem, artifact.kind.extension()).map_err(|source| {
            StoreError { doing: format!("creating an artifact {DIR}/{stem}-…"), source }
        })?;
        if let Err(source) = file.write_all(&artifact.bytes) {
            // The first error is the one to report.
            let _ = rustix::fs::unlinkat(&*self.dir, &name, AtFlags::empty());
            return Err(StoreError { doing: format!("writing {DIR}/{name}"), source });
        }
        Ok(format!("{DIR}/{name}"))
    }

    /// Reads an artifact back, unless it is larger than `max` bytes.
    ///
    /// # Errors
    /// When there is none of that name, or it is too large.
    pub(super) fn read(&self, name: &str, max: u64) -> io::Result<Vec<u8>> {
        let name =
            name.strip_prefix(DIR).and_then(|name| name.strip_prefix('/')).filter(|name| is_ours(name));
        let name = name.ok_or(io::ErrorKind::NotFound)?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&*self.dir, name, flags, Mode::empty())?);
        let mut bytes = Vec::new();
        file.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > max { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
    }

    fn create(&self, stem: &str, extension: &str) -> io::Result<(File, String)> {
        // EXCL with CREATE makes a file or fails: it follows no link and opens nothing that is there.
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        for n in 1..=MAX_PER_JOB {
            let name = format!("{stem}-{n}.{extension}");
            match rustix::fs::openat(&*self.dir, &name, flags, Mode::from_raw_mode(0o666)) {
                Ok(file) => return Ok((File::from(file), name)),
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

/// The part of an id that may stand in a file name. It is never empty and begins with neither `.` nor `-`.
fn sanitised(id: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '_' };
    let name: String = id.chars().take(MAX_ID).map(keep).collect();
    if name.starts_with(['.', '-']) { format!("_{}", &name[1..]) } else { name }
}

/// Whether a file name is one that [`Artifacts::keep`] makes: `<id>-<ticket>-<n>.<extension>`.
fn is_ours(name: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let Some((stem, "png" | "jpg" | "pdf")) = name.rsplit_once('.') else { return false };
    let mut parts = stem.rsplitn(3, '-');
    parts.next().is_some_and(number)
        && parts.next().is_some_and(number)
        && parts.next().is_some_and(|id| sanitised(id) == id)
}

#[cfg(test)]
mod tests {
    use plimsoll_core::port::ArtifactKind;
    use proptest::prelude::*;
    use rustix::fs::CWD;

    use super::*;

    fn id(text: &str) -> JobId {
        JobId::try_from(text.to_owned()).expect("an id")
    }

    fn png(content: &str) -> Artifact {
        Artifact { kind: ArtifactKind::Png, bytes: content.as_bytes().to_vec() }
    }

    #[test]
    fn no_id_leads_out_of_the_directory() {
        let root = tempfile::tempdir().expect("a place for tests");
        let dir = root.path().join("deep/er/artifacts");
        std::fs::create_dir_all(dir.parent().expect("it has one")).expect("room");
        let artifacts = Artifacts::open(CWD, &dir).expect("a new directory");
        let ids = ["../../x", "..", "/etc/passwd", "con", "-rf", ".hidden", "naïve ⚓ 船", &"y".repeat(256)];
        for (seq, text) in (0u64..).zip(ids) {
            let name = artifacts.keep(Ticket(seq), &id(text), &png(text)).expect("it is kept");
            let file = name.strip_prefix("artifacts/").expect("the name says where it is");
            assert!(is_ours(file) && file.len() < 100, "{file}");
            assert_eq!(std::fs::read_to_string(dir.join(file)).expect("it is there"), text);
            assert_eq!(artifacts.read(&name, 1000).expect("it can be read"), text.as_bytes());
        }
        assert_eq!(std::fs::read_dir(&dir).expect("it exists").count(), ids.len());
        let beside = std::fs::read_dir(root.path().join("deep/er")).expect("it exists").count();
        assert_eq!(beside, 1, "nothing lies beside the directory");
    }

    #[test]
    fn a_link_in_the_way_is_neither_followed_nor_replaced() {
        let root = tempfile::tempdir().expect("a place for tests");
        let victim = root.path().join("victim");
        std::fs::write(&victim, "precious").expect("room");
        let dir = root.path().join(DIR);
        let artifacts = Artifacts::open(CWD, &dir).expect("a new directory");
        std::os::unix::fs::symlink(&victim, dir.join("a-0-1.png")).expect("a link");
        assert_eq!(
            artifacts.keep(Ticket(0), &id("a"), &png("new")).expect("it is kept"),
            "artifacts/a-0-2.png"
        );
        assert_eq!(std::fs::read_to_string(&victim).expect("it is there"), "precious");
        assert!(artifacts.read("artifacts/a-0-1.png", 100).is_err());
        assert!(artifacts.read("artifacts/../victim", 100).is_err());
        std::os::unix::fs::symlink(&dir, root.path().join("link")).expect("a link");
        assert!(Artifacts::open(CWD, &root.path().join("link")).is_err());
    }

    #[test]
    fn only_what_an_earlier_run_named_is_cleared() {
        let root = tempfile::tempdir().expect("a place for tests");
        let artifacts = Artifacts::open(CWD, root.path()).expect("it is there");
        artifacts.keep(Ticket(7), &id("a"), &png("old")).expect("it is kept");
        for mine in ["notes.png", "a-1.png", "a-1-2.txt", "a b-1-2.png"] {
            std::fs::write(root.path().join(mine), "mine").expect("room");
        }
        artifacts.clear().expect("it can be cleared");
        assert_eq!(std::fs::read_dir(root.path()).expect("it exists").count(), 4);
    }

    #[test]
    fn what_is_too_large_is_not_read() {
        let root = tempfile::tempdir().expect("a place for tests");
        let artifacts = Artifacts::open(CWD, root.path()).expect("it is there");
        let name = artifacts.keep(Ticket(0), &id("a"), &png("12345")).expect("it is kept");
        assert_eq!(artifacts.read(&name, 5).expect("it is small enough"), b"12345");
        assert_eq!(artifacts.read(&name, 4).expect_err("it is not").kind(), io::ErrorKind::FileTooLarge);
    }

    proptest! {
        #[test]
        fn every_id_makes_a_name_that_is_ours(text in "\\PC{1,80}", seq: u64, n in 1..MAX_PER_JOB) {
            let name = format!("{}-{seq}-{n}.png", sanitised(&text));
            prop_assert!(is_ours(&name), "{}", name);
            prop_assert!(!name.starts_with(['.', '-']) && !name.contains('/') && name.len() < 110);
        }
    }
}
