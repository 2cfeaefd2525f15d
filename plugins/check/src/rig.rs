//! A driver with its browsers, a site that misbehaves, and the check that nothing is left.
//!
//! Browsers are launched when contexts need room. The next case reuses a context if the earlier case passed and no
//! new context is required, since a Firefox session costs seconds. Other contexts are closed after their case and
//! verified gone.

use std::fs::{Permissions, set_permissions, write};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use plimsoll_core::capability::{Capabilities, Capability};
use plimsoll_core::id::BrowserId;
use plimsoll_core::outcome::Fault;
use plimsoll_core::port::{Browser, Context, Driver, OpenRequest};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::identity::Identity;

use crate::machine::{DriverSource, Machine};
use crate::nasty_site;
use crate::processes::{self, Process};
use crate::site::{LOOPBACK, Site};
use crate::verdict::{self, lacks_one};

/// The time in which a killed or abandoned process must be gone.
const GONE: Duration = Duration::from_secs(15);
/// The time in which all tasks must end: sessions of an ended grid are given up after 30 seconds.
const STOPPED: Duration = Duration::from_secs(45);
/// The time in which everything must be closed.
const CLOSED: Duration = Duration::from_secs(150);

/// What a driver of this kind may take.
#[derive(Debug, Clone, Copy)]
pub struct Measures {
    /// Contexts that one browser holds.
    pub room: usize,
    /// The time limit of a step that should succeed.
    pub patience: Duration,
    /// The time that a step may take beyond its budget.
    pub grace: Duration,
    /// The number of moments at which a call is abandoned.
    pub moments: u32,
}

/// A running driver.
pub struct Rig {
    pub(crate) driver: Arc<dyn Driver>,
    /// What the driver declares.
    pub capabilities: Capabilities,
    pub(crate) site: Site,
    pub(crate) measures: Measures,
    /// What the driver was made from.
    pub machine: Machine,
    source: Box<dyn DriverSource>,
    next: AtomicU64,
    berths: tokio::sync::Mutex<Vec<Slot>>,
    spare: Mutex<Vec<Opened>>,
    leaving: Mutex<Vec<Opened>>,
}

/// A browser and the number of its contexts.
struct Slot {
    id: BrowserId,
    browser: Arc<dyn Browser>,
    held: usize,
}

/// A context and its browser.
pub(crate) struct Opened {
    pub(crate) context: Box<dyn Context>,
    /// The last address that was opened.
    pub(crate) at: String,
    id: BrowserId,
}

impl Rig {
    /// Starts the site for a driver that `source` has made.
    ///
    /// # Errors
    /// When the site gets no port or no thread.
    pub fn start(
        machine: Machine,
        driver: Arc<dyn Driver>,
        source: Box<dyn DriverSource>,
        measures: Measures,
    ) -> io::Result<Self> {
        Ok(Self {
            capabilities: driver.capabilities(),
            driver,
            site: nasty_site::serve(LOOPBACK)?,
            measures,
            machine,
            source,
            next: AtomicU64::new(0),
            berths: tokio::sync::Mutex::default(),
            spare: Mutex::default(),
            leaving: Mutex::default(),
        })
    }

    /// Closes every browser, and waits until nothing is left.
    ///
    /// # Errors
    /// What is left, or which task has not ended or has panicked.
    pub async fn close(self) -> Result<(), String> {
        let closed = tokio::time::timeout(CLOSED, AssertUnwindSafe(self.end()).catch_unwind()).await;
        match closed {
            Ok(Ok(())) => Ok(()),
            Ok(Err(panic)) => Err(verdict::words(&*panic).to_owned()),
            Err(_) => Err(format!("closing did not end within {CLOSED:?}")),
        }
    }

    /// Closes the contexts that a case has left.
    pub(crate) async fn clear(&self) -> Result<(), String> {
        let leaving = std::mem::take(&mut *self.leaving.lock().unwrap_or_else(PoisonError::into_inner));
        let mut cleared = Ok(());
        for opened in leaving {
            cleared = cleared.and(self.dismiss(opened).await);
        }
        cleared
    }

