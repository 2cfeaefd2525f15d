//! Removes the remains of owners that were killed.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::{ProfileError, ProfileRoot, RUN, TRASH, delete, discard};
use crate::owner::claim;
use crate::processes::{self, Kin, Process};

/// How long a sweep waits for the processes of one directory to end after SIGKILL.
const KILL_DEADLINE: Duration = Duration::from_secs(5);

/// The result of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SweepReport {
    /// Deleted directories of owners that have ended.
    pub dirs_removed: usize,
    /// Processes that still used these directories and were killed.
    pub processes_killed: usize,
    /// Directories of ended owners that could not be deleted; the log has the reasons.
    pub dirs_left: usize,
}

impl ProfileRoot {
    /// Removes what ended owners left in this base: kills the processes that name their directory on their command
    /// line, with all descendants, and deletes the directory. Directories of running owners are not touched. Blocks:
    /// run it with `Supervisor::spawn_blocking`.
    ///
    /// # Errors
    /// When the base cannot be read. A directory that stays does not stop the sweep; it is counted and logged.
    pub fn sweep(&self) -> Result<SweepReport, ProfileError> {
        let unreadable = |source| ProfileError::Io { action: "read", path: self.base.clone(), source };
        let mut report = SweepReport::default();
        for entry in fs::read_dir(&self.base).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let (name, path) = (entry.file_name(), entry.path());
            let name = name.to_string_lossy();
            // Links and files are not created by this program.
            if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            let outcome = if name.starts_with(TRASH) {
                delete(&path).map(|()| Some(0))
            } else if name.starts_with(RUN) {
                self.clear(&path)
            } else {
                continue;
            };
            match outcome {
                Ok(None) => {}
                Ok(Some(killed)) => {
                    report.dirs_removed += 1;
                    report.processes_killed += killed;
                }
                Err(error) => {
                    tracing::warn!(dir = %path.display(), %error, "cannot clear up after a dead owner");
                    report.dirs_left += 1;
                }
            }
        }
        Ok(report)
    }

    /// Removes one run's directory and returns the number of killed processes; `None` when its owner still runs.
    fn clear(&self, run: &Path) -> io::Result<Option<usize>> {
        // Held until the directory has been moved away.
        let Some(_lock) = claim(run)? else { return Ok(None) };
        let killed = kill_users_of(run)?;
        discard(&self.base, run)?;
        Ok(Some(killed))
    }
}

/// Kills every process that uses `dir` and its descendants, verifies it, and counts them.
fn kill_users_of(dir: &Path) -> io::Result<usize> {
    let own = rustix::process::getpid().as_raw_pid();
    let uses = |process: &Process| process.pid != own && process.has_argument_in(dir);
    processes::extinguish(&mut Kin::marked(), uses, KILL_DEADLINE).map(|killed| killed.len())
}
