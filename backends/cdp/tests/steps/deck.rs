//! One browser for all cases of a suite, a site that misbehaves, and a context for each case.

use std::any::Any;
use std::fs::{Permissions, set_permissions, write};
use std::future::Future;
use std::os::unix::fs::PermissionsExt;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt, stream};
use plimsoll_cdp::{CdpDriver, CdpSettings, Machine};
use plimsoll_core::id::BrowserId;
use plimsoll_core::job::Setup;
use plimsoll_core::outcome::Fault;
use plimsoll_core::port::{Browser, Context, Driver, OpenRequest, StepOutput};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_core::step::Step;
use plimsoll_host::identity::Identity;
use plimsoll_host::profile::ProfileRoot;
use plimsoll_host::spawn::Spawner;
use plimsoll_kit::nasty_site;
use plimsoll_kit::site::{LOOPBACK, Site};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// What a step that should work may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// Cases at a time: more would only wait for each other on a small machine.
const SIDE_BY_SIDE: usize = 6;

/// A browser, and pages for it.
pub(crate) struct Deck {
    browser: Arc<dyn Browser>,
    supervisor: Supervisor,
    site: Site,
    files: TempDir,
}

/// A context whose page is open.
pub(crate) struct Tab {
    context: Box<dyn Context>,
    origin: String,
}

/// A named case.
pub(crate) type Case<'a> = (&'static str, Pin<Box<dyn Future<Output = ()> + 'a>>);

impl Deck {
    /// Starts the browser, as `nobody` if this is root.
    pub(crate) async fn launch() -> Self {
        let files = tempfile::tempdir().expect("a directory");
        set_permissions(files.path(), Permissions::from_mode(0o755)).expect("our own directory");
        let identity = Identity::for_browsers().expect("a user for browsers");
        let profiles = Arc::new(ProfileRoot::open(files.path(), &identity).expect("a place for profiles"));
        let machine = Machine { spawner: Spawner::start().expect("a thread"), identity, profiles };
        let supervisor = Supervisor::root();
        let driver =
            CdpDriver::new(CdpSettings::default(), machine, &supervisor, Clock::start()).expect("a browser");
        let browser = driver.launch(BrowserId(1), PATIENCE).await.expect("a running browser");
        Self { browser, supervisor, site: nasty_site::serve(LOOPBACK).expect("a port"), files }
    }

    /// A context at `path` of the site.
    pub(crate) async fn open(&self, path: &str) -> Tab {
        let goto: Step = serde_json::from_value(json!({ "goto": self.site.url(path) })).expect("a step");
        let Step::Goto(first) = &goto else { panic!("{goto:?}") };
        let request = OpenRequest { setup: Setup::default(), first: Some(first.clone()) };
        let mut context = self.browser.open(request, PATIENCE).await.expect("a context");
        context.perform(&goto, PATIENCE).await.expect("a page");
        Tab { context, origin: self.site.url("") }
    }

    /// A context whose page has this body.
    pub(crate) async fn show(&self, body: &str) -> Tab {
        let mut tab = self.open("/nested").await;
        let page = json!(format!("<!doctype html><title>Shown</title>{body}"));
        tab.js(&format!("document.open(); document.write({page}); document.close()")).await;
        tab
    }

    /// The site by its other name: another site to the browser, so another process shows it.
    pub(crate) fn elsewhere(&self, path: &str) -> String {
        self.site.url(path).replace("127.0.0.1", "localhost")
    }

    /// A file that everybody may read.
    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.files.path().join(name);
        write(&path, content).expect("our own directory");
        path
    }

    /// A file that the browser may not read; `None` if it runs as the same user as we.
    pub(crate) fn secret(&self, name: &str) -> Option<PathBuf> {
        let path = self.file(name, "secret");
        set_permissions(&path, Permissions::from_mode(0o600)).expect("our own file");
        (Identity::for_browsers().expect("a user for browsers") != Identity::Current).then_some(path)
    }

    /// Runs every case, then tells which failed.
    pub(crate) async fn run(&self, cases: Vec<Case<'_>>) {
        let failed: Vec<_> = stream::iter(cases)
            .map(|(name, case)| async move {
                AssertUnwindSafe(case).catch_unwind().await.err().map(|panic| (name, panic))
            })
            .buffer_unordered(SIDE_BY_SIDE)
            .filter_map(|failed| async { failed })
            .map(|(name, panic)| format!("{name}: {}", words(&*panic)))
            .collect()
            .await;
        assert!(failed.is_empty(), "{} cases failed\n{}", failed.len(), failed.join("\n"));
    }

    /// Ends the browser.
    pub(crate) async fn close(self) {
        self.browser.close().await.expect("a browser that is gone");
        self.supervisor.stop().await;
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map_or_else(|| panic.downcast_ref().copied().unwrap_or("?"), String::as_str)
}

impl Tab {
    /// Carries out a step, written as in a job.
    pub(crate) async fn perform(&mut self, step: Value) -> Result<StepOutput, Fault> {
        self.perform_within(PATIENCE, step).await
    }

    /// Carries out a step within `budget`.
    pub(crate) async fn perform_within(
        &mut self,
        budget: Duration,
        step: Value,
    ) -> Result<StepOutput, Fault> {
        let step: Step = serde_json::from_value(step).expect("a step");
        self.context.perform(&step, budget).await
    }

    /// Carries out a step that must work.
    pub(crate) async fn does(&mut self, step: Value) {
        let text = step.to_string();
        if let Err(fault) = self.perform(step).await {
            panic!("{text}: {fault}");
        }
    }

    /// What a step that must work adds to the job's data.
    pub(crate) async fn data(&mut self, step: Value) -> Map<String, Value> {
        match self.perform(step).await {
            Ok(StepOutput::Data(data)) => data,
            other => panic!("{other:?}"),
        }
    }

    /// The value of an expression.
    pub(crate) async fn js(&mut self, script: &str) -> Value {
        self.data(json!({ "evaluate": script })).await.remove("evaluate").expect("a value")
    }

    /// The text of an element.
    pub(crate) async fn text(&mut self, selector: &str) -> String {
        let data = self.data(json!({ "extract": { "text": selector } })).await;
        data["text"].as_str().unwrap_or("(missing)").to_owned()
    }

    /// Scheme, host and port of the site.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }
}
