//! [`OutDir`]: the output directory, from before the first job to the report.
//!
//! ```text
//!   open (nothing is changed) ─► clear (an earlier run's results are removed) ─► jobs ─► finish (the report)
//! ```
//!
//! [`OutDir::open`] is called before any browser is started, so that a directory that cannot be written to is reported
//! at once. It also locks the directory for this run: a second run into the same directory is refused while the first one
//! goes on. Only [`OutDir::clear`] removes the results and artifacts of an earlier run, when nothing more is to be checked.
//!
//! The directory is held open and its files are opened relative to it and never through a link: another user who may
//! write to it can neither redirect a file nor have one overwritten.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use plimsoll_core::shown::printable;
use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

use super::artifacts::{self, Artifacts};
use super::page;
use super::report::Report;
use super::results::ResultsWriter;

const RESULTS: &str = "results.jsonl";
const REPORT: &str = "report.json";
const PAGE: &str = "report.html";

/// The output directory of one run.
#[derive(Debug)]
pub struct OutDir {
    path: PathBuf,
    dir: OwnedFd,
    /// The lock of the directory; it is held while this file is open.
    results: File,
    is_of_an_earlier_run: bool,
    artifacts: Artifacts,
}

/// The files of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// A line for each job.
    pub results: PathBuf,
    /// The figures, for programs.
    pub report: PathBuf,
    /// The same figures as a page, for people.
    pub page: PathBuf,
    /// Pictures and PDFs.
    pub artifacts: PathBuf,
}

impl fmt::Display for Files {
    /// A line for each file that a person may open.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "results  {}", self.results.display())?;
        write!(f, "report   {}", self.page.display())
    }
}

/// Why the output directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OutError {
    /// A file that is not a directory has this name.
    #[error("{} is not a directory; name another place with --out, or move it away", .0.display())]
    NotADirectory(PathBuf),
    /// It could not be created or written to.
    #[error("cannot use {} for output: {source}; name a directory you may write to with --out", path.display())]
    Unusable {
        /// The path that failed.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// Another run uses it.
    #[error("another run is writing to {}; name another directory with --out, or wait for its end", .0.display())]
    Taken(PathBuf),
    /// The report could not be written. What was written before (results, artifacts) stays.
    #[error("cannot write {}: {source}; the results written so far are complete", path.display())]
    Report {
        /// The file that failed.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// The results are no longer where they were written.
    #[error("{} was removed or replaced during the run; its results are lost", .0.display())]
    Gone(PathBuf),
}

impl OutDir {
    /// Creates the directory with its parents if it is missing, and locks it for this run. What an earlier run left in it
    /// stays until [`OutDir::clear`].
    ///
    /// # Errors
    /// When it cannot be made, cannot be written to, or another run holds it.
    pub fn open(path: &Path) -> Result<Self, OutError> {
        if path.exists() && !path.is_dir() {
            return Err(OutError::NotADirectory(path.to_owned()));
        }
        let unusable = |path: &Path| {
            let path = path.to_owned();
            |source| OutError::Unusable { path, source }
        };
        fs::create_dir_all(path).map_err(unusable(path))?;
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let dir = rustix::fs::openat(CWD, path, flags, Mode::empty());
        let dir = dir.map_err(io::Error::from).map_err(unusable(path))?;
        let results_path = path.join(RESULTS);
        let (results, is_of_an_earlier_run) = open_results(&dir).map_err(unusable(&results_path))?;
        match results.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OutError::Taken(path.to_owned())),
            Err(TryLockError::Error(source)) => return Err(unusable(&results_path)(source)),
        }
        let artifacts = Artifacts::open(&dir, Path::new(artifacts::DIR));
        let artifacts = artifacts.map_err(unusable(&path.join(artifacts::DIR)))?;
        Ok(Self { path: path.to_owned(), dir, results, is_of_an_earlier_run, artifacts })
    }

    /// Removes the results and artifacts of an earlier run. Files that no run made stay.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn clear(&self) -> Result<(), OutError> {
        let unusable = |name: &str| {
            let path = self.path.join(name);
            |source| OutError::Unusable { path, source }
        };
        self.results.set_len(0).map_err(unusable(RESULTS))?;
        if self.is_of_an_earlier_run {
            self.artifacts.clear().map_err(unusable(artifacts::DIR))?;
        }
        Ok(())
    }

    /// The writer of `results.jsonl`. Call it once.
    ///
    /// # Errors
    /// When the system has no file descriptor left.
    pub fn results(&self) -> Result<ResultsWriter, OutError> {
        let path = self.path.join(RESULTS);
        match self.results.try_clone() {
            Ok(file) => Ok(ResultsWriter::file(file, path)),
            Err(source) => Err(OutError::Unusable { path, source }),
        }
    }

    /// The directory of artifacts, as a cheap handle.
    #[must_use]
    pub fn artifacts(&self) -> Artifacts {
        self.artifacts.clone()
    }

    /// Writes `report.json` and `report.html`, each complete or not at all, and returns the paths of all files.
    ///
    /// It reads up to 24 pictures and scales them down, which takes seconds when they are large. Call it where blocking is
    /// allowed.
    ///
    /// # Errors
    /// When one of the two cannot be written, or the results are gone. A picture that cannot be read is left out of the
    /// page.
    pub fn finish(&self, report: &Report) -> Result<Files, OutError> {
        let written = self.write_reports(report);
        if self.has_results() { written } else { Err(OutError::Gone(self.path.join(RESULTS))) }
    }

    /// Whether the results are still where a reader looks for them.
    fn has_results(&self) -> bool {
        let there = fs::symlink_metadata(self.path.join(RESULTS));
        let (Ok(there), Ok(ours)) = (there, self.results.metadata()) else { return false };
        (there.dev(), there.ino()) == (ours.dev(), ours.ino())
    }

    fn write_reports(&self, report: &Report) -> Result<Files, OutError> {
        let json = || -> io::Result<Vec<u8>> {
            let json = serde_json::to_string_pretty(report)?;
            Ok(printable(&json).into_owned().into_bytes())
        };
        let files = Files {
            results: self.path.join(RESULTS),
            report: self.write_whole(REPORT, json)?,
            page: self.write_whole(PAGE, || page::render(report, &self.artifacts).map(String::into_bytes))?,
            artifacts: self.path.join(artifacts::DIR),
        };
        Ok(files)
    }

    /// Writes a temporary file and renames it, so that a reader never sees half a report.
    fn write_whole(
        &self,
        name: &str,
        content: impl FnOnce() -> io::Result<Vec<u8>>,
    ) -> Result<PathBuf, OutError> {
        let draft = format!(".{name}.part");
        let remove = |name: &str| rustix::fs::unlinkat(&self.dir, name, AtFlags::empty());
        let write = |bytes: Vec<u8>| -> io::Result<()> {
            // What is left of a run that was killed, or a link that somebody planted.
            match remove(&draft) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let file = rustix::fs::openat(&self.dir, &draft, flags, Mode::from_raw_mode(0o666))?;
            File::from(file).write_all(&bytes)?;
            Ok(rustix::fs::renameat(&self.dir, &draft, &self.dir, name)?)
        };
        match content().and_then(write) {
            Ok(()) => Ok(self.path.join(name)),
            Err(source) => {
                // The first error is the one to report.
                let _ = remove(&draft);
                Err(OutError::Report { path: self.path.join(name), source })
            }
        }
    }
}

