//! The process that was started: leader of its group, reaped last.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Child;
use std::sync::{Mutex, PoisonError};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions};

use super::Exit;

/// How long dropping an unreaped leader waits for SIGKILL to work, so that no zombie is left.
const LAST_WAIT: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// An unreaped child and its pidfd. Dropping it kills its group and reaps it.
#[derive(Debug)]
pub(crate) struct Leader {
    pid: Pid,
    pidfd: OwnedFd,
    /// `None` once reaped: from then on another process may have the number, so no signal is sent.
    child: Mutex<Option<Child>>,
}

impl Leader {
    /// Takes over a child that was not waited for.
    pub(crate) fn new(mut child: Child) -> io::Result<Self> {
        let pid = Pid::from_child(&child);
        match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => Ok(Self { pid, pidfd, child: Mutex::new(Some(child)) }),
            Err(errno) => {
                child.kill()?;
                child.wait()?;
                Err(errno.into())
            }
        }
    }

    pub(crate) fn pid(&self) -> i32 {
        self.pid.as_raw_pid()
    }

    /// How it ended; `None` while it runs. It stays a zombie.
    pub(super) fn exit(&self) -> Option<Exit> {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match rustix::process::waitid(WaitId::PidFd(self.pidfd.as_fd()), look) {
            Ok(status) => status.map(|status| match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => Exit::Code(code),
                (None, Some(signal)) => Exit::Signal(signal),
                (None, None) => Exit::Unseen,
            }),
            // No such child: other code has reaped it.
            Err(_) => Some(Exit::Unseen),
        }
    }

    /// Signals the whole group. SIGKILL also goes to the leader itself, in case it has moved to another group; SIGTERM
    /// does not, because a browser that receives it twice skips its clean shutdown.
    pub(super) fn signal(&self, signal: Signal) {
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        if child.is_some() {
            // An empty group is the goal, and the verification reports members of another user.
            let _ = rustix::process::kill_process_group(self.pid, signal);
            if signal == Signal::KILL {
                let _ = rustix::process::pidfd_send_signal(&self.pidfd, signal);
            }
        }
    }

    /// Removes the zombie from the process table. Call when the process has ended.
    pub(super) fn reap(&self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut child) = child.take()
            && let Err(error) = child.try_wait()
        {
            tracing::warn!(pid = self.pid(), %error, "cannot reap a process");
        }
    }
}

impl AsFd for Leader {
    /// The pidfd: readable once the process has ended.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        let _ = rustix::event::poll(&mut [PollFd::new(&self.pidfd, PollFlags::IN)], Some(&LAST_WAIT));
        self.reap();
    }
}
