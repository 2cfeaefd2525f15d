//! Maps signals to requests to a run.
//!
//! Ctrl-C, SIGTERM and a closed terminal stop the run. A SIGHUP while the terminal is still open, or without a
//! terminal, was sent on purpose: the run reads its settings again, as services do.

use std::future::pending;
use std::io::IsTerminal as _;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// A request to the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    Stop,
    Reload,
}

/// The signals that are handled.
pub(super) struct Signals {
    stop: [Option<Signal>; 2],
    hangup: Option<Signal>,
    began_in_terminal: bool,
}

impl Signals {
    pub(super) fn new() -> Self {
        let listen = |kind| {
            signal(kind).inspect_err(|error| tracing::warn!(%error, "cannot listen for a signal")).ok()
        };
        Self {
            stop: [SignalKind::interrupt(), SignalKind::terminate()].map(listen),
            hangup: listen(SignalKind::hangup()),
            began_in_terminal: in_terminal(),
        }
    }

    pub(super) async fn next(&mut self) -> Request {
        async fn one(signal: &mut Option<Signal>) {
            match signal {
                Some(signal) => drop(signal.recv().await),
                None => pending().await,
            }
        }
        let [interrupt, terminate] = &mut self.stop;
        tokio::select! {
            () = one(interrupt) => Request::Stop,
            () = one(terminate) => Request::Stop,
            () = one(&mut self.hangup) => {
                if self.began_in_terminal && !in_terminal() { Request::Stop } else { Request::Reload }
            }
        }
    }
}

/// Makes a write beyond the limit on the size of files (`ulimit -f`) an error, as a full disk is, instead of the end of
/// this process. Programs that it starts keep the default.
pub(super) fn outlive_full_files() {
    /// `SIGXFSZ` on Linux.
    const FILE_SIZE: i32 = 25;
    // The handler stays when the stream is dropped.
    if let Err(error) = signal(SignalKind::from_raw(FILE_SIZE)) {
        tracing::warn!(%error, "a write beyond `ulimit -f` will end this run");
    }
}

/// Whether there is an open terminal.
fn in_terminal() -> bool {
    std::io::stdin().is_terminal() || std::io::stderr().is_terminal()
}
