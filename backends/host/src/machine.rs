//! The parts of the machine that a driver needs to start processes.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use plimsoll_core::runtime::supervisor::Supervisor;

use crate::identity::Identity;
use crate::profile::{ProfileDir, ProfileRoot};
use crate::spawn::{Launch, SpawnError, Spawner};
use crate::tree::ProcessTree;

/// The spawner, the browsers' user and the directory for profiles. Copies share them.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Starts the processes.
    pub spawner: Spawner,
    /// The user that they run as.
    pub identity: Identity,
    /// The directory that holds their profiles.
    pub profiles: Arc<ProfileRoot>,
}

/// A program to start with a profile directory of its own.
#[derive(Debug)]
pub struct Program {
    /// The binary, as an absolute path.
    pub path: PathBuf,
    /// Its arguments, without the program's name.
    pub args: Vec<OsString>,
    /// Descriptors that it inherits, each with its number in the child: 3 or above.
    pub fds: Vec<(OwnedFd, i32)>,
}

impl Machine {
    /// Starts `program` in `profile`, which is its home, its place for temporary files and its working directory.
    /// `tasks` owns the tasks that watch the process.
    ///
    /// # Errors
    /// See [`SpawnError`]; no process runs then.
    pub async fn start(
        &self,
        program: Program,
        profile: &ProfileDir,
        tasks: &Supervisor,
    ) -> Result<ProcessTree, SpawnError> {
        let launch = Launch {
            program: program.path,
            args: program.args,
            env: vec![("HOME".into(), profile.path().into()), ("TMPDIR".into(), profile.tmp().into())],
            identity: self.identity.clone(),
            fds: program.fds,
            dir: profile.path().to_owned(),
        };
        self.spawner.spawn(tasks, launch).await
    }
}
