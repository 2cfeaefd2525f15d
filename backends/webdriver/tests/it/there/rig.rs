//! A driver whose browsers are shares of a remote end.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::id::BrowserId;
use plimsoll_core::job::Setup;
use plimsoll_core::outcome::Fault;
use plimsoll_core::port::{Browser, Context, Driver, OpenRequest};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::identity::Identity;
use plimsoll_host::machine::Machine;
use plimsoll_host::profile::ProfileRoot;
use plimsoll_host::spawn::Spawner;
use plimsoll_webdriver::{Family, Remote, WebDriverDriver, WebDriverSettings};
use serde_json::Value;

/// Long enough for any operation that is expected to succeed.
pub(crate) const AMPLE: Duration = Duration::from_secs(20);

/// A driver, and the directory in which its open sessions are recorded.
pub(crate) struct Rig {
    pub(crate) driver: WebDriverDriver,
    pub(crate) supervisor: Supervisor,
    dir: Arc<tempfile::TempDir>,
}

impl Rig {
    pub(crate) fn at(url: &str) -> Self {
        Self::beside(url, Arc::new(tempfile::tempdir().expect("a directory")))
    }

    /// Another run on the same machine.
    pub(crate) fn next(&self, url: &str) -> Self {
        Self::beside(url, Arc::clone(&self.dir))
    }

    fn beside(url: &str, dir: Arc<tempfile::TempDir>) -> Self {
        Self::of(WebDriverSettings::default(), &[url], dir)
    }

    /// A driver of several remote ends.
    pub(crate) fn among(urls: &[&str]) -> Self {
        Self::of(WebDriverSettings::default(), urls, Arc::new(tempfile::tempdir().expect("a directory")))
    }

    /// A driver of a remote end for Firefox.
    pub(crate) fn of_firefox(url: &str) -> Self {
        let settings = WebDriverSettings { family: Family::Firefox, ..WebDriverSettings::default() };
        Self::of(settings, &[url], Arc::new(tempfile::tempdir().expect("a directory")))
    }

    /// A driver that requests these capabilities too.
    pub(crate) fn requesting(url: &str, capabilities: &Value) -> Self {
        let capabilities = capabilities.as_object().cloned().expect("an object");
        let settings = WebDriverSettings { capabilities, ..WebDriverSettings::default() };
        Self::of(settings, &[url], Arc::new(tempfile::tempdir().expect("a directory")))
    }

    fn of(settings: WebDriverSettings, urls: &[&str], dir: Arc<tempfile::TempDir>) -> Self {
        let identity = Identity::Current;
        let profiles = ProfileRoot::open(&dir.path().join("profiles"), &identity).expect("a place");
        let machine =
            Machine { spawner: Spawner::start().expect("a thread"), identity, profiles: Arc::new(profiles) };
        let settings = WebDriverSettings {
            remotes: urls.iter().map(|url| Remote::parse(url, 1).expect("a url")).collect(),
            journal: Some(dir.path().to_owned()),
            ..settings
        };
        let supervisor = Supervisor::root();
        let driver =
            WebDriverDriver::new(settings, machine, &supervisor, Clock::start()).expect("nothing is missing");
        Self { driver, supervisor, dir }
    }

    /// A copy of the records in a directory whose lock is free, as after a run that was killed.
    pub(crate) fn forge_leavings(&self) -> PathBuf {
        let runs = fs::read_dir(self.dir.path()).expect("there").flatten().map(|entry| entry.path());
        let run = runs.into_iter().find(|run| run.to_string_lossy().contains("/sessions-")).expect("one run");
        let forged = self.dir.path().join("sessions-1-forged");
        fs::create_dir(&forged).expect("ours");
        for entry in fs::read_dir(run).expect("there").flatten() {
            fs::write(forged.join(entry.file_name()), fs::read(entry.path()).expect("readable"))
                .expect("ours");
        }
        forged
    }

    pub(crate) async fn launch(&self) -> Arc<dyn Browser> {
        self.driver.launch(BrowserId(1), AMPLE).await.expect("it answers")
    }

    /// Sessions that are recorded.
    pub(crate) fn written(&self) -> usize {
        let runs = fs::read_dir(self.dir.path()).expect("there").flatten().map(|entry| entry.path());
        let names =
            |run: &Path| fs::read_dir(run).into_iter().flatten().flatten().map(|entry| entry.file_name());
        runs.filter(|run| run.to_string_lossy().contains("/sessions-"))
            .map(|run| names(&run).filter(|name| name != "owner.lock").count())
            .sum()
    }
}

pub(crate) async fn open(browser: &dyn Browser, budget: Duration) -> Result<Box<dyn Context>, Fault> {
    browser.open(OpenRequest { setup: Setup::default(), first: None }, budget).ready().await
}
