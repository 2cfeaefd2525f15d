//! The driver: settings and the machine's handles, from which browsers are launched.
//!
//! A browser of this driver is a chromedriver, a geckodriver, or a share of a remote end. [`WebDriverDriver::new`] checks
//! what can be checked before any is started. A launch is made by an owned task, so a caller who leaves leaks nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::capability::{Capabilities, Capability};
use plimsoll_core::id::BrowserId;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::{Browser, Driver};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::browser::{self, FindError};
use plimsoll_host::identity::Identity;
use plimsoll_host::profile::ProfileRoot;
use plimsoll_host::program::{self, ProgramError, Wanted};
use plimsoll_host::sandbox::{SandboxObstacle, obstacle};
use plimsoll_host::spawn::Spawner;
use tokio::sync::oneshot;

use crate::browser::WebDriverBrowser;
use crate::demand::{Demand, Place};
use crate::endpoints::Endpoints;
use crate::journal::{Journal, JournalError};
use crate::settings::{Family, Sandbox, WebDriverSettings};

/// Less shared memory than this (a container's default is 64 MiB) lets pages crash when it is full.
const ENOUGH_SHARED_MEMORY: u64 = 512 << 20;

const CHROMEDRIVER: Wanted = Wanted {
    name: "chromedriver",
    setting: "driver.webdriver.chromedriver",
    variable: "PLIMSOLL_CHROMEDRIVER",
    names: &["chromedriver"],
    places: &["/usr/bin/chromedriver", "/usr/lib/chromium/chromedriver"],
    remedy: "on Debian, as root: `apt-get install chromium-driver`",
};
const GECKODRIVER: Wanted = Wanted {
    name: "geckodriver",
    setting: "driver.webdriver.geckodriver",
    variable: "PLIMSOLL_GECKODRIVER",
    names: &["geckodriver"],
    places: &["/usr/local/bin/geckodriver", "/snap/bin/geckodriver"],
    remedy: "`cargo install geckodriver` builds one",
};
const FIREFOX: Wanted = Wanted {
    name: "firefox",
    setting: "driver.webdriver.executable",
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

/// What a driver needs of the machine.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Starts the drivers.
    pub spawner: Spawner,
    /// Whom they run as.
    pub identity: Identity,
    /// Where they keep their files.
    pub profiles: Arc<ProfileRoot>,
}

/// Why there is no driver.
#[derive(Debug, thiserror::Error)]
pub enum WebDriverDriverError {
    /// There is no chromedriver, geckodriver or Firefox to start.
    #[error(transparent)]
    NoProgram(#[from] ProgramError),
    /// There is no Chromium for chromedriver to start.
    #[error(transparent)]
    NoBrowser(#[from] FindError),
    /// The kernel would not let browsers build their sandbox.
    #[error("{0}; or, if every page is trusted, set `driver.webdriver.sandbox = false`")]
    NoSandbox(SandboxObstacle),
    /// Open remote sessions cannot be written down.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Launches browsers and drives them over WebDriver.
#[derive(Debug)]
pub struct WebDriverDriver {
    origin: Arc<Origin>,
}

/// What every launch starts from.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) settings: WebDriverSettings,
    pub(crate) machine: Machine,
    pub(crate) supervisor: Supervisor,
    pub(crate) clock: Clock,
    pub(crate) demand: Arc<Demand>,
    pub(crate) source: Source,
}

/// Where browsers come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// They are started here.
    Here(Equipment),
    /// They are shares of remote ends.
    There(Arc<Endpoints>),
}

/// What is started.
#[derive(Debug)]
pub(crate) struct Equipment {
    pub(crate) family: Family,
    pub(crate) driver: PathBuf,
}

impl WebDriverDriver {
    /// A driver whose tasks belong to `supervisor`; when that is cancelled, every browser is killed and every session
    /// deleted. Sessions that a dead run left at the same remote ends are deleted meanwhile. Call inside a tokio
    /// runtime.
    ///
    /// # Errors
    /// When something to start is missing, its sandbox cannot work here, or the journal cannot be written.
    pub fn new(
        settings: WebDriverSettings,
        machine: Machine,
        supervisor: &Supervisor,
        clock: Clock,
    ) -> Result<Self, WebDriverDriverError> {
        let (source, demand) = if settings.remotes.is_empty() {
            equip(&settings)?
        } else {
            let beside = machine.profiles.path().parent().unwrap_or_else(|| Path::new("/"));
            let dir = settings.journal.as_deref().unwrap_or(beside);
            let journal = Journal::open(dir, supervisor)?;
            let endpoints = Endpoints::watch(&settings, journal, supervisor, clock);
            let place = Place::There(settings.executable.as_ref());
            (Source::There(endpoints), Demand::new(&settings, place))
        };
        let (demand, supervisor) = (Arc::new(demand), supervisor.clone());
        Ok(Self { origin: Arc::new(Origin { settings, machine, supervisor, clock, demand, source }) })
    }

