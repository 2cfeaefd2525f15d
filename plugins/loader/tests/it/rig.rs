//! The common setup of the tests: the rogue library, loaded, and its calls.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::id::BrowserId;
use plimsoll_core::job::Setup;
use plimsoll_core::outcome::Fault;
use plimsoll_core::port::{Browser, Context, Driver, OpenRequest, StepOutput};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_core::step::Step;
use plimsoll_host::spawn::Spawner;
use plimsoll_loader::{HostProgram, Isolation, LoadError, Loader, PluginDriver};
use serde_json::{Value, json};

/// Long enough for a busy machine; no successful call takes this time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// The budget of the tests' calls.
pub(crate) const BUDGET: Duration = Duration::from_secs(20);
/// The budget of calls that should run out of time.
pub(crate) const SHORT: Duration = Duration::from_millis(200);

pub(crate) const BOTH: [Isolation; 2] = [Isolation::InProcess, Isolation::Process];

/// The rogue library, which cargo built beside this test.
pub(crate) fn rogue() -> PathBuf {
    let test = std::env::current_exe().expect("this test");
    let library = test.parent().expect("in a directory").join("librogue_driver.so");
    assert!(library.is_file(), "{} is missing", library.display());
    library
}

pub(crate) fn loader() -> Loader {
    let args = ["--exact", "plugin_host", "--ignored", "--nocapture"];
    Loader {
        spawner: Spawner::start().expect("a thread"),
        supervisor: Supervisor::root(),
        clock: Clock::start(),
        program: HostProgram { program: "/proc/self/exe".into(), args: args.map(Into::into).into() },
    }
}

pub(crate) async fn load(isolation: Isolation, config: Value) -> Result<PluginDriver, LoadError> {
    loader().load(&rogue(), isolation, config).await
}

/// A driver with a browser and a context.
pub(crate) struct Rig {
    pub(crate) loader: Loader,
    pub(crate) driver: PluginDriver,
    pub(crate) browser: Arc<dyn Browser>,
    pub(crate) context: Box<dyn Context>,
}

impl Rig {
    pub(crate) async fn new(isolation: Isolation, config: Value) -> Self {
        let loader = loader();
        let driver = loader.load(&rogue(), isolation, config).await.expect("loads");
        let browser = launch(&driver).await.expect("launches");
        let context = open(&browser).await.expect("opens");
        Self { loader, driver, browser, context }
    }

    /// A library that behaves well.
    pub(crate) async fn tame(isolation: Isolation) -> Self {
        Self::new(isolation, json!({})).await
    }

    pub(crate) async fn evaluate(&mut self, script: &str, budget: Duration) -> Result<StepOutput, Fault> {
        evaluate(self.context.as_mut(), script, budget).await
    }
}

pub(crate) async fn launch(driver: &PluginDriver) -> Result<Arc<dyn Browser>, Fault> {
    driver.launch(BrowserId(1), BUDGET).await
}

pub(crate) async fn open(browser: &Arc<dyn Browser>) -> Result<Box<dyn Context>, Fault> {
    browser.open(request(), BUDGET).ready().await
}

pub(crate) fn request() -> OpenRequest {
    OpenRequest { setup: Setup::default(), first: None }
}

pub(crate) async fn evaluate(
    context: &mut dyn Context,
    script: &str,
    budget: Duration,
) -> Result<StepOutput, Fault> {
    let step: Step = serde_json::from_value(json!({ "evaluate": script })).expect("a step");
    context.perform(&step, budget).await
}

/// Waits until a counter of the library has come to `value`.
pub(crate) async fn counted(driver: &PluginDriver, name: &str, value: u64) {
    let there = async {
        while driver.counters().get(name).copied().unwrap_or_default() < value {
            tokio::task::yield_now().await;
        }
    };
    let seen = tokio::time::timeout(PATIENCE, there).await;
    seen.unwrap_or_else(|_| panic!("{name} is to be {value}: {:?}", driver.counters()));
}

/// Runs the test with both isolations, each with its own runtime.
macro_rules! on_both {
    ($($(#[$doc:meta])* async fn $name:ident($isolation:ident) $body:block)+) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;

            async fn run($isolation: plimsoll_loader::Isolation) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn in_process() {
                run(plimsoll_loader::Isolation::InProcess).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn process() {
                run(plimsoll_loader::Isolation::Process).await;
            }
        }
    )+};
}
pub(crate) use on_both;