/// The results file, open for appending, and whether it was there before. It is an ordinary file with one name: what is
/// written to it changes no other file.
fn open_results(dir: &OwnedFd) -> io::Result<(File, bool)> {
    // A pipe without a reader does not block.
    let flags = OFlags::WRONLY
        | OFlags::APPEND
        | OFlags::NOFOLLOW
        | OFlags::NONBLOCK
        | OFlags::NOCTTY
        | OFlags::CLOEXEC;
    let is_new = OFlags::CREATE | OFlags::EXCL;
    let (file, was_there) = match rustix::fs::openat(dir, RESULTS, flags, Mode::empty()) {
        Err(Errno::NOENT) => {
            (rustix::fs::openat(dir, RESULTS, flags | is_new, Mode::from_raw_mode(0o666))?, false)
        }
        Err(Errno::LOOP) => return Err(io::Error::other("it is a link; remove it")),
        opened => (opened?, true),
    };
    let file = File::from(file);
    let found = file.metadata()?;
    if !found.is_file() || found.nlink() > 1 {
        return Err(io::Error::other("it is not a file with one name; remove it"));
    }
    Ok((file, was_there))
}

#[cfg(test)]
mod tests {
    use plimsoll_core::id::{JobId, Ticket};
    use plimsoll_core::port::{Artifact, ArtifactKind};

    use super::*;
    use crate::out::synthetic;

    #[test]
    fn the_directory_is_made_with_its_parents_and_filled() {
        let root = tempfile::tempdir().expect("a place for tests");
        let path = root.path().join("a/b");
        let out = OutDir::open(&path).expect("a new directory");
        let files = out.finish(&synthetic::report(1)).expect("room for a report");
        for file in [&files.results, &files.report, &files.page, &files.artifacts] {
            assert!(file.exists(), "{}", file.display());
        }
        let names = fs::read_dir(&path).expect("it exists").count();
        assert_eq!(names, 4, "no draft is left");
    }

