//! A record on disk of open remote sessions, so that they are deleted soon after their run, however the run ends.
//!
//! ```text
//!   <dir>/sessions-<pid>-<random>/   one run's; its owner.lock is held for as long as the run lives
//!     ├─ owner.lock
//!     └─ <number>                    one open session: its remote end and its id
//! ```
//!
//! A file is written when a session is known and removed when the session is known to be gone. The next run finds
//! directories whose lock is free, deletes their sessions at those remote ends that are also in its settings, and then
//! the files. The record of a session that cannot be deleted is kept for a week.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use plimsoll_core::runtime::clock::time_of_day;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::owner::{LOCK, claim};
use serde::{Deserialize, Serialize};

/// Prefix of a run's directory.
const RUN: &str = "sessions-";
/// The number of tries for a new directory when other runs remove it before it is locked.
const CLAIMS: usize = 5;
/// After this time the record of a session that no run could delete is removed.
const STALE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Why open sessions cannot be recorded.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}, where open remote sessions are recorded", path.display())]
pub struct JournalError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// One run's open sessions.
#[derive(Debug)]
pub(crate) struct Journal {
    dir: PathBuf,
    next: AtomicU64,
    supervisor: Supervisor,
    _lock: File,
}

/// The file of one session.
#[derive(Debug)]
pub(crate) struct Entry {
    path: PathBuf,
    journal: Arc<Journal>,
}

/// The content of that file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The remote end, without a password.
    pub(crate) endpoint: String,
    /// The session's id.
    pub(crate) session: String,
}

impl Journal {
    /// Makes a directory for this run in `dir`.
    pub(crate) fn open(dir: &Path, supervisor: &Supervisor) -> Result<Arc<Self>, JournalError> {
        let (dir, lock) = claim_new(dir, claim)?;
        Ok(Arc::new(Self { dir, next: AtomicU64::new(0), supervisor: supervisor.clone(), _lock: lock }))
    }

    /// Records a session. A session that cannot be recorded is still used; after a crash it is not deleted.
    pub(crate) async fn enter(self: &Arc<Self>, endpoint: &str, session: &str) -> Option<Entry> {
        let record = Record { endpoint: endpoint.to_owned(), session: session.to_owned() };
        let path = self.dir.join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
        let entry = Entry { path: path.clone(), journal: Arc::clone(self) };
        let write = move || fs::write(&path, serde_json::to_vec(&record).map_err(io::Error::other)?);
        match self.supervisor.spawn_blocking("journal", write).await {
            Ok(Ok(())) => Some(entry),
            Ok(Err(error)) => {
                tracing::warn!(%error, "an open session is not recorded");
                None
            }
            Err(error) => {
                tracing::warn!(%error, "an open session is not recorded");
                None
            }
        }
    }

    /// The directories of ended runs beside this one.
    pub(crate) fn left(&self) -> Vec<StaleRun> {
        let beside = self.dir.parent().map(fs::read_dir).into_iter().flatten().flatten().flatten();
        beside
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(RUN))
            .filter(|entry| entry.path() != self.dir)
            .filter_map(|entry| StaleRun::claim(entry.path()))
            .collect()
    }
}

/// Creates a directory in `base` and locks it with `claim`. Between the two, another run may take it for the directory
/// of an ended run and remove it; then this is tried again, [`CLAIMS`] times in total.
fn claim_new(
    base: &Path,
    claim: impl Fn(&Path) -> io::Result<Option<File>>,
) -> Result<(PathBuf, File), JournalError> {
    for _ in 0..CLAIMS {
        let dir = base.join(format!("{RUN}{}-{:016x}", std::process::id(), fastrand::u64(..)));
        let failed = |action, source| JournalError { action, path: dir.clone(), source };
        DirBuilder::new().mode(0o700).create(&dir).map_err(|source| failed("create", source))?;
        if let Some(lock) = claim(&dir).map_err(|source| failed("lock", source))? {
            return Ok((dir, lock));
        }
        // The directory is gone, or the other run removes it: it contains nothing of ours.
        let _ = fs::remove_dir(&dir);
    }
    let source = io::Error::new(ErrorKind::ResourceBusy, "other runs kept removing what was made there");
    Err(JournalError { action: "claim a directory in", path: base.to_owned(), source })
}

