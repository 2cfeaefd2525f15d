//! The driver: settings and the machine's handles, from which browsers are launched.
//!
//! [`CdpDriver::new`] checks what can be checked before any browser is started: that a browser is installed, and that
//! no known obstacle disables its sandbox. A launch runs as a task of its own: a caller that stops waiting leaks
//! nothing.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::capability::Capabilities;
use plimsoll_core::id::BrowserId;
use plimsoll_core::outcome::Fault;
use plimsoll_core::port::{Browser, Driver};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::browser::{BrowserBinary, FindError, find};
use plimsoll_host::lifecycle;
use plimsoll_host::machine::Machine;
use plimsoll_host::sandbox::SandboxObstacle;

use crate::launch::launch;
use crate::origin::Origin;
use crate::settings::CdpSettings;

/// Why the driver cannot be created.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CdpDriverError {
    /// No browser is installed.
    #[error(transparent)]
    NoBrowser(#[from] FindError),
    /// The kernel does not allow browsers to create their sandbox.
    #[error("{0}; or, if every page is trusted, turn this driver's `sandbox` off")]
    NoSandbox(SandboxObstacle),
}

/// Launches browsers and drives them over the DevTools protocol.
#[derive(Debug)]
pub struct CdpDriver {
    origin: Arc<Origin>,
}

impl CdpDriver {
    /// A driver whose tasks belong to `supervisor`; when that is cancelled, every browser is killed.
    ///
    /// # Errors
    /// When no browser is installed, or its sandbox cannot work here.
    pub fn new(
        settings: CdpSettings,
        machine: Machine,
        supervisor: &Supervisor,
        clock: Clock,
    ) -> Result<Self, CdpDriverError> {
        let binary = find(settings.executable.as_ref())?;
        settings.sandbox.check().map_err(CdpDriverError::NoSandbox)?;
        let supervisor = supervisor.clone();
        Ok(Self { origin: Arc::new(Origin { binary, settings, machine, supervisor, clock }) })
    }

    /// The browser that is started.
    #[must_use]
    pub fn binary(&self) -> &BrowserBinary {
        &self.origin.binary
    }
}

#[async_trait]
impl Driver for CdpDriver {
    fn capabilities(&self) -> Capabilities {
        Capabilities::all()
    }

    fn name(&self) -> &str {
        "cdp"
    }

    async fn launch(&self, id: BrowserId, budget: Duration) -> Result<Arc<dyn Browser>, Fault> {
        let origin = Arc::clone(&self.origin);
        let work = async move { Ok(launch(&origin, id, budget).await?) };
        lifecycle::launch(&self.origin.supervisor, work).await
    }
}
