//! Loads driver libraries: finds them, checks them, runs them here or in a process of their own, and
//! implements the port over them. The only `dlopen` of the workspace.
//!
//! ```text
//!   discover(dirs) ─► Found ─► Loader::load(path, isolation, config) ─► PluginDriver: a Driver like any other
//!                                   │ checked (library.rs), loaded, handshake, driver made
//!                                   ▼
//!        Session: calls with numbers ─┬─ in process ─► Instance ─► the library's C functions
//!                                     └─ process ────► frames ══ socket pair ══► child::run ─► Instance
//! ```
//!
//! Each call is answered within its time. If it is not, its caller leaves at its deadline, the call is cancelled, and a
//! library that does not release the call is shut down. In this process a step that does not wait may be carried out on
//! its caller's own thread; if such a step never ends, that thread is lost.
//!
//! The end of a library (a crash, an abort, an endless loop) ends its browsers:
//! [`Browser::ended`](plimsoll_core::port::Browser::ended) completes, contexts fail with `browser_crash`, and the next
//! launch starts the library again. In-process, a crash ends this program too: [`Isolation::Process`] is the default.

mod calls;
pub mod child;
mod driver;
mod elf;
mod error;
mod frame;
mod info;
mod instance;
mod library;
mod load_spec;
mod process;
mod reading;
pub mod search;
mod session;
mod sink;
mod trust;

use std::path::Path;
use std::sync::Arc;

use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::spawn::Spawner;
use serde_json::Value;

pub use driver::PluginDriver;
pub use elf::{Machine, NotOurs};
pub use error::LoadError;
pub use info::{LibraryInfo, PluginInfo};
pub use load_spec::Isolation;
pub use process::HostProgram;
pub use search::{Found, discover};
pub use trust::Distrust;

use crate::load_spec::LoadSpec;
use crate::sink::PluginLog;

/// What loading a library needs.
#[derive(Debug, Clone)]
pub struct Loader {
    /// Starts the processes of isolated libraries.
    pub spawner: Spawner,
    /// Owns every task of a driver and ends it when cancelled.
    pub supervisor: Supervisor,
    /// The clock of the run.
    pub clock: Clock,
    /// The program that an isolated library's process runs.
    pub program: HostProgram,
}

impl Loader {
    /// Loads the library at `path` and makes its driver from `config`, its settings as JSON.
    ///
    /// # Errors
    /// See [`LoadError`]; each is one sentence that names the file.
    pub async fn load(
        &self,
        path: &Path,
        isolation: Isolation,
        config: Value,
    ) -> Result<PluginDriver, LoadError> {
        let name = search::name_of(path).unwrap_or_else(|| path.display().to_string());
        let spec = LoadSpec {
            path: path.to_owned(),
            isolation,
            config,
            program: self.program.clone(),
            spawner: self.spawner.clone(),
            supervisor: self.supervisor.clone(),
            clock: self.clock,
            log: Arc::new(PluginLog::new(name)),
        };
        PluginDriver::start(spec).await
    }
}