    /// Closes the browsers that cases have shared, so that whatever is left is of the next case. No case may run.
    pub(crate) async fn close_shared(&self) -> Result<(), String> {
        let spare = std::mem::take(&mut *self.spare.lock().unwrap_or_else(PoisonError::into_inner));
        for opened in spare {
            self.dismiss(opened).await?;
        }
        for slot in self.berths.lock().await.drain(..) {
            slot.browser.close().await.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Whether the driver declares this capability.
    pub(crate) fn declares(&self, capability: Capability) -> bool {
        self.capabilities.contains(capability)
    }

    /// Ends the case unless the driver runs the scripts of pages, as one that declares `evaluate` does.
    pub(crate) fn needs_scripts(&self) {
        if !self.declares(Capability::Evaluate) {
            lacks_one(Capability::Evaluate);
        }
    }

    /// A new browser number.
    pub(crate) fn number(&self) -> BrowserId {
        BrowserId(self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Another driver of the same kind, whose tasks can be stopped by themselves.
    pub(crate) async fn another(&self) -> (Arc<dyn Driver>, Supervisor) {
        let machine = self.machine.child();
        let driver = self.source.make(&machine).await;
        (driver.unwrap_or_else(|why| panic!("no second driver: {why}")), machine.supervisor)
    }

    /// Launches a browser that belongs to the caller.
    pub(crate) async fn launch(&self) -> Arc<dyn Browser> {
        self.driver.launch(self.number(), self.measures.patience * 2).await.expect("the browser starts")
    }

    /// Opens a context for `request` on a browser that has room.
    pub(crate) async fn admit(&self, request: OpenRequest) -> Result<Opened, Fault> {
        let (id, browser) = {
            let mut slots = self.berths.lock().await;
            self.replace_ended(&mut slots).await;
            if !slots.iter().any(|slot| slot.held < self.measures.room) {
                let id = self.number();
                let browser = self.driver.launch(id, self.measures.patience * 2).await?;
                slots.push(Slot { id, browser, held: 0 });
            }
            let slot =
                slots.iter_mut().find(|slot| slot.held < self.measures.room).expect("one was just added");
            slot.held += 1;
            (slot.id, Arc::clone(&slot.browser))
        };
        match browser.open(request, self.measures.patience).ready().await {
            Ok(context) => Ok(Opened { context, at: String::new(), id }),
            Err(fault) => {
                self.vacate(id).await;
                Err(fault)
            }
        }
    }

    /// Removes browsers that have ended, as the fleet does: a case may have ended a browser.
    async fn replace_ended(&self, slots: &mut Vec<Slot>) {
        let ended = |slot: &mut Slot| slot.browser.ended().now_or_never();
        let gone: Vec<_> = slots.extract_if(.., |slot| ended(slot).is_some()).collect();
        for slot in gone {
            tracing::info!(end = %slot.browser.ended().await, "a browser has ended and is replaced");
            slot.browser.close().await.expect("a browser that is gone");
        }
    }

    /// Closes a context that a case no longer needs.
    pub(crate) async fn dismiss(&self, opened: Opened) -> Result<(), String> {
        let Opened { context, id, .. } = opened;
        context.close().await.map_err(|error| error.to_string())?;
        self.vacate(id).await;
        Ok(())
    }

    async fn end(self) {
        if let Err(error) = self.close_shared().await {
            panic!("{error}");
        }
        // The leftovers of a server's drivers end with the server.
        self.source.end_server().await;
        self.is_clean().await;
        assert_eq!(self.machine.supervisor.panics(), 0, "tasks that panicked");
        tokio::time::timeout(STOPPED, self.machine.supervisor.stop()).await.expect("every task ends");
    }

    async fn vacate(&self, id: BrowserId) {
        for slot in self.berths.lock().await.iter_mut().filter(|slot| slot.id == id) {
            slot.held -= 1;
        }
    }

    /// A context that an earlier case no longer needs.
    pub(crate) fn spare(&self) -> Option<Opened> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Takes a context back, to be used again or to be closed.
    pub(crate) fn take_back(&self, opened: Opened, reusable: bool) {
        let place = if reusable { &self.spare } else { &self.leaving };
        place.lock().unwrap_or_else(PoisonError::into_inner).push(opened);
    }

    /// The site under its other name: a different site for the browser, so another process shows it.
    pub(crate) fn elsewhere(&self, path: &str) -> String {
        self.site.url(path).replace("127.0.0.1", "localhost")
    }

    /// A file that everybody may read.
    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.machine.dir().join(name);
        write(&path, content).expect("our own directory");
        path
    }

    /// A file that the browser may not read; `None` if the browser runs as this user.
    pub(crate) fn secret(&self, name: &str) -> Option<PathBuf> {
        let path = self.file(name, "secret");
        set_permissions(&path, Permissions::from_mode(0o600)).expect("our own file");
        (self.machine.identity != Identity::Current).then_some(path)
    }

    /// Processes of this rig's browsers and their drivers, without a server that outlives its sessions.
    pub(crate) fn processes(&self) -> Vec<Process> {
        let server = self.source.server();
        let mut processes = processes::of(self.machine.dir());
        processes.retain(|process| Some(process.pid) != server);
        processes
    }

    /// Profile directories that exist now.
    pub(crate) fn profiles(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.machine.profiles.path()).expect("the run's directory").flatten();
        entries.map(|entry| entry.path()).filter(|path: &PathBuf| Path::is_dir(path)).collect()
    }

    /// Waits until nothing is left of browsers that a case closed or abandoned.
    pub(crate) async fn is_clean(&self) {
        let clock = Clock::start();
        while !(self.processes().is_empty() && self.profiles().is_empty()) {
            let left = || (self.processes(), self.profiles());
            assert!(clock.now().elapsed() < GONE, "left: {:?}", left());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
