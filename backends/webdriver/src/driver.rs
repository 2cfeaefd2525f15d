//! The driver: settings and the machine's handles, from which browsers are launched.
//!
//! A browser of this driver is a chromedriver, a geckodriver, or a share of the remote ends. [`WebDriverDriver::new`]
//! checks what can be checked before any browser is started. A launch runs as a task of its own: a caller that stops
//! waiting leaks nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::capability::{Capabilities, Capability};
use plimsoll_core::id::BrowserId;
use plimsoll_core::outcome::Fault;
use plimsoll_core::port::{Browser, Driver};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::browser::{self, FindError};
use plimsoll_host::lifecycle;
use plimsoll_host::machine::Machine;
use plimsoll_host::program::{self, ProgramError, Wanted};
use plimsoll_host::sandbox::SandboxObstacle;
use plimsoll_host::shared_memory::SharedMemory;

use crate::browser::WebDriverBrowser;
use crate::capabilities::{Place, SessionCapabilities};
use crate::endpoints::Endpoints;
use crate::journal::{Journal, JournalError};
use crate::origin::{DriverProgram, Origin, Source};
use crate::settings::{Family, WebDriverSettings};

const CHROMEDRIVER: Wanted = Wanted {
    name: "chromedriver",
    variable: "PLIMSOLL_CHROMEDRIVER",
    names: &["chromedriver"],
    places: &["/usr/bin/chromedriver", "/usr/lib/chromium/chromedriver"],
    remedy: "on Debian, as root: `apt-get install chromium-driver`",
};
const GECKODRIVER: Wanted = Wanted {
    name: "geckodriver",
    variable: "PLIMSOLL_GECKODRIVER",
    names: &["geckodriver"],
    places: &["/usr/local/bin/geckodriver", "/snap/bin/geckodriver"],
    remedy: "`cargo install geckodriver` builds one",
};
const FIREFOX: Wanted = Wanted {
    name: "firefox",
    variable: "PLIMSOLL_FIREFOX",
    names: &["firefox-esr", "firefox"],
    places: &[
        "/usr/lib/firefox-esr/firefox-esr",
        "/usr/lib/firefox/firefox",
        "/opt/firefox/firefox",
        "/Applications/Firefox.app/Contents/MacOS/firefox",
    ],
    remedy: "on Debian, as root: `apt-get install firefox-esr`",
};

/// Why the driver cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum WebDriverDriverError {
    /// No chromedriver, geckodriver or Firefox is installed.
    #[error(transparent)]
    NoProgram(#[from] ProgramError),
    /// No Chromium is installed for chromedriver.
    #[error(transparent)]
    NoBrowser(#[from] FindError),
    /// The kernel does not allow browsers to create their sandbox.
    #[error("{0}; or, if every page is trusted, turn this driver's `sandbox` off")]
    NoSandbox(SandboxObstacle),
    /// Open remote sessions cannot be recorded.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Launches browsers and drives them over WebDriver.
#[derive(Debug)]
pub struct WebDriverDriver {
    origin: Arc<Origin>,
}

impl WebDriverDriver {
    /// A driver whose tasks belong to `supervisor`; when that is cancelled, every browser is killed and every session
    /// is deleted. In the background, sessions that an ended run left at the same remote ends are deleted. Call inside
    /// a tokio runtime.
    ///
    /// # Errors
    /// When a program is missing, its sandbox cannot work here, or the journal cannot be written.
    pub fn new(
        settings: WebDriverSettings,
        machine: Machine,
        supervisor: &Supervisor,
        clock: Clock,
    ) -> Result<Self, WebDriverDriverError> {
        let (source, capabilities) = if settings.remotes.is_empty() {
            find_local(&settings)?
        } else {
            let beside = machine.profiles.path().parent().unwrap_or_else(|| Path::new("/"));
            let dir = settings.journal.as_deref().unwrap_or(beside);
            let journal = Journal::open(dir, supervisor)?;
            let endpoints = Endpoints::watch(&settings, journal, supervisor, clock);
            let place = Place::Remote(settings.executable.as_ref().map(|named| named.path.as_path()));
            (Source::Remote(endpoints), SessionCapabilities::new(&settings, place))
        };
        let (capabilities, supervisor) = (Arc::new(capabilities), supervisor.clone());
        Ok(Self { origin: Arc::new(Origin { settings, machine, supervisor, clock, capabilities, source }) })
    }

    /// The number of sessions that its remote ends can hold for us now: their slots for this browser, minus those that
    /// other clients occupy. `None` when a remote end does not report slots, or when drivers run on this machine.
    #[must_use]
    pub fn slots(&self) -> Option<u32> {
        match &self.origin.source {
            Source::Local(_) => None,
            Source::Remote(endpoints) => endpoints.slots(),
        }
    }

    /// The programs that are started, or the addresses that are called, as text for users.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.origin.source {
            Source::Local(program) => program.path.display().to_string(),
            Source::Remote(endpoints) => endpoints.labels(),
        }
    }
}

/// Finds the driver and the browser to start on this machine.
fn find_local(settings: &WebDriverSettings) -> Result<(Source, SessionCapabilities), WebDriverDriverError> {
    let family = settings.family;
    let (wanted, binary, kind) = match family {
        Family::Chromium => {
            let found = browser::find(settings.executable.as_ref())?;
            (&CHROMEDRIVER, found.path, Some(found.kind))
        }
        Family::Firefox => (&GECKODRIVER, program::find(&FIREFOX, settings.executable.as_ref())?, None),
    };
    let path = program::find(wanted, settings.driver.as_ref())?;
    settings.sandbox.check().map_err(WebDriverDriverError::NoSandbox)?;
    let place = Place::Local { binary: &binary, kind, shared_memory: SharedMemory::detect() };
    let capabilities = SessionCapabilities::new(settings, place);
    Ok((Source::Local(DriverProgram { family, path }), capabilities))
}

#[async_trait]
impl Driver for WebDriverDriver {
    fn name(&self) -> &str {
        "webdriver"
    }

    fn capabilities(&self) -> Capabilities {
        use Capability::{Cookies, FaultPages, Headers, OwnWorld, PixelRatio, Upload};
        let all = Capabilities::all();
        let family = match self.origin.settings.family {
            Family::Chromium => all,
            // WebDriver itself has no commands for these; chromedriver forwards the commands of the DevTools protocol.
            Family::Firefox => all.without(&[Cookies, FaultPages, Headers, OwnWorld, PixelRatio]),
        };
        match self.origin.source {
            Source::Local(_) => family,
            // Its browsers cannot read files of this machine, and it may forward no DevTools commands.
            Source::Remote(_) => family.without(&[OwnWorld, Upload]),
        }
    }

    async fn launch(&self, id: BrowserId, budget: Duration) -> Result<Arc<dyn Browser>, Fault> {
        let origin = Arc::clone(&self.origin);
        let work = async move { WebDriverBrowser::launch(&origin, id, budget).await };
        lifecycle::launch(&self.origin.supervisor, work).await
    }
}
