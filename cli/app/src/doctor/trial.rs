//! The trial: the chosen driver starts a browser as in a run, and opens a context. This detects faults that kernel
//! settings do not show: a container's seccomp filter, a missing library or a grid that is down.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use plimsoll_core::id::BrowserId;
use plimsoll_core::job::Setup;
use plimsoll_core::outcome::Fault;
use plimsoll_core::port::{Driver, OpenRequest};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::identity::Identity;
use plimsoll_host::spawn::{Launch, Spawner};
use plimsoll_host::tree::Ladder;
use rustix::pipe::{PipeFlags, pipe_with};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

/// How long a browser may take to print its version.
const VERSION_WITHIN: Duration = Duration::from_secs(5);
/// The longest version that is read, in bytes.
const VERSION_LENGTH: u64 = 200;

/// The outcome of the trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trial {
    /// Something else is missing, so a trial would fail.
    NotTried,
    /// A context was opened; the duration is the time since the start began.
    Worked(Duration),
    /// The trial failed for this reason.
    Failed(String),
}

/// Starts a browser of `driver` within `budget`, opens a context, and ends both.
pub(super) async fn start(driver: &dyn Driver, budget: Duration, clock: Clock) -> Trial {
    let began = clock.now();
    let tried = open(driver, budget).await;
    let took = clock.now().since(began);
    tried.map_or_else(|fault| Trial::Failed(fault.message), |()| Trial::Worked(took))
}

async fn open(driver: &dyn Driver, budget: Duration) -> Result<(), Fault> {
    let browser = driver.launch(BrowserId(0), budget).await?;
    let opened = browser.open(OpenRequest { setup: Setup::default(), first: None }, budget).ready().await;
    if let Err(error) = browser.close().await {
        tracing::warn!(%error, "the browser that was tried");
    }
    opened.map(drop)
}

/// The name and version that the browser prints; `None` when it does not print them in time.
pub(super) async fn version(binary: &Path, identity: &Identity, supervisor: &Supervisor) -> Option<String> {
    let own = supervisor.child();
    let (ours, theirs) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).ok()?;
    let tree = Spawner::start().ok()?.spawn(&own, ask(binary, identity, theirs)).await.ok()?;
    let mut said = String::new();
    let mut answer = Receiver::from_owned_fd(ours).ok()?.take(VERSION_LENGTH);
    let read = tokio::time::timeout(VERSION_WITHIN, answer.read_to_string(&mut said));
    let in_time = matches!(read.await, Ok(Ok(_)));
    if let Err(error) = tree.kill(Ladder::NOW).await {
        tracing::warn!(%error, "the browser that was asked for its version");
    }
    let version = said.lines().next().map(str::trim).filter(|line| in_time && !line.is_empty());
    version.map(str::to_owned)
}

/// A child's standard output is discarded, so a shell redirects it to the descriptor that we read.
fn ask(binary: &Path, identity: &Identity, answer: OwnedFd) -> Launch {
    Launch {
        program: "/bin/sh".into(),
        args: vec!["-c".into(), r#"exec "$0" --version >&3"#.into(), binary.into()],
        env: Vec::new(),
        identity: identity.clone(),
        fds: vec![(answer, 3)],
        dir: "/".into(),
    }
}
