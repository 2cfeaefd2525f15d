//! Starts one driver on this machine and returns a process that answers.
//!
//! ```text
//!   profile directory ─► guard's pipe ─► process ─► logs its port ─► /status answered ─► DriverProcess
//! ```
//!
//! The driver chooses its port itself and logs it, so no other program can take the port in between. It is started
//! behind a guard, one line of shell in its own process group that reads from a pipe of this process: when this process
//! has ended for any reason, the pipe ends, and the guard kills the group, browsers included.
//!
//! When a stage fails, the results of earlier stages are removed before the error is reported.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::id::BrowserId;
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::lifecycle::{LaunchError, LocalProcess};
use plimsoll_host::machine::Program;
use plimsoll_host::profile::ProfileDir;
use plimsoll_host::tree::ProcessTree;
use rustix::pipe::{PipeFlags, pipe_with};
use tokio::time::timeout;

use crate::direct::Direct;
use crate::driver_process::DriverProcess;
use crate::origin::{DriverProgram, Origin};
use crate::settings::{Family, Remote};

/// The guard, then the driver, which writes to standard error only.
const GUARD: &str = r#"(read -r _ <&3; kill -KILL 0) & exec "$0" "$@" 3<&- >&2"#;
/// The number of starts of a driver that ends before it listens.
const STARTS: u32 = 3;

/// Starts a driver and returns when it answers, within `budget`. Its tasks belong to `own`.
///
/// A driver that ends before it listens is started again, a few times: chromedriver lets the system choose an IPv6 port
/// and then requests the same IPv4 port, which another program may have.
pub(crate) async fn launch(
    origin: &Origin,
    program: &DriverProgram,
    id: BrowserId,
    budget: Duration,
    own: &Supervisor,
) -> Result<DriverProcess, LaunchError> {
    let budget = Budget::start(budget);
    for _ in 1..STARTS {
        match start(origin, program, id, budget, own).await {
            Err(LaunchError::Died { exit, words, .. }) => {
                tracing::info!(browser = id.0, %exit, words, "a driver ended before it listened; once more");
            }
            started => return started,
        }
    }
    start(origin, program, id, budget, own).await
}

async fn start(
    origin: &Origin,
    program: &DriverProgram,
    id: BrowserId,
    budget: Budget,
    own: &Supervisor,
) -> Result<DriverProcess, LaunchError> {
    origin.settings.sandbox.warn_if_off(id);
    let profile = origin.machine.profiles.create(&format!("driver-{}", id.0))?;
    let (reads, guard) = pipe_with(PipeFlags::CLOEXEC).map_err(|errno| LaunchError::Pipe(errno.into()))?;
    let shell =
        Program { path: "/bin/sh".into(), args: command_line(program, &profile), fds: vec![(reads, 3)] };
    let process = LocalProcess::start(&origin.machine, shell, profile, own).await?;
    match ready(&process.tree, program.family, budget, own).await {
        Ok(direct) => Ok(DriverProcess { process, direct: Arc::new(direct), guard }),
        Err(error) => {
            process.abandon(&origin.supervisor).await;
            Err(error)
        }
    }
}

/// The arguments of the shell: the guard, the driver, the driver's arguments.
fn command_line(program: &DriverProgram, profile: &ProfileDir) -> Vec<OsString> {
    let mut args: Vec<OsString> = vec!["-c".into(), GUARD.into(), program.path.clone().into()];
    args.push("--port=0".into());
    if program.family == Family::Firefox {
        args.extend(["--host=127.0.0.1".into(), "--websocket-port=0".into(), "--profile-root".into()]);
        args.push(profile.tmp().into());
    }
    args
}

/// The port in a line of the driver's log.
fn port(line: &str) -> Option<u16> {
    let told = line
        .split_once("started successfully on port ")
        .map(|(_, port)| port.trim_end_matches('.'))
        .or_else(|| line.split_once("Listening on ")?.1.rsplit_once(':').map(|(_, port)| port))?;
    told.trim().parse().ok()
}

/// Waits until the driver logs its port and answers on it.
async fn ready(
    tree: &ProcessTree,
    family: Family,
    budget: Budget,
    own: &Supervisor,
) -> Result<Direct, LaunchError> {
    let name = family.driver();
    let port = match timeout(budget.left(), tree.said(port)).await {
        Ok(Some(port)) => port,
        Ok(None) => return Err(LaunchError::died(name, tree).await),
        Err(_) => return Err(LaunchError::silent(name, budget.whole(), tree)),
    };
    let remote = Remote::parse(&format!("http://127.0.0.1:{port}/"), 1)
        .map_err(|error| LaunchError::refused(name, error))?;
    let direct = Direct::new(&remote, own);
    match direct.status(budget.left()).await {
        Ok(_) => {
            tracing::debug!(pid = tree.pid(), port, "{name} started");
            Ok(direct)
        }
        Err(error) => Err(LaunchError::refused(name, error)),
    }
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
