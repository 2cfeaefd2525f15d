//! Starting one driver on this machine: from nothing to a process that answers.
//!
//! ```text
//!   profile directory ─► guard's pipe ─► process ─► says its port ─► /status answered ─► DriverProcess
//! ```
//!
//! The driver chooses its port itself and says which; nobody picks one that another may take first. It is started
//! behind a guard, one line of shell in its own process group that reads from a pipe of ours: when we are gone,
//! whatever ended us, the pipe ends, and the guard kills the group, browsers included.
//!
//! Whatever goes wrong, what was half made is taken down before the error is reported.

use std::error::Error;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::id::BrowserId;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::profile::{ProfileDir, ProfileError};
use plimsoll_host::spawn::{Launch, SpawnError};
use plimsoll_host::tree::{Exit, Ladder, ProcessTree};
use rustix::pipe::{PipeFlags, pipe_with};
use tokio::time::timeout;
use url::Url;

use crate::call::CallError;
use crate::direct::Direct;
use crate::driver::{Equipment, Origin};
use crate::settings::{Family, Sandbox};

/// The guard, and behind it the driver, which talks to standard error only.
const GUARD: &str = r#"(read -r _ <&3; kill -KILL 0) & exec "$0" "$@" 3<&- >&2"#;
/// How often a driver is started that ends before it listens.
const STARTS: u32 = 3;
/// How many lines of a dead driver's log are told.
const LAST_WORDS: usize = 3;

/// A driver that answers.
#[derive(Debug)]
pub(crate) struct DriverProcess {
    pub(crate) tree: Arc<ProcessTree>,
    pub(crate) profile: ProfileDir,
    pub(crate) base: Url,
    /// The guard's end of the pipe: the group dies when it is closed.
    pub(crate) guard: OwnedFd,
}

