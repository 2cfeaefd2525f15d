//! The task that owns a tree: it detects the leader's end and climbs the ladder. Only this task, and the drop of the
//! tree's handle, send signals to the tree.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use rustix::process::Signal;
use tokio::io::unix::AsyncFd;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time;

use super::ladder::{Climb, Ladder, Step};
use super::leader::Leader;
use super::readiness::readiness;
use super::stderr::Stderr;
use super::{Exit, KillError, Stage};
use crate::processes::{self, Kin, Process};

/// The pause between two reads of the process table: it doubles from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// Reading `/proc` can hang on a process that is stuck in the kernel.
const LOOK_DEADLINE: Duration = Duration::from_secs(2);
/// The maximum delay of the runtime's shutdown by a tree that was not killed before.
const LAST_DEADLINE: Duration = Duration::from_secs(1);

/// A request to climb.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) ladder: Ladder,
    pub(super) reply: oneshot::Sender<Result<(), KillError>>,
}

/// State of the task.
pub(super) struct Reaper {
    leader: Arc<Leader>,
    leader_end: AsyncFd<OwnedFd>,
    kin: Kin,
    mark: Arc<str>,
    stderr: Arc<Stderr>,
    stage: watch::Sender<Stage>,
    supervisor: Supervisor,
    clock: Clock,
}

impl Reaper {
    /// Registers the leader's end with the runtime.
    pub(super) fn new(
        leader: Arc<Leader>,
        kin: Kin,
        mark: String,
        stderr: Arc<Stderr>,
        stage: watch::Sender<Stage>,
        supervisor: &Supervisor,
    ) -> io::Result<Self> {
        let (leader_end, supervisor) = (readiness(&*leader)?, supervisor.clone());
        Ok(Self {
            leader,
            leader_end,
            kin,
            mark: mark.into(),
            stderr,
            stage,
            supervisor,
            clock: Clock::start(),
        })
    }

    /// Runs until the tree is gone, or until its handle was dropped and the ladder has failed.
    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        loop {
            let order = tokio::select! {
                () = self.leader_ends(), if self.exit().is_none() => continue,
                order = orders.recv() => order,
            };
            let abandoned = order.is_none();
            let (ladder, mut replies) = match order {
                Some(Order { ladder, reply }) => (ladder, vec![reply]),
                None => (Ladder::NOW, Vec::new()),
            };
            let verdict = self.climb(ladder, &mut orders, &mut replies).await;
            if verdict.is_ok() {
                self.reap();
            }
            for reply in replies {
                // A caller that has left needs no answer.
                drop(reply.send(verdict.clone()));
            }
            match verdict {
                Ok(()) => return,
                Err(error) if abandoned => {
                    tracing::error!(leader = self.leader.pid(), %error, "a dropped process tree is not gone");
                    return;
                }
                Err(_) => {}
            }
        }
    }

    /// Climbs until no process is left or the ladder ends. Orders that arrive meanwhile join the climb.
    async fn climb(
        &mut self,
        ladder: Ladder,
        orders: &mut mpsc::Receiver<Order>,
        replies: &mut Vec<oneshot::Sender<Result<(), KillError>>>,
    ) -> Result<(), KillError> {
        let mut climb = Climb::begin(ladder, self.clock.now());
        let mut pause = FIRST_PAUSE;
        let mut abandoned = false;
        loop {
            let step = climb.step(self.clock.now());
            match step {
                Step::Terminate => {
                    // A stopped process handles a signal only when it continues.
                    self.leader.signal(Signal::TERM);
                    self.leader.signal(Signal::CONT);
                }
                Step::Kill => self.leader.signal(Signal::KILL),
                Step::Wait(_) | Step::GiveUp => {}
            }
            let living = self.look().await;
            match &living {
                Ok(living) if living.is_empty() && self.exit().is_some() => return Ok(()),
                Ok(living) if step == Step::Kill => living.iter().for_each(|process| drop(process.kill())),
                _ => {}
            }
            let until = match step {
                Step::GiveUp => return Err(self.failure(living)),
                Step::Terminate => continue,
                Step::Wait(until) => until,
                Step::Kill => self.clock.now() + LONGEST_PAUSE,
            };
            // While the leader runs, wait for its end; afterwards read the process table.
            let look_again =
                if self.exit().is_some() || step == Step::Kill { self.clock.now() + pause } else { until };
            pause = LONGEST_PAUSE.min(pause * 2);
            tokio::select! {
                () = self.leader_ends(), if self.exit().is_none() => pause = FIRST_PAUSE,
                order = orders.recv(), if !abandoned => match order {
                    Some(Order { ladder, reply }) => {
                        climb.hurry(ladder, self.clock.now());
                        replies.push(reply);
                    }
                    None => {
                        abandoned = true;
                        climb.hurry(Ladder::NOW, self.clock.now());
                    }
                },
                () = time::sleep_until(self.clock.deadline(until.min(look_again))) => {}
            }
        }
    }

    /// The processes of the tree that run now.
    async fn look(&mut self) -> io::Result<Vec<Process>> {
        let (mut kin, mark) = (self.kin.clone(), Arc::clone(&self.mark));
        let look = self.supervisor.spawn_blocking("process table", move || {
            let living = kin.living(&processes::table()?, |process| process.has_variable(&mark));
            io::Result::Ok((kin, living))
        });
        let looked =
            time::timeout(LOOK_DEADLINE, look).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
        let (kin, living) = looked.map_err(io::Error::other)??;
        self.kin = kin;
        Ok(living)
    }

    fn failure(&self, living: io::Result<Vec<Process>>) -> KillError {
        match living {
            Ok(living) => KillError::Survivors { pids: living.iter().map(|process| process.pid).collect() },
            Err(source) => KillError::Unverified { leader: self.leader.pid(), source: Arc::new(source) },
        }
    }

    /// Waits for the leader's end and publishes it.
    async fn leader_ends(&self) {
        while self.exit().is_none() {
            match self.leader_end.readable().await {
                Ok(mut ready) if self.exit().is_none() => ready.clear_ready(),
                Ok(_) => {}
                // The runtime is shutting down and drops this task at its next await.
                Err(_) => std::future::pending().await,
            }
        }
    }

    /// How the leader ended, published when it is first noticed; `None` while it runs.
    fn exit(&self) -> Option<Exit> {
        if let Some(exit) = self.stage.borrow().exit() {
            return Some(exit);
        }
        let exit = self.leader.exit()?;
        // The last lines of its log are still in the pipe: read them before the end is published.
        self.stderr.catch_up();
        self.stage.send_replace(Stage::Exited(exit));
        Some(exit)
    }

    /// The tree is gone: only now may the kernel reuse the leader's number.
    fn reap(&self) {
        self.stderr.catch_up();
        self.leader.reap();
        self.stage.send_replace(Stage::Gone(self.exit().unwrap_or(Exit::Unseen)));
    }
}

impl Drop for Reaper {
    /// The runtime ended first: the remaining work is done now, on this thread.
    fn drop(&mut self) {
        if matches!(*self.stage.borrow(), Stage::Gone(_)) {
            return;
        }
        self.leader.signal(Signal::KILL);
        let mark = &self.mark;
        if let Err(error) =
            processes::extinguish(&mut self.kin, |process| process.has_variable(mark), LAST_DEADLINE)
        {
            tracing::error!(leader = self.leader.pid(), %error, "a process tree outlives its runtime");
        }
    }
}