impl Entry {
    /// Removes the entry: the session is gone.
    pub(crate) async fn remove(self) {
        let path = self.path.clone();
        let removal = self.journal.supervisor.spawn_blocking("journal", move || fs::remove_file(path));
        if let Ok(Err(error)) = removal.await {
            tracing::warn!(%error, "the record of a session that is gone stays");
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // Sessions that are not known to be gone keep their records, for the next run.
        let entries = fs::read_dir(&self.dir).map(|entries| entries.flatten().count());
        if entries.is_ok_and(|entries| entries <= 1) {
            let _ = fs::remove_file(self.dir.join(LOCK)).and_then(|()| fs::remove_dir(&self.dir));
        }
    }
}

/// Removes the record of a session that cannot be deleted, if it is older than a week.
pub(crate) fn forget_stale(path: &Path) {
    let written = fs::metadata(path).and_then(|file| file.modified());
    let age = written.ok().and_then(|written| time_of_day().duration_since(written).ok());
    if age.is_some_and(|age| age > STALE) {
        // If the file cannot be removed, the next run tries again.
        let _ = fs::remove_file(path);
    }
}

/// The directory of an ended run, locked until this is dropped.
#[derive(Debug)]
pub(crate) struct StaleRun {
    dir: PathBuf,
    _lock: File,
}

impl StaleRun {
    fn claim(dir: PathBuf) -> Option<Self> {
        let lock = claim(&dir).ok().flatten()?;
        Some(Self { dir, _lock: lock })
    }

    /// The sessions that were open in that run, each with its file.
    pub(crate) fn records(&self) -> Vec<(PathBuf, Record)> {
        let files = fs::read_dir(&self.dir).into_iter().flatten().flatten().map(|entry| entry.path());
        files
            .filter(|path| path.file_name().is_none_or(|name| name != LOCK))
            .filter_map(|path| {
                let record = serde_json::from_slice(&fs::read(&path).ok()?);
                // A truncated file names no session.
                record.inspect_err(|_| drop(fs::remove_file(&path))).ok().map(|record| (path, record))
            })
            .collect()
    }

    /// Removes the directory if no record is left in it.
    pub(crate) fn clear(self) {
        if self.records().is_empty() {
            let cleared = fs::remove_file(self.dir.join(LOCK)).and_then(|()| fs::remove_dir(&self.dir));
            if let Err(error) = cleared
                && error.kind() != ErrorKind::NotFound
            {
                tracing::warn!(dir = %self.dir.display(), %error, "cannot clear a dead run's journal");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs::OpenOptions;

    use super::*;

    #[test]
    fn a_directory_that_cannot_be_claimed_is_an_error_after_five_tries_and_leaves_nothing() {
        let (base, tries) = (tempfile::tempdir().expect("a directory"), Cell::new(0));
        let swept = |_: &Path| {
            tries.set(tries.get() + 1);
            // The sixth try ends the test, which would otherwise run without end.
            assert!(tries.get() <= CLAIMS, "the loop has no bound");
            Ok(None)
        };
        let error = claim_new(base.path(), swept).expect_err("it is never ours");
        assert!(error.to_string().contains("cannot claim a directory in"), "{error}");
        assert_eq!(tries.get(), CLAIMS);
        assert_eq!(fs::read_dir(base.path()).expect("there").count(), 0);
    }

    #[tokio::test]
    async fn only_what_a_dead_run_had_open_is_found() {
        let (dir, supervisor) = (tempfile::tempdir().expect("a directory"), Supervisor::root());
        let dead = Journal::open(dir.path(), &supervisor).expect("writable");
        let gone = dead.enter("http://a/", "1").await.expect("written");
        let open = dead.enter("http://a/", "2").await.expect("written");
        gone.remove().await;
        let living = Journal::open(dir.path(), &supervisor).expect("writable");
        assert_eq!(living.left().len(), 0, "its owner lives");
        drop((open, dead));
        let mut left = living.left();
        let stale = left.pop().expect("one dead run");
        let records = stale.records();
        let expected = Record { endpoint: "http://a/".to_owned(), session: "2".to_owned() };
        assert_eq!(records.iter().map(|(_, record)| record).collect::<Vec<_>>(), [&expected]);
        stale.clear();
        let mut left = living.left();
        let stale = left.pop().expect("its session is not gone yet");
        let path = &records[0].0;
        forget_stale(path);
        assert!(path.exists(), "it may yet be asked for");
        let file = OpenOptions::new().write(true).open(path).expect("ours");
        file.set_modified(time_of_day() - STALE - Duration::from_secs(1)).expect("ours");
        forget_stale(path);
        stale.clear();
        assert!(living.left().is_empty());
        drop(living);
        assert_eq!(fs::read_dir(dir.path()).expect("there").count(), 0, "a tidy run leaves nothing");
    }
}
