//! A running process with all its descendants.
//!
//! One task, the reaper, owns each tree. It detects the end of the process that was started (the *leader*), climbs the
//! kill [`Ladder`] on request, and is done when no process of the tree runs any more:
//!
//! ```text
//!   running ──leader ends──► exited ──verified: none left──► gone (leader reaped)
//! ```
//!
//! The leader is not reaped before the tree is gone: until then it stays a zombie, so the kernel cannot give its
//! number, which is also the number of its group, to another process that a late signal would hit.
//!
//! Failure paths: a descendant that survives SIGKILL (stuck in the kernel, or another user's) is named in
//! [`KillError::Survivors`]; a [`ProcessTree`] that is dropped kills its group at once and the reaper the rest.

mod ladder;
mod leader;
pub(crate) mod readiness;
mod reaper;
mod stderr;

use std::any::Any;
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::runtime::supervisor::Supervisor;
use rustix::process::Signal;
use tokio::sync::{mpsc, oneshot, watch};

pub use self::ladder::Ladder;
pub(crate) use self::leader::Leader;

use self::reaper::{Order, Reaper};
use self::stderr::Stderr;
use crate::processes::{self, Kin};

/// The number of log lines that describe the end of a process.
const LAST_WORDS: usize = 3;
/// Kill orders that may wait for the reaper; further callers wait for room.
const ORDERS: usize = 4;

/// The number of threads that compute at once with which a renderer can keep its browser from the processors. Two or three
/// of an ordinary page's 10 to 40 do. Five hundred workers that spin delay their own start: 60 were seen after 8 s.
pub const CROWD: usize = 24;
/// The argument of a renderer process of Chromium.
const RENDERER: &str = "--type=renderer";

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// It exited with this code.
    Code(i32),
    /// This signal killed it.
    Signal(i32),
    /// Unknown: the runtime shut down first. The process was killed.
    Unseen,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::Unseen => write!(f, "an end that nobody saw"),
        }
    }
}

/// Why a tree is not known to be gone.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KillError {
    /// Processes still run after SIGKILL and the ladder's last deadline.
    #[error("processes {pids:?} still run after SIGKILL; look at `ps -o pid,user,stat,wchan,args -p PID`")]
    Survivors {
        /// Their process numbers.
        pids: Vec<i32>,
    },
    /// SIGKILL was sent, but the table of processes could not be read to verify it.
    #[error("sent SIGKILL to group {leader} but cannot read /proc to verify that it is gone")]
    Unverified {
        /// Number of the leader and of its group.
        leader: i32,
        /// The system's error.
        source: Arc<io::Error>,
    },
    /// The runtime shut down before the tree was verified gone. Its group was killed.
    #[error("the runtime shut down while a process tree was being killed")]
    Interrupted,
}

/// The state of a tree.
#[derive(Debug, Clone, Copy)]
enum Stage {
    Running,
    Exited(Exit),
    Gone(Exit),
}

impl Stage {
    const fn exit(self) -> Option<Exit> {
        match self {
            Self::Running => None,
            Self::Exited(exit) | Self::Gone(exit) => Some(exit),
        }
    }
}

/// A process and all its descendants, owned: dropping it kills them.
#[derive(Debug)]
pub struct ProcessTree {
    leader: Arc<Leader>,
    stage: watch::Receiver<Stage>,
    orders: mpsc::Sender<Order>,
    stderr: Arc<Stderr>,
    _keep_alive: KeepAlive,
}

/// Keeps the thread that started a child running, because the child is killed when that thread ends.
pub(crate) type KeepAlive = Box<dyn Any + Send + Sync>;

/// A process that has just started. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) leader: Arc<Leader>,
    pub(crate) stderr: OwnedFd,
    pub(crate) kin: Kin,
    /// The environment entry that marks the tree.
    pub(crate) mark: String,
}

impl ProcessTree {
    /// Starts to watch a new process. Call inside a tokio runtime.
    pub(crate) fn watch(
        started: Started,
        keep_alive: KeepAlive,
        supervisor: &Supervisor,
    ) -> io::Result<Self> {
        let Started { leader, stderr, kin, mark } = started;
        let stderr = Arc::new(Stderr::new(stderr)?);
        let (orders, inbox) = mpsc::channel(ORDERS);
        let (stage_to_tell, stage) = watch::channel(Stage::Running);
        let drain = Stderr::drain(Arc::clone(&stderr), stage.clone())?;
        let reaper =
            Reaper::new(Arc::clone(&leader), kin, mark, Arc::clone(&stderr), stage_to_tell, supervisor)?;
        // Both tasks end with the tree; their results are sent through the channels.
        drop(supervisor.spawn_graceful("stderr drain", drain));
        drop(supervisor.spawn_graceful("process reaper", reaper.run(inbox)));
        Ok(Self { leader, stage, orders, stderr, _keep_alive: keep_alive })
    }