    #[test]
    fn a_place_that_cannot_hold_results_is_refused_before_anything_runs() {
        let root = tempfile::tempdir().expect("a place for tests");
        let file = root.path().join("file");
        fs::write(&file, "mine").expect("room");
        assert!(matches!(OutDir::open(&file), Err(OutError::NotADirectory(_))));
        assert!(matches!(OutDir::open(&file.join("below")), Err(OutError::Unusable { .. })));
        assert_eq!(fs::read_to_string(&file).expect("it is there"), "mine");
        let error = OutDir::open(Path::new("/proc/plimsoll")).expect_err("nobody can write there");
        assert!(
            error.to_string().contains("/proc/plimsoll") && error.to_string().contains("--out"),
            "{error}"
        );
    }

    #[test]
    fn an_earlier_run_makes_room_but_a_living_one_does_not() {
        let root = tempfile::tempdir().expect("a place for tests");
        let first = OutDir::open(root.path()).expect("a new run");
        let id = JobId::try_from("a".to_owned()).expect("an id");
        let artifact = Artifact { kind: ArtifactKind::Pdf, bytes: b"%PDF".to_vec() };
        let name = first.artifacts().keep(Ticket(0), &id, &artifact).expect("room");
        fs::write(root.path().join(RESULTS), "{}\n").expect("room");
        assert!(matches!(OutDir::open(root.path()), Err(OutError::Taken(_))));
        assert!(root.path().join(&name).exists());
        drop(first);
        let second = OutDir::open(root.path()).expect("the first has ended");
        assert!(root.path().join(&name).exists(), "nothing is removed before everything is checked");
        assert_eq!(fs::read_to_string(root.path().join(RESULTS)).expect("it is there"), "{}\n");
        second.clear().expect("it can be removed");
        assert!(!root.path().join(&name).exists());
        assert_eq!(fs::read_to_string(root.path().join(RESULTS)).expect("it is there"), "");
        assert_eq!(second.artifacts().keep(Ticket(0), &id, &artifact).expect("room"), name);
    }

    #[test]
    fn a_directory_that_no_run_made_keeps_its_files() {
        let root = tempfile::tempdir().expect("a place for tests");
        let mine = root.path().join("artifacts/build-1-2.png");
        fs::create_dir(root.path().join("artifacts")).expect("room");
        fs::write(&mine, "mine").expect("room");
        OutDir::open(root.path()).expect("it can be used").clear().expect("nothing is there");
        assert!(mine.exists());
    }

    #[test]
    fn no_planted_file_is_written_through() {
        use std::os::unix::fs::symlink;

        use rustix::fs::FileType;

        let root = tempfile::tempdir().expect("a place for tests");
        let victim = root.path().join("victim");
        fs::write(&victim, "precious").expect("room");
        let plants: [fn(&Path, &Path) -> io::Result<()>; 3] = [
            |victim, at| symlink(victim, at),
            |victim, at| fs::hard_link(victim, at),
            |_, at| Ok(rustix::fs::mknodat(CWD, at, FileType::Fifo, Mode::from_raw_mode(0o600), 0)?),
        ];
        for plant in plants {
            let out = tempfile::tempdir_in(root.path()).expect("room");
            plant(&victim, &out.path().join(RESULTS)).expect("room");
            assert!(matches!(OutDir::open(out.path()), Err(OutError::Unusable { .. })));
        }
        let out = tempfile::tempdir_in(root.path()).expect("room");
        let run = OutDir::open(out.path()).expect("a new run");
        for name in [format!(".{REPORT}.part"), REPORT.to_owned(), format!(".{PAGE}.part"), PAGE.to_owned()] {
            symlink(&victim, out.path().join(name)).expect("room");
        }
        let files = run.finish(&synthetic::report(1)).expect("room for a report");
        assert!(fs::symlink_metadata(&files.report).is_ok_and(|report| report.is_file()));
        assert_eq!(fs::read_to_string(&victim).expect("it is there"), "precious");
    }

    #[test]
    fn results_that_are_gone_are_not_called_complete() {
        let root = tempfile::tempdir().expect("a place for tests");
        let removals: [fn(&Path) -> io::Result<()>; 3] = [
            |out| fs::remove_file(out.join(RESULTS)),
            |out| {
                fs::write(out.join("new"), "").and_then(|()| fs::rename(out.join("new"), out.join(RESULTS)))
            },
            |out| fs::remove_dir_all(out),
        ];
        for remove in removals {
            let out = root.path().join("out");
            let run = OutDir::open(&out).expect("a new run");
            remove(&out).expect("ours");
            let error = run.finish(&synthetic::report(1)).expect_err("the results are gone");
            assert!(matches!(error, OutError::Gone(_)) && !error.to_string().contains("complete"), "{error}");
            drop(run);
            let _ = fs::remove_dir_all(&out);
        }
    }
}
