//! What a driver is made from, again and again: [`Recipe`].

use std::path::PathBuf;
use std::sync::Arc;

use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::spawn::Spawner;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::process::HostProgram;
use crate::sink::Outlet;

/// Where a library's code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// In a child process: whatever it does costs its own browsers only.
    #[default]
    Process,
    /// In this process: a call costs less (`cargo bench -p plimsoll-loader`), and a crash ends everything. For libraries
    /// that are trusted as this program is.
    InProcess,
}

/// See the module.
pub(crate) struct Recipe {
    pub(crate) path: PathBuf,
    pub(crate) isolation: Isolation,
    pub(crate) config: Value,
    pub(crate) program: HostProgram,
    pub(crate) spawner: Spawner,
    pub(crate) supervisor: Supervisor,
    pub(crate) clock: Clock,
    pub(crate) outlet: Arc<Outlet>,
}