    /// Number of the process that was started, which is also the number of its group.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.leader.pid()
    }

    /// Waits until the process that was started has ended. Descendants may still run then: [`ProcessTree::kill`]
    /// ends them. Any number of callers may wait, at any time.
    pub async fn wait(&self) -> Exit {
        let mut stage = self.stage.clone();
        let ended = stage.wait_for(|stage| stage.exit().is_some()).await;
        ended.ok().and_then(|stage| stage.exit()).unwrap_or(Exit::Unseen)
    }

    /// The last lines written to standard error, oldest first: at most 64, each of at most 1 KiB. Once
    /// [`ProcessTree::wait`] has returned they include the leader's last lines.
    #[must_use]
    pub fn stderr_tail(&self) -> Vec<String> {
        self.stderr.tail()
    }

    /// The last three lines of the log that are not empty, on one line; empty when there are none. Complaints about a
    /// message bus, which no browser here has, are left out.
    #[must_use]
    pub fn last_words(&self) -> String {
        let mut lines = self.stderr_tail();
        lines.retain(|line| !line.contains("dbus") && !line.trim().is_empty());
        let skipped = lines.len().saturating_sub(LAST_WORDS);
        lines.split_off(skipped).join(" | ")
    }

    /// The sentence `how` with the last lines of the log, if there are any.
    #[must_use]
    pub fn with_last_words(&self, how: String) -> String {
        match self.last_words() {
            words if words.is_empty() => how,
            words => format!("{how}; its last words: {words}"),
        }
    }

    /// Waits for a line on standard error for which `find` returns a value, such as the port that a server listens on;
    /// `None` when the process ends without such a line. Long output may remove a line before it is checked.
    pub async fn said<T>(&self, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        let (mut news, mut stage) = (self.stderr.news(), self.stage.clone());
        loop {
            news.borrow_and_update();
            let ended = stage.borrow().exit().is_some();
            if let Some(found) = self.stderr.find(&find) {
                return Some(found);
            }
            if ended {
                return None;
            }
            tokio::select! {
                // The tree holds both ends of the first channel; a closed second channel counts as the end.
                _ = news.changed() => {}
                _ = stage.wait_for(|stage| stage.exit().is_some()) => {}
            }
        }
    }

    /// Whether the process `pid` still runs; a zombie does not.
    #[must_use]
    pub fn lives(&self, pid: i32) -> bool {
        processes::Process::read(pid).is_some_and(|process| process.alive)
    }

    /// Kills one process of the tree with its own descendants, and verifies it; the rest of the tree keeps running. A
    /// process outside the tree is not killed. Blocks: run it with `Supervisor::spawn_blocking`.
    ///
    /// # Errors
    /// When the table of processes cannot be read, or a process still runs after `patience`.
    pub fn kill_branch(&self, pid: i32, patience: Duration) -> io::Result<()> {
        let table = processes::table()?;
        let Some(founder) = processes::descendant(&table, pid, self.pid()) else { return Ok(()) };
        processes::extinguish(&mut Kin::of(founder), |_| false, patience).map(drop)
    }

    /// Kills the renderer process with the most threads that compute if [`CROWD`] or more do, and verifies it; `None` when
    /// there is none. Blocks.
    ///
    /// # Errors
    /// As [`kill_branch`](Self::kill_branch).
    pub fn kill_crowded_renderer(&self, patience: Duration) -> io::Result<Option<i32>> {
        let table = processes::table()?;
        let ours = table.iter().filter(|process| {
            process.has_argument(RENDERER) && processes::descendant(&table, process.pid, self.pid()).is_some()
        });
        let crowds = ours.map(|process| (process.computing_threads(), process.pid));
        let Some((_, pid)) = crowds.filter(|(count, _)| *count >= CROWD).max() else { return Ok(None) };
        self.kill_branch(pid, patience).map(|()| Some(pid))
    }

    /// Climbs the ladder until no process of the tree runs, and verifies it. Returns at once when the tree is gone
    /// already. Concurrent callers share the climb; the earliest deadline of their ladders counts. A caller that leaves
    /// early does not stop it.
    ///
    /// # Errors
    /// See [`KillError`]. It may be tried again.
    pub async fn kill(&self, ladder: Ladder) -> Result<(), KillError> {
        let (reply, verdict) = oneshot::channel();
        if self.orders.send(Order { ladder, reply }).await.is_ok()
            && let Ok(verdict) = verdict.await
        {
            return verdict;
        }
        // The reaper has ended: when the tree was gone, or with the runtime.
        match *self.stage.borrow() {
            Stage::Gone(_) => Ok(()),
            Stage::Running | Stage::Exited(_) => Err(KillError::Interrupted),
        }
    }
}

impl Drop for ProcessTree {
    fn drop(&mut self) {
        // The closed channel makes the reaper kill the processes that left the group.
        self.leader.signal(Signal::KILL);
    }
}
