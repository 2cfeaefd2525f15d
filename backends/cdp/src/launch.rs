//! Starts one browser, from an empty directory to a browser that answers.
//!
//! ```text
//!   profile directory ─► pipes ─► process ─► connection ─► Browser.getVersion answered ─► CdpBrowser
//! ```
//!
//! When a stage fails, the results of earlier stages are removed before the error is reported: the process tree is
//! killed and verified gone, then its directory is removed. When the task itself is cancelled, the drop does the same.

use std::time::Duration;

use chromiumoxide_cdp::cdp::browser_protocol::browser::GetVersionParams;
use chromiumoxide_cdp::cdp::browser_protocol::target::{FilterEntry, SetAutoAttachParams, TargetFilter};
use plimsoll_core::id::BrowserId;
use plimsoll_host::lifecycle::{LaunchError, LocalProcess};
use plimsoll_host::machine::Program;
use plimsoll_host::profile::ProfileDir;
use plimsoll_host::shared_memory::SharedMemory;
use plimsoll_host::tree::{Ladder, ProcessTree};

use crate::browser::CdpBrowser;
use crate::flags::CommandLine;
use crate::origin::Origin;
use crate::page_targets;
use crate::transport::{CallError, Connection, ConnectionLimits, Session, pipe};

/// The name of a browser in launch errors.
const NAME: &str = "the browser";
/// What Chromium logs when it ends because it has no sandbox.
const NO_SANDBOX: &str = "No usable sandbox";
/// A process that has closed its pipe but still runs is of no use: after this time it is killed.
const EXIT: Duration = Duration::from_secs(1);

/// Starts a browser and returns when it answers, within `budget`.
pub(crate) async fn launch(
    origin: &Origin,
    id: BrowserId,
    budget: Duration,
) -> Result<CdpBrowser, LaunchError> {
    origin.settings.sandbox.warn_if_off(id);
    let profile = origin.machine.profiles.create(&format!("browser-{}", id.0))?;
    // The tasks of this browser, stopped when the browser is gone.
    let own = origin.supervisor.child();
    let (ours, theirs) = pipe::pair().map_err(LaunchError::Pipe)?;
    let program = Program {
        path: origin.binary.path.clone(),
        args: command_line(origin, &profile),
        fds: vec![(theirs.reads, 3), (theirs.writes, 4)],
    };
    let process = LocalProcess::start(&origin.machine, program, profile, &own).await?;
    let connection =
        Connection::open(ours.reader, ours.writer, &own, origin.clock, ConnectionLimits::default());
    let root = connection.root(page_targets::METHODS);
    match ready(&root, &process.tree, origin, budget).await {
        Ok(()) => Ok(CdpBrowser::start(root, process, own, origin).await),
        Err(error) => {
            connection.close();
            process.abandon(&origin.supervisor).await;
            own.cancel();
            Err(error)
        }
    }
}

fn command_line(origin: &Origin, profile: &ProfileDir) -> Vec<std::ffi::OsString> {
    let settings = &origin.settings;
    let command_line = CommandLine {
        kind: origin.binary.kind,
        profile: profile.path(),
        sandbox: settings.sandbox,
        window: settings.window,
        shared_memory: SharedMemory::detect(),
        extra: &settings.extra_args,
    };
    command_line.args()
}

/// Requests the browser's version, and requests that we are attached to every page before it runs.
async fn ready(
    root: &Session,
    tree: &ProcessTree,
    origin: &Origin,
    budget: Duration,
) -> Result<(), LaunchError> {
    let asked = async {
        let version = root.start(GetVersionParams::default(), budget).await?;
        let pages = FilterEntry { exclude: None, r#type: Some("page".to_owned()) };
        let mut attach = SetAutoAttachParams::new(true, true);
        attach.flatten = Some(true);
        attach.filter = Some(TargetFilter::new([pages]));
        let attaching = root.start(attach, budget).await?;
        let version = version.reply().await?;
        attaching.reply().await?;
        Ok::<_, CallError>(version.product)
    };
    match asked.await {
        Ok(product) => {
            tracing::debug!(pid = tree.pid(), %product, "browser started");
            Ok(())
        }
        Err(CallError::Disconnected { .. }) => Err(death(tree, origin).await),
        Err(CallError::Timeout { .. }) => Err(LaunchError::silent(NAME, budget, tree)),
        Err(error) => Err(LaunchError::refused(NAME, error)),
    }
}

/// Why a browser closed its pipe before it answered.
async fn death(tree: &ProcessTree, origin: &Origin) -> LaunchError {
    drop(tree.kill(Ladder { ask: EXIT, ..Ladder::NOW }).await);
    let died = LaunchError::died(NAME, tree).await;
    if tree.stderr_tail().iter().any(|line| line.contains(NO_SANDBOX)) {
        return LaunchError::NoSandbox { identity: origin.machine.identity.clone() };
    }
    died
}
