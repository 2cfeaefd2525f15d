//! A driver with all its dependencies, and the check that nothing of it is left.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use plimsoll_core::id::BrowserId;
use plimsoll_core::job::Setup;
use plimsoll_core::outcome::Fault;
use plimsoll_core::port::{Browser, Context, Driver, OpenRequest, Page, StepOutput};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_core::step::Step;
use plimsoll_host::identity::Identity;
use plimsoll_host::machine::Machine;
use plimsoll_host::profile::ProfileRoot;
use plimsoll_host::spawn::Spawner;
use plimsoll_kit::processes::{self, Process};
use plimsoll_webdriver::{Family, WebDriverDriver, WebDriverSettings};
use serde_json::{Value, json};

/// Long enough for any operation that is expected to succeed, Firefox included.
pub(crate) const AMPLE: Duration = Duration::from_secs(60);

/// A driver on this machine.
pub(crate) struct Rig {
    pub(crate) driver: WebDriverDriver,
    pub(crate) supervisor: Supervisor,
    profiles: Arc<ProfileRoot>,
    next: AtomicU64,
    _files: tempfile::TempDir,
}

impl Rig {
    pub(crate) fn of(family: Family) -> Self {
        Self::with(WebDriverSettings { family, ..WebDriverSettings::default() })
    }

    pub(crate) fn with(settings: WebDriverSettings) -> Self {
        let files = tempfile::tempdir().expect("a directory");
        // Drivers run as another user when the tests run as root: that user must have access to the profile.
        fs::set_permissions(files.path(), fs::Permissions::from_mode(0o755)).expect("our own directory");
        let identity = Identity::for_browsers().expect("a user for browsers");
        let profiles = Arc::new(ProfileRoot::open(files.path(), &identity).expect("a place for profiles"));
        let spawner = Spawner::start().expect("a thread is left");
        let supervisor = Supervisor::root();
        let machine = Machine { spawner, identity, profiles: Arc::clone(&profiles) };
        let driver = WebDriverDriver::new(settings, machine, &supervisor, Clock::start())
            .expect("a driver and its browser; `cargo xtask setup` brings them");
        Self { driver, supervisor, profiles, next: AtomicU64::new(0), _files: files }
    }

    pub(crate) async fn launch(&self) -> Arc<dyn Browser> {
        let id = BrowserId(self.next.fetch_add(1, Ordering::Relaxed));
        self.driver.launch(id, AMPLE).await.expect("the driver starts")
    }

    /// The directory for this rig's browsers.
    pub(crate) fn profiles(&self) -> &Path {
        self.profiles.path()
    }

    /// Processes of this rig's drivers and browsers.
    pub(crate) fn processes(&self) -> Vec<Process> {
        processes::of(self.profiles())
    }

    /// The processes whose command line contains this text.
    pub(crate) fn named(&self, name: &str) -> Vec<Process> {
        let mut found = self.processes();
        found.retain(|process| process.args.contains(name) && !process.args.starts_with("/bin/sh"));
        found
    }

    /// Checks that nothing is left once every browser was closed.
    pub(crate) fn assert_clean(&self) {
        let dirs = fs::read_dir(self.profiles()).expect("the run's directory").flatten();
        let dirs: Vec<PathBuf> = dirs.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
        assert_eq!(self.processes(), [], "processes are left");
        assert_eq!(dirs, Vec::<PathBuf>::new(), "profile directories are left");
        assert_eq!(self.supervisor.panics(), 0);
    }
}

/// A step as a job writes it.
pub(crate) fn step(step: Value) -> Step {
    serde_json::from_value(step).expect("a step")
}

/// The request of a job that opens `url`.
pub(crate) fn request(url: &str) -> OpenRequest {
    let Step::Goto(first) = step(json!({ "goto": url })) else { panic!("a goto") };
    OpenRequest { setup: Setup::default(), first: Some(first) }
}

/// A context that has opened `url`.
pub(crate) async fn visit(browser: &dyn Browser, url: &str) -> Box<dyn Context> {
    let mut context = browser.open(request(url), AMPLE).ready().await.expect("a context");
    go(context.as_mut(), url, AMPLE).await.expect("a page");
    context
}

pub(crate) async fn go(context: &mut dyn Context, url: &str, budget: Duration) -> Result<Page, Fault> {
    match context.perform(&step(json!({ "goto": url })), budget).await? {
        StepOutput::Page(page) => Ok(page),
        other => panic!("a goto brings a page, not {other:?}"),
    }
}

pub(crate) async fn evaluate(
    context: &mut dyn Context,
    script: &str,
    budget: Duration,
) -> Result<Value, Fault> {
    match context.perform(&step(json!({ "evaluate": script })), budget).await? {
        StepOutput::Data(mut data) => Ok(data.remove("evaluate").unwrap_or_default()),
        other => panic!("an evaluation brings data, not {other:?}"),
    }
}
