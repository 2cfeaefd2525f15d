//! Real processes, real directories, a real browser.
//!
//! The check is independent of the code under test: every process of a tree inherits the writing end of a pipe, so the
//! reading end gets its end of file exactly when the last of them has ended. See [`Witness`].

mod chromium;
mod owners;
mod profiles;
mod starts;
mod trees;

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::identity::Identity;
use plimsoll_host::spawn::{Launch, Spawner};
use plimsoll_host::tree::{Ladder, ProcessTree};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::net::unix::pipe;
use tokio::time::timeout;

/// Longer than any operation here takes on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Receives the data that a tree writes to descriptor 3, and detects when no writer is left.
struct Witness(Lines<BufReader<pipe::Receiver>>);

impl Witness {
    /// A witness and the descriptor to hand to the tree.
    fn new() -> (Self, OwnedFd) {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let receiver = pipe::Receiver::from_owned_fd(reader.into()).expect("a pipe");
        (Self(BufReader::new(receiver).lines()), writer.into())
    }

    /// The next line.
    async fn line(&mut self) -> String {
        let line = timeout(PATIENCE, self.0.next_line()).await.expect("a line in time");
        line.expect("readable").expect("a line before everyone has gone")
    }

    /// The next line, which is a process number.
    async fn pid(&mut self) -> i32 {
        self.line().await.trim().parse().expect("a process number")
    }

    /// All lines until the last process of the tree has ended.
    async fn rest(mut self) -> Vec<String> {
        let mut lines = Vec::new();
        let read = async {
            while let Some(line) = self.0.next_line().await.expect("readable") {
                lines.push(line);
            }
        };
        timeout(PATIENCE, read).await.expect("every process of the tree is gone in time");
        lines
    }
}

/// `sh -c script`, with the witness' descriptor as number 3.
fn sh(script: &str, witness: OwnedFd) -> Launch {
    Launch {
        program: PathBuf::from("/bin/sh"),
        args: vec!["-c".into(), script.into()],
        env: Vec::new(),
        identity: Identity::Current,
        fds: vec![(witness, 3)],
        dir: PathBuf::from("/"),
    }
}

/// Starts a script and its witness.
async fn start(script: &str) -> (ProcessTree, Witness) {
    let (witness, fd) = Witness::new();
    let spawner = Spawner::start().expect("a thread");
    let tree = spawner.spawn(&Supervisor::root(), sh(script, fd)).await.expect("sh starts");
    (tree, witness)
}

/// Climbs the ladder, which must succeed in time.
async fn end(tree: &ProcessTree, ladder: Ladder) {
    timeout(PATIENCE, tree.kill(ladder)).await.expect("an end in time").expect("verified gone");
}

/// SIGTERM at once, SIGKILL after `term`.
fn terminate_then_kill_after(term: Duration) -> Ladder {
    Ladder { ask: Duration::ZERO, term, ..Ladder::NOW }
}

/// Whether the process table still has an entry, zombies included.
fn is_listed(pid: i32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// The lines of a process' `/proc/PID/status`, or nothing when it has gone.
fn status(pid: i32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default()
}
