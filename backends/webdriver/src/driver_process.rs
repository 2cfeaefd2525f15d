//! A driver process, as its reaper owns it.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::port::{BrowserEnd, CloseError};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::lifecycle::{LocalProcess, Owned, Removal, stop_tasks};
use plimsoll_host::tree::Ladder;

use crate::direct::Direct;
use crate::handle::BrowserHandle;
use crate::health;

/// SIGTERM ends chromedriver and geckodriver with their browsers.
const LADDER: Ladder =
    Ladder { ask: Duration::ZERO, term: Duration::from_secs(3), kill: Duration::from_secs(5) };

/// A driver that answers.
#[derive(Debug)]
pub(crate) struct DriverProcess {
    pub(crate) process: LocalProcess,
    /// Requests to it.
    pub(crate) direct: Arc<Direct>,
    /// Our end of the guard's pipe: closing it kills the process group, so it is closed last.
    pub(crate) guard: OwnedFd,
}

/// The parts that must not be left behind.
pub(crate) struct OwnedDriver {
    pub(crate) handle: Arc<BrowserHandle>,
    pub(crate) driver: DriverProcess,
    pub(crate) clock: Clock,
}

impl Owned for OwnedDriver {
    async fn ended(&self) -> BrowserEnd {
        let DriverProcess { process, direct, .. } = &self.driver;
        health::end_of_driver(self.handle.family, &process.tree, direct, self.clock).await
    }

    async fn remove(self, removal: Removal, supervisor: &Supervisor) -> Result<(), CloseError> {
        let Self { handle, driver: DriverProcess { process, guard, .. }, .. } = self;
        handle.supervisor.cancel();
        let ladder = match removal {
            Removal::Asked => LADDER,
            Removal::Forced => Ladder::NOW,
        };
        let removed = process.remove(ladder, supervisor).await;
        drop(guard);
        stop_tasks(&handle.supervisor).await;
        removed
    }
}
