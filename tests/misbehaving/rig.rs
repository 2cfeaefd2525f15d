//! A driver whose browsers are connected through the program that tampers with messages.

use std::fs::{Permissions, copy, set_permissions, write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use plimsoll_cdp::{CdpDriver, CdpSettings};
use plimsoll_core::id::BrowserId;
use plimsoll_core::job::Setup;
use plimsoll_core::outcome::Fault;
use plimsoll_core::port::{Browser, Context, Driver, OpenRequest, StepOutput};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_core::step::Step;
use plimsoll_host::browser;
use plimsoll_host::executable::NamedPath;
use plimsoll_host::identity::Identity;
use plimsoll_host::machine::Machine;
use plimsoll_host::profile::ProfileRoot;
use plimsoll_host::spawn::Spawner;
use plimsoll_kit::berth::Berth;
use plimsoll_kit::nasty_site;
use plimsoll_kit::processes;
use plimsoll_kit::site::{LOOPBACK, Site};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Long enough for any call that should succeed.
pub(crate) const AMPLE: Duration = Duration::from_secs(30);
/// The budget of a call with a fault.
pub(crate) const BUDGET: Duration = Duration::from_secs(1);
/// The time beyond the budget, on a busy machine.
const GRACE: Duration = Duration::from_secs(2);

/// A driver and its faulty connection.
pub(crate) struct Rig {
    pub(crate) driver: CdpDriver,
    pub(crate) site: Site,
    pub(crate) clock: Clock,
    supervisor: Supervisor,
    dir: TempDir,
    _berth: Berth,
}

impl Rig {
    /// A driver whose browsers each apply `fault` to the answer to the first command that contains `needle`.
    pub(crate) fn with(fault: &str, needle: &str) -> Self {
        let berth = Berth::take();
        let dir = tempfile::tempdir().expect("a directory");
        set_permissions(dir.path(), Permissions::from_mode(0o755)).expect("our own directory");
        let identity = Identity::for_browsers().expect("a user for browsers");
        let machine = Machine {
            spawner: Spawner::start().expect("a thread"),
            profiles: Arc::new(ProfileRoot::open(dir.path(), &identity).expect("a place for profiles")),
            identity,
        };
        let executable = Some(NamedPath::new(wire(dir.path(), fault, needle), "this test"));
        let (supervisor, clock) = (Supervisor::root(), Clock::start());
        let settings = CdpSettings { executable, ..CdpSettings::default() };
        let driver =
            CdpDriver::new(settings, machine, &supervisor, clock).expect("a browser with its sandbox");
        let site = nasty_site::serve(LOOPBACK).expect("a port");
        Self { driver, site, clock, supervisor, dir, _berth: berth }
    }

    pub(crate) async fn launch(&self) -> Arc<dyn Browser> {
        self.driver.launch(BrowserId(1), AMPLE).await.expect("the browser starts")
    }

    /// A context that shows a page.
    pub(crate) async fn visit(&self, browser: &dyn Browser) -> Box<dyn Context> {
        let mut context = open(browser, AMPLE).await.expect("a context");
        self.goto(context.as_mut(), AMPLE).await.expect("a page");
        context
    }

    /// Opens a page in a context.
    pub(crate) async fn goto(
        &self,
        context: &mut dyn Context,
        budget: Duration,
    ) -> Result<StepOutput, Fault> {
        context.perform(&step(json!({ "goto": self.site.url("/nested") })), budget).await
    }

    /// The result of a call, which must end within [`BUDGET`].
    pub(crate) async fn in_time<T>(&self, call: impl Future<Output = T>) -> T {
        let start = self.clock.now();
        let done = call.await;
        let took = self.clock.now().since(start);
        assert!(took < BUDGET + GRACE, "it took {took:?} of {BUDGET:?}");
        done
    }

    /// Closes the browser, and asserts that nothing is left and nothing has panicked.
    pub(crate) async fn close(self, browser: Arc<dyn Browser>) {
        browser.close().await.expect("a browser that is gone");
        self.leaves_nothing().await;
    }

    /// Asserts that nothing is left and nothing has panicked.
    pub(crate) async fn leaves_nothing(self) {
        assert_eq!(processes::of(self.dir.path()), [], "processes are left");
        assert_eq!(self.supervisor.panics(), 0);
        self.supervisor.stop().await;
    }
}

/// The program that the driver starts as its browser.
fn wire(dir: &Path, fault: &str, needle: &str) -> std::path::PathBuf {
    let real = browser::find(None).expect("a browser; `cargo xtask setup` brings one").path;
    // A copy that the user of the browsers can start: the build directory may be private.
    let relay = dir.join("bad-wire");
    copy(env!("CARGO_BIN_EXE_bad-wire"), &relay).expect("our own directory");
    let named_like_it = dir.join(real.file_name().expect("a file"));
    let script = format!(
        "#!/bin/sh\nexec {} {fault} {needle} {} \"$@\" <&3 >&4 3<&- 4>&-\n",
        relay.display(),
        real.display()
    );
    write(&named_like_it, script).expect("our own directory");
    set_permissions(&named_like_it, Permissions::from_mode(0o755)).expect("our own file");
    named_like_it
}

/// A context without a page.
pub(crate) async fn open(browser: &dyn Browser, budget: Duration) -> Result<Box<dyn Context>, Fault> {
    browser.open(OpenRequest { setup: Setup::default(), first: None }, budget).ready().await
}

/// A step, written as in a job.
pub(crate) fn step(written: Value) -> Step {
    serde_json::from_value(written).expect("a step")
}

/// An expression that contains the marker and gives 42.
pub(crate) fn marked() -> Step {
    step(json!({ "evaluate": "/* marker */ 6 * 7" }))
}
