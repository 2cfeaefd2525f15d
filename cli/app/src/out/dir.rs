//! [`OutDir`]: the output directory, from before the first job to the report.
//!
//! [`OutDir::create`] is called before any browser is started, so that a directory that cannot be written to is reported
//! at once. It also locks the directory for this run: a second run into the same directory is refused while the first one
//! goes on. The results and artifacts of an earlier run are removed.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

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
    /// The lock of the directory; it is held while this file is open.
    results: File,
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
}

impl OutDir {
    /// Creates the directory with its parents, locks it for this run and removes an earlier run's results and artifacts.
    /// Files that no run made stay.
    ///
    /// # Errors
    /// When it cannot be made, cannot be written to, or another run holds it.
    pub fn create(path: &Path) -> Result<Self, OutError> {
        if path.exists() && !path.is_dir() {
            return Err(OutError::NotADirectory(path.to_owned()));
        }
        let unusable = |path: &Path| {
            let path = path.to_owned();
            |source| OutError::Unusable { path, source }
        };
        fs::create_dir_all(path).map_err(unusable(path))?;
        let (results_path, artifacts_path) = (path.join(RESULTS), path.join(artifacts::DIR));
        let is_of_an_earlier_run = results_path.exists();
        let results = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&results_path)
            .map_err(unusable(&results_path))?;
        match results.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OutError::Taken(path.to_owned())),
            Err(TryLockError::Error(source)) => return Err(unusable(&results_path)(source)),
        }
        results.set_len(0).map_err(unusable(&results_path))?;
        let artifacts = Artifacts::open(&artifacts_path).map_err(unusable(&artifacts_path))?;
        if is_of_an_earlier_run {
            artifacts.clear().map_err(unusable(&artifacts_path))?;
        }
        Ok(Self { path: path.to_owned(), results, artifacts })
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
    /// When one of the two cannot be written. A picture that cannot be read is left out of the page.
    pub fn finish(&self, report: &Report) -> Result<Files, OutError> {
        let json = || -> io::Result<Vec<u8>> { Ok(serde_json::to_vec_pretty(report)?) };
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
        let (path, draft) = (self.path.join(name), self.path.join(format!(".{name}.part")));
        let written =
            content().and_then(|bytes| fs::write(&draft, bytes)).and_then(|()| fs::rename(&draft, &path));
        match written {
            Ok(()) => Ok(path),
            Err(source) => {
                // The first error is the one to report.
                let _ = fs::remove_file(&draft);
                Err(OutError::Report { path, source })
            }
        }
    }
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
        let out = OutDir::create(&path).expect("a new directory");
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
        assert!(matches!(OutDir::create(&file), Err(OutError::NotADirectory(_))));
        assert!(matches!(OutDir::create(&file.join("below")), Err(OutError::Unusable { .. })));
        assert_eq!(fs::read_to_string(&file).expect("it is there"), "mine");
        let error = OutDir::create(Path::new("/proc/plimsoll")).expect_err("nobody can write there");
        assert!(
            error.to_string().contains("/proc/plimsoll") && error.to_string().contains("--out"),
            "{error}"
        );
    }

    #[test]
    fn an_earlier_run_makes_room_but_a_living_one_does_not() {
        let root = tempfile::tempdir().expect("a place for tests");
        let first = OutDir::create(root.path()).expect("a new run");
        let id = JobId::try_from("a".to_owned()).expect("an id");
        let artifact = Artifact { kind: ArtifactKind::Pdf, bytes: b"%PDF".to_vec() };
        let name = first.artifacts().keep(Ticket(0), &id, &artifact).expect("room");
        fs::write(root.path().join(RESULTS), "{}\n").expect("room");
        assert!(matches!(OutDir::create(root.path()), Err(OutError::Taken(_))));
        assert!(root.path().join(&name).exists());
        drop(first);
        let second = OutDir::create(root.path()).expect("the first has ended");
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
        OutDir::create(root.path()).expect("it can be used");
        assert!(mine.exists());
    }
}
