//! Starting one browser: from nothing to one that answers.
//!
//! ```text
//!   profile directory ─► pipes ─► process ─► connection ─► "who are you" answered ─► CdpBrowser
//! ```
//!
//! Whatever goes wrong, what was half made is taken down before the error is reported: the process tree is killed
//! and verified gone, then its directory is removed. When the task itself is cut off, dropping them does the same.

use std::error::Error;
use std::io;
use std::time::Duration;

use chromiumoxide_cdp::cdp::browser_protocol::browser::GetVersionParams;
use chromiumoxide_cdp::cdp::browser_protocol::target::{FilterEntry, SetAutoAttachParams, TargetFilter};
use plimsoll_core::id::BrowserId;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::identity::Identity;
use plimsoll_host::profile::{ProfileDir, ProfileError};
use plimsoll_host::spawn::{Launch, SpawnError};
use plimsoll_host::tree::{Exit, Ladder, ProcessTree};

use crate::arrivals;
use crate::browser::CdpBrowser;
use crate::driver::{Origin, Sandbox};
use crate::flags::{CommandLine, SharedMemory};
use crate::health::last_words;
use crate::transport::{CallError, Connection, ConnectionLimits, Session, pipe};

/// Less shared memory than this (a container's default is 64 MiB) lets pages crash when it is full.
const ENOUGH_SHARED_MEMORY: u64 = 512 << 20;
/// What Chromium says when it ends itself for want of a sandbox.
const NO_SANDBOX: &str = "No usable sandbox";

/// Why a browser did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaunchError {
    /// It has nowhere to keep its files.
    #[error("no profile directory for the browser")]
    Profile(#[from] ProfileError),
    /// No pipe to it.
    #[error("no pipe to the browser; is this process at its limit (`ulimit -n`)?")]
    Pipe(#[source] io::Error),
    /// No process.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// It ended before it answered.
    #[error("the browser ended with {exit} before it answered; its last words: {words}")]
    Died {
        /// How it ended.
        exit: Exit,
        /// The end of its log.
        words: String,
    },
    /// It found no sandbox.
    #[error(
        "the browser found no usable sandbox as {identity}; let it create user namespaces (in a container: a seccomp profile that allows `clone` and `unshare` with CLONE_NEWUSER), or, if every page is trusted, set `driver.cdp.sandbox = false`"
    )]
    NoSandbox {
        /// Whom it ran as.
        identity: Identity,
    },
    /// It runs, but did not answer in time.
    #[error("the browser did not answer within {after:?} of its start; its last words: {words}")]
    Silent {
        /// The time it had.
        after: Duration,
        /// The end of its log.
        words: String,
    },
    /// It answered, but not what it should.
    #[error("the browser cannot be driven")]
    Refused(#[source] CallError),
}

impl From<LaunchError> for Fault {
    fn from(error: LaunchError) -> Self {
        use io::ErrorKind::{NotFound, PermissionDenied};
        let message = in_full(&error);
        match error {
            LaunchError::Died { .. } | LaunchError::Silent { .. } | LaunchError::Refused(_) => {
                Self::transient(FailureClass::BrowserCrash, message)
            }
            LaunchError::NoSandbox { .. } | LaunchError::Profile(_) => {
                Self::persistent(FailureClass::Unsupported, message)
            }
            LaunchError::Spawn(SpawnError::Start { source, .. })
                if matches!(source.kind(), NotFound | PermissionDenied) =>
            {
                Self::persistent(FailureClass::Unsupported, message)
            }
            LaunchError::Pipe(_) | LaunchError::Spawn(_) => Self::transient(FailureClass::Overload, message),
        }
    }
}

/// An error with all its causes.
fn in_full(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        text.push_str(": ");
        text.push_str(&deeper.to_string());
        cause = deeper.source();
    }
    text
}

/// Starts a browser and returns when it answers, within `budget`.
pub(crate) async fn launch(
    origin: &Origin,
    id: BrowserId,
    budget: Duration,
) -> Result<CdpBrowser, LaunchError> {
    if origin.settings.sandbox == Sandbox::Off {
        tracing::warn!(
            browser = id.0,
            "started without a sandbox: a page that breaks the browser owns this user"
        );
    }
    let profile = origin.machine.profiles.create(&format!("browser-{}", id.0))?;
    // The tasks of this browser, ended with it.
    let own = origin.supervisor.child();
    let (ours, theirs) = pipe::pair().map_err(LaunchError::Pipe)?;
    let launch = Launch {
        program: origin.binary.path.clone(),
        args: command_line(origin, &profile),
        env: vec![("HOME".into(), profile.path().into()), ("TMPDIR".into(), profile.tmp().into())],
        identity: origin.machine.identity.clone(),
        fds: vec![(theirs.reads, 3), (theirs.writes, 4)],
        dir: profile.path().to_owned(),
    };
    let tree = origin.machine.spawner.spawn(&own, launch).await?;
    let connection =
        Connection::open(ours.reader, ours.writer, &own, origin.clock, ConnectionLimits::default());
    let root = connection.root(arrivals::METHODS);
    match ready(&root, &tree, origin, budget).await {
        Ok(()) => Ok(CdpBrowser::take_charge(root, tree, profile, origin.clock, own, &origin.supervisor)),
        Err(error) => {
            take_down(tree, profile, &connection, &own, &origin.supervisor).await;
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
        shared_memory: shared_memory(),
        extra: &settings.extra_args,
    };
    command_line.args()
}

/// Where this machine's browsers should keep shared memory.
fn shared_memory() -> SharedMemory {
    match rustix::fs::statvfs("/dev/shm") {
        Ok(found) if found.f_bavail.saturating_mul(found.f_frsize) >= ENOUGH_SHARED_MEMORY => {
            SharedMemory::DevShm
        }
        _ => SharedMemory::TemporaryDir,
    }
}

/// Asks the browser who it is, and to attach us to every page before it runs.
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
        Err(CallError::Timeout { .. }) => Err(LaunchError::Silent { after: budget, words: last_words(tree) }),
        Err(error) => Err(LaunchError::Refused(error)),
    }
}

/// Why a browser closed its pipe before it answered.
async fn death(tree: &ProcessTree, origin: &Origin) -> LaunchError {
    // A process that closed its pipe and lives on is of no use: its end is hastened.
    drop(tree.kill(Ladder { ask: Duration::from_secs(1), ..Ladder::NOW }).await);
    let exit = tree.wait().await;
    if tree.stderr_tail().iter().any(|line| line.contains(NO_SANDBOX)) {
        return LaunchError::NoSandbox { identity: origin.machine.identity.clone() };
    }
    LaunchError::Died { exit, words: last_words(tree) }
}

/// Takes down what was half made.
async fn take_down(
    tree: ProcessTree,
    profile: ProfileDir,
    connection: &Connection,
    own: &Supervisor,
    supervisor: &Supervisor,
) {
    connection.close();
    if let Err(error) = tree.kill(Ladder::NOW).await {
        tracing::warn!(%error, "a browser that did not start was left behind");
    }
    own.cancel();
    if let Err(error) = profile.remove(supervisor).await {
        tracing::warn!(%error, "a profile directory was left behind");
    }
}
