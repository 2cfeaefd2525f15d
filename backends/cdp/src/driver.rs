//! The driver: settings and the machine's handles, from which browsers are launched.
//!
//! [`CdpDriver::new`] checks what can be checked before any browser is started: that there is one, and that nothing
//! known forbids its sandbox. A launch itself is made by an owned task, so a caller who leaves leaks nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::capability::Capabilities;
use plimsoll_core::id::BrowserId;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::{Browser, Driver};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::browser::{BrowserBinary, FindError, find};
use plimsoll_host::identity::Identity;
use plimsoll_host::profile::ProfileRoot;
use plimsoll_host::sandbox::{SandboxObstacle, obstacle};
use plimsoll_host::spawn::Spawner;
use tokio::sync::oneshot;

use crate::launch::launch;

/// How browsers are started.
#[derive(Debug, Clone, Default)]
pub struct CdpSettings {
    /// The browser to start; looked for unless named.
    pub executable: Option<PathBuf>,
    /// Whether renderers are confined.
    pub sandbox: Sandbox,
    /// The size of a page's window, for jobs without a viewport of their own.
    pub window: WindowSize,
    /// Arguments added to the browser's command line, after our own.
    pub extra_args: Vec<String>,
}

/// Whether renderers, which run code from strangers, are confined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sandbox {
    /// They are, or no browser starts.
    #[default]
    On,
    /// They are not: a hole in the browser is then a hole in the machine.
    Off,
}

/// The size of a page's window in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowSize {
    /// Its width.
    pub width: u32,
    /// Its height.
    pub height: u32,
}

impl Default for WindowSize {
    /// 1280 x 720, which pages lay out as for a desktop. Measured: 2 % more of the browser's CPU than 800 x 600, and
    /// 8 % more than 320 x 240.
    fn default() -> Self {
        Self { width: 1280, height: 720 }
    }
}

/// What a driver needs of the machine.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Starts the browsers.
    pub spawner: Spawner,
    /// Whom they run as.
    pub identity: Identity,
    /// Where they keep their files.
    pub profiles: Arc<ProfileRoot>,
}

/// Why there is no driver.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CdpDriverError {
    /// There is no browser to start.
    #[error(transparent)]
    NoBrowser(#[from] FindError),
    /// The kernel would not let browsers build their sandbox.
    #[error("{0}; or, if every page is trusted, set `driver.cdp.sandbox = false`")]
    NoSandbox(SandboxObstacle),
}

/// Launches browsers and drives them over the DevTools protocol.
#[derive(Debug)]
pub struct CdpDriver {
    origin: Arc<Origin>,
}

/// What every launch starts from.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) binary: BrowserBinary,
    pub(crate) settings: CdpSettings,
    pub(crate) machine: Machine,
    pub(crate) supervisor: Supervisor,
    pub(crate) clock: Clock,
}

impl CdpDriver {
    /// A driver whose tasks belong to `supervisor`; when that is cancelled, every browser is killed.
    ///
    /// # Errors
    /// When there is no browser, or its sandbox cannot work here.
    pub fn new(
        settings: CdpSettings,
        machine: Machine,
        supervisor: &Supervisor,
        clock: Clock,
    ) -> Result<Self, CdpDriverError> {
        let binary = find(settings.executable.as_deref())?;
        if settings.sandbox == Sandbox::On
            && let Some(obstacle) = obstacle(Path::new("/"))
        {
            return Err(CdpDriverError::NoSandbox(obstacle));
        }
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
        let (give, launched) = oneshot::channel();
        let origin = Arc::clone(&self.origin);
        let work = async move {
            // A browser that nobody waits for any more is dropped here, which closes it.
            drop(give.send(launch(&origin, id, budget).await));
        };
        drop(self.origin.supervisor.spawn("launch browser", work));
        match launched.await {
            Ok(Ok(browser)) => Ok(Arc::new(browser)),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(Fault::transient(FailureClass::BrowserCrash, "the launch was cut off")),
        }
    }
}
