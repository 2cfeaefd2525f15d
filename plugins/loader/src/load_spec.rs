//! The inputs for loading a driver, at the start and after each crash: [`LoadSpec`].

use std::path::PathBuf;
use std::sync::Arc;

use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::spawn::Spawner;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::process::HostProgram;
use crate::sink::PluginLog;

/// Where a library's code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// In a child process: a crash costs the browsers of this library only.
    #[default]
    Process,
    /// In this process: a call costs less (`cargo bench -p plimsoll-loader`), but a crash of the library ends this
    /// program. For libraries that are trusted as much as this program.
    InProcess,
}

/// See the module.
pub(crate) struct LoadSpec {
    pub(crate) path: PathBuf,
    pub(crate) isolation: Isolation,
    pub(crate) config: Value,
    pub(crate) program: HostProgram,
    pub(crate) spawner: Spawner,
    pub(crate) supervisor: Supervisor,
    pub(crate) clock: Clock,
    pub(crate) log: Arc<PluginLog>,
}
