//! A driver with all its dependencies, and the check that nothing of it is left.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use plimsoll_cdp::{CdpDriver, CdpSettings};
use plimsoll_core::id::BrowserId;
use plimsoll_core::job::Setup;
use plimsoll_core::outcome::Fault;
use plimsoll_core::port::{Browser, Context, Driver, OpenRequest, Page, StepOutput};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_core::step::{Evaluate, Goto, LoadState, PageUrl, Step};
use plimsoll_host::identity::Identity;
use plimsoll_host::machine::Machine;
use plimsoll_host::profile::{ProfileRoot, default_base};
use plimsoll_host::spawn::Spawner;
use plimsoll_kit::processes::{self, Process};
use serde_json::Value;

/// Long enough for any operation that is expected to succeed.
pub(crate) const AMPLE: Duration = Duration::from_secs(30);

/// A driver on this machine.
pub(crate) struct Rig {
    pub(crate) driver: CdpDriver,
    pub(crate) supervisor: Supervisor,
    profiles: Arc<ProfileRoot>,
    next: AtomicU64,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(CdpSettings::default())
    }

    pub(crate) fn with(settings: CdpSettings) -> Self {
        let identity = Identity::for_browsers().expect("a user for browsers");
        let profiles = Arc::new(ProfileRoot::open(&default_base(), &identity).expect("a place for profiles"));
        let spawner = Spawner::start().expect("a thread is left");
        let supervisor = Supervisor::root();
        let machine = Machine { spawner, identity, profiles: Arc::clone(&profiles) };
        let driver =
            CdpDriver::new(settings, machine, &supervisor, Clock::start()).expect("a browser is installed");
        Self { driver, supervisor, profiles, next: AtomicU64::new(0) }
    }

    pub(crate) async fn launch(&self) -> Arc<dyn Browser> {
        let id = BrowserId(self.next.fetch_add(1, Ordering::Relaxed));
        self.driver.launch(id, AMPLE).await.expect("the browser starts")
    }

    /// The directory for this rig's browsers.
    pub(crate) fn profiles(&self) -> &Path {
        self.profiles.path()
    }

    /// Profile directories that exist now.
    pub(crate) fn profile_dirs(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.profiles()).expect("the run's directory");
        entries.map(|entry| entry.expect("readable").path()).filter(|path| path.is_dir()).collect()
    }

    /// Processes of this rig's browsers.
    pub(crate) fn processes(&self) -> Vec<Process> {
        processes::of(self.profiles())
    }

    /// Checks that nothing is left once every browser was closed.
    pub(crate) fn assert_clean(&self) {
        assert_eq!(self.processes(), [], "processes are left");
        assert_eq!(self.profile_dirs(), Vec::<PathBuf>::new(), "profile directories are left");
        assert_eq!(self.supervisor.panics(), 0);
    }
}

pub(crate) fn goto(url: &str) -> Goto {
    Goto { url: PageUrl::parse(url).expect("a URL"), wait_until: LoadState::Load }
}

/// A context that was opened with a first page and then navigated to it.
pub(crate) async fn visit(browser: &dyn Browser, url: &str, budget: Duration) -> Visit {
    let request = OpenRequest { setup: Setup::default(), first: Some(goto(url)) };
    let mut context = browser.open(request, AMPLE).ready().await.expect("a context");
    let page = open(context.as_mut(), goto(url), budget).await;
    Visit { context, page }
}

/// A visited context.
pub(crate) struct Visit {
    pub(crate) context: Box<dyn Context>,
    pub(crate) page: Result<Page, Fault>,
}

impl Visit {
    /// The value of an expression in the page.
    pub(crate) async fn evaluate(&mut self, script: &str) -> Result<Value, Fault> {
        let step = Step::Evaluate(Evaluate { script: script.to_owned(), name: "value".to_owned() });
        match self.context.perform(&step, Duration::from_secs(10)).await? {
            StepOutput::Data(mut data) => Ok(data.remove("value").unwrap_or_default()),
            other => panic!("an evaluation brings data, not {other:?}"),
        }
    }

    pub(crate) async fn close(self) {
        self.context.close().await.expect("the context is gone");
    }
}

pub(crate) async fn open(context: &mut dyn Context, goto: Goto, budget: Duration) -> Result<Page, Fault> {
    match context.perform(&Step::Goto(goto), budget).await? {
        StepOutput::Page(page) => Ok(page),
        other => panic!("a goto brings a page, not {other:?}"),
    }
}
