//! A process tree and the profile directory that it writes to.

use std::sync::Arc;

use plimsoll_core::port::CloseError;
use plimsoll_core::runtime::supervisor::Supervisor;

use super::error::LaunchError;
use crate::machine::{Machine, Program};
use crate::profile::ProfileDir;
use crate::tree::{Ladder, ProcessTree};

/// A process that was started for one browser. Dropping it kills the tree once no other owner holds the tree.
#[derive(Debug)]
pub struct LocalProcess {
    /// The process with all its descendants.
    pub tree: Arc<ProcessTree>,
    /// Its directory.
    pub profile: ProfileDir,
}

impl LocalProcess {
    /// Starts `program` in `profile`; see [`Machine::start`].
    ///
    /// # Errors
    /// [`LaunchError::Spawn`]; the profile directory is removed.
    pub async fn start(
        machine: &Machine,
        program: Program,
        profile: ProfileDir,
        tasks: &Supervisor,
    ) -> Result<Self, LaunchError> {
        let tree = Arc::new(machine.start(program, &profile, tasks).await?);
        Ok(Self { tree, profile })
    }

    /// Kills the tree, and removes the profile once no process can write to it any more.
    ///
    /// # Errors
    /// When a process of the tree still runs. A profile that stays is only logged: it is removed with the run.
    pub async fn remove(self, ladder: Ladder, supervisor: &Supervisor) -> Result<(), CloseError> {
        self.tree.kill(ladder).await.map_err(|error| CloseError(error.to_string()))?;
        if let Err(error) = self.profile.remove(supervisor).await {
            tracing::warn!(%error, "a profile directory was left behind");
        }
        Ok(())
    }

    /// Removes a process whose launch failed. Parts that cannot be removed are logged.
    pub async fn abandon(self, supervisor: &Supervisor) {
        if let Err(error) = self.remove(Ladder::NOW, supervisor).await {
            tracing::warn!(%error, "a process that did not start was left behind");
        }
    }
}