    /// How many sessions its remote ends can hold for us now: their slots for this browser, less those that others
    /// occupy. `None` when none of them says, or drivers are started here.
    #[must_use]
    pub fn slots(&self) -> Option<u32> {
        match &self.origin.source {
            Source::Here(_) => None,
            Source::There(endpoints) => endpoints.slots(),
        }
    }

    /// What is started, or the addresses that are called, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.origin.source {
            Source::Here(equipment) => equipment.driver.display().to_string(),
            Source::There(endpoints) => endpoints.labels(),
        }
    }
}

/// Finds what is to be started here.
fn equip(settings: &WebDriverSettings) -> Result<(Source, Demand), WebDriverDriverError> {
    let family = settings.family;
    let (wanted, binary, kind) = match family {
        Family::Chromium => {
            let found = browser::find(settings.executable.as_deref())?;
            (&CHROMEDRIVER, found.path, Some(found.kind))
        }
        Family::Firefox => (&GECKODRIVER, program::find(&FIREFOX, settings.executable.as_deref())?, None),
    };
    let driver = program::find(wanted, settings.driver.as_deref())?;
    if settings.sandbox == Sandbox::On
        && let Some(obstacle) = obstacle(Path::new("/"))
    {
        return Err(WebDriverDriverError::NoSandbox(obstacle));
    }
    let place = Place::Here { binary: &binary, kind, shared_memory: has_shared_memory() };
    let demand = Demand::new(settings, place);
    Ok((Source::Here(Equipment { family, driver }), demand))
}

/// Whether `/dev/shm` is large enough for browsers.
fn has_shared_memory() -> bool {
    rustix::fs::statvfs("/dev/shm")
        .is_ok_and(|found| found.f_bavail.saturating_mul(found.f_frsize) >= ENOUGH_SHARED_MEMORY)
}

#[async_trait]
impl Driver for WebDriverDriver {
    fn name(&self) -> &str {
        "webdriver"
    }

    fn capabilities(&self) -> Capabilities {
        use Capability::{Cookies, FaultPages, Headers, PixelRatio, Upload};
        let all = Capabilities::all();
        let family = match self.origin.settings.family {
            Family::Chromium => all,
            // WebDriver alone has no words for these; chromedriver passes those of the DevTools protocol on.
            Family::Firefox => all.without(&[Cookies, FaultPages, Headers, PixelRatio]),
        };
        match self.origin.source {
            Source::Here(_) => family,
            // Its browsers read no file of this machine.
            Source::There(_) => family.without(&[Upload]),
        }
    }

    async fn launch(&self, id: BrowserId, budget: Duration) -> Result<Arc<dyn Browser>, Fault> {
        let (give, launched) = oneshot::channel();
        let origin = Arc::clone(&self.origin);
        let work = async move {
            // A browser that nobody waits for any more is dropped here, which closes it.
            drop(give.send(WebDriverBrowser::launch(&origin, id, budget).await));
        };
        drop(self.origin.supervisor.spawn("launch browser", work));
        match launched.await {
            Ok(Ok(browser)) => Ok(Arc::new(browser)),
            Ok(Err(fault)) => Err(fault),
            Err(_) => Err(Fault::transient(FailureClass::BrowserCrash, "the launch was cut off")),
        }
    }
}