/// Why a driver did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaunchError {
    /// Its browsers have nowhere to keep their files.
    #[error("no profile directory for the driver")]
    Profile(#[from] ProfileError),
    /// No pipe to the guard.
    #[error("no pipe to the driver; is this process at its limit (`ulimit -n`)?")]
    Pipe(#[source] io::Error),
    /// No process.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// It ended before it listened.
    #[error("{name} ended with {exit} before it listened; its last words: {words}")]
    Died {
        /// What was started.
        name: &'static str,
        /// How it ended.
        exit: Exit,
        /// The end of its log.
        words: String,
    },
    /// It runs, but did not say its port in time.
    #[error("{name} did not say its port within {after:?} of its start; its last words: {words}")]
    Silent {
        /// What was started.
        name: &'static str,
        /// The time it had.
        after: Duration,
        /// The end of its log.
        words: String,
    },
    /// It listens, but does not answer as it should.
    #[error("{name} cannot be driven")]
    Refused {
        /// What was started.
        name: &'static str,
        /// What it did.
        source: CallError,
    },
}

impl From<LaunchError> for Fault {
    fn from(error: LaunchError) -> Self {
        use io::ErrorKind::{NotFound, PermissionDenied};
        let message = in_full(&error);
        match error {
            LaunchError::Died { .. } | LaunchError::Silent { .. } | LaunchError::Refused { .. } => {
                Self::transient(FailureClass::BrowserCrash, message)
            }
            LaunchError::Profile(_) => Self::persistent(FailureClass::Unsupported, message),
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

/// Starts a driver and returns when it answers, within `budget`. Its tasks are `own`'s.
///
/// One that ends before it listens is started again, a few times: chromedriver lets the system choose a port of IPv6 and
/// then wants the same of IPv4, which another program may have.
pub(crate) async fn launch(
    origin: &Origin,
    equipment: &Equipment,
    id: BrowserId,
    budget: Duration,
    own: &Supervisor,
) -> Result<DriverProcess, LaunchError> {
    let budget = Budget::start(budget);
    for _ in 1..STARTS {
        match start(origin, equipment, id, budget, own).await {
            Err(LaunchError::Died { exit, words, .. }) => {
                tracing::info!(browser = id.0, %exit, words, "a driver ended before it listened; once more");
            }
            started => return started,
        }
    }
    start(origin, equipment, id, budget, own).await
}

async fn start(
    origin: &Origin,
    equipment: &Equipment,
    id: BrowserId,
    budget: Budget,
    own: &Supervisor,
) -> Result<DriverProcess, LaunchError> {
    if origin.settings.sandbox == Sandbox::Off {
        tracing::warn!(
            browser = id.0,
            "started without a sandbox: a page that breaks the browser owns this user"
        );
    }
    let profile = origin.machine.profiles.create(&format!("driver-{}", id.0))?;
    let (reads, guard) = pipe_with(PipeFlags::CLOEXEC).map_err(|errno| LaunchError::Pipe(errno.into()))?;
    let launch = Launch {
        program: "/bin/sh".into(),
        args: command_line(equipment, &profile),
        env: vec![("HOME".into(), profile.path().into()), ("TMPDIR".into(), profile.tmp().into())],
        identity: origin.machine.identity.clone(),
        fds: vec![(reads, 3)],
        dir: profile.path().to_owned(),
    };
    let tree = origin.machine.spawner.spawn(own, launch).await?;
    match ready(&tree, equipment.family, budget).await {
        Ok(base) => Ok(DriverProcess { tree: Arc::new(tree), profile, base, guard }),
        Err(error) => {
            if let Err(error) = tree.kill(Ladder::NOW).await {
                tracing::warn!(%error, "a driver that did not start was left behind");
            }
            if let Err(error) = profile.remove(&origin.supervisor).await {
                tracing::warn!(%error, "a profile directory was left behind");
            }
            Err(error)
        }
    }
}

/// What the shell gets: the guard, the driver, the driver's arguments.
fn command_line(equipment: &Equipment, profile: &ProfileDir) -> Vec<OsString> {
    let mut args: Vec<OsString> = vec!["-c".into(), GUARD.into(), equipment.driver.clone().into()];
    args.push("--port=0".into());
    if equipment.family == Family::Firefox {
        args.extend(["--host=127.0.0.1".into(), "--websocket-port=0".into(), "--profile-root".into()]);
        args.push(profile.tmp().into());
    }
    args
}

/// The port that a line of the driver's log tells.
fn port(line: &str) -> Option<u16> {
    let told = line
        .split_once("started successfully on port ")
        .map(|(_, port)| port.trim_end_matches('.'))
        .or_else(|| line.split_once("Listening on ")?.1.rsplit_once(':').map(|(_, port)| port))?;
    told.trim().parse().ok()
}

/// Waits until the driver says its port and answers on it.
async fn ready(tree: &ProcessTree, family: Family, budget: Budget) -> Result<Url, LaunchError> {
    let name = family.driver();
    let port = match timeout(budget.left(), tree.said(port)).await {
        Ok(Some(port)) => port,
        Ok(None) => {
            let exit = tree.wait().await;
            return Err(LaunchError::Died { name, exit, words: last_words(tree) });
        }
        Err(_) => {
            return Err(LaunchError::Silent { name, after: budget.whole(), words: last_words(tree) });
        }
    };
    let base = Url::parse(&format!("http://127.0.0.1:{port}/"));
    let base = base.map_err(|why| LaunchError::Refused {
        name,
        source: CallError::Broken { call: "status".to_owned(), why: why.to_string() },
    })?;
    match Direct::new(&base).status(budget.left()).await {
        Ok(_) => {
            tracing::debug!(pid = tree.pid(), %base, "{name} started");
            Ok(base)
        }
        Err(source) => Err(LaunchError::Refused { name, source }),
    }
}

/// The end of the log, on one line.
pub(crate) fn last_words(tree: &ProcessTree) -> String {
    let mut lines = tree.stderr_tail();
    lines.retain(|line| !line.trim().is_empty());
    let skipped = lines.len().saturating_sub(LAST_WORDS);
    lines.split_off(skipped).join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_driver_tells_its_port_in_its_own_words() {
        for (line, told) in [
            ("ChromeDriver was started successfully on port 39949.", Some(39949)),
            ("1795576563828\tgeckodriver\tINFO\tListening on 127.0.0.1:44619", Some(44619)),
            ("1795576563828\tgeckodriver\tINFO\tListening on [::1]:4444", Some(4444)),
            ("Starting ChromeDriver 156.0.8078.79 (a21c) on port 0", None),
            ("ChromeDriver was started successfully on port 99999.", None),
            ("", None),
        ] {
            assert_eq!(port(line), told, "{line}");
        }
    }
}
