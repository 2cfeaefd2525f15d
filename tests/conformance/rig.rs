//! A driver with its browsers, a site that misbehaves, and the check that nothing is left.
//!
//! Browsers are launched when contexts need room. The next case reuses a context if the earlier case passed and no
//! new context is required, since a Firefox session costs seconds. Other contexts are closed after their case and
//! verified gone.

use std::fs::{Permissions, set_permissions, write};
use std::os::unix::fs::PermissionsExt;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt, stream};
use plimsoll_core::capability::Capabilities;
use plimsoll_core::id::BrowserId;
use plimsoll_core::outcome::Fault;
use plimsoll_core::port::{Browser, Context, Driver, OpenRequest};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::identity::Identity;
use plimsoll_host::profile::ProfileRoot;
use plimsoll_host::spawn::Spawner;
use plimsoll_kit::berth::Berth;
use plimsoll_kit::nasty_site;
use plimsoll_kit::processes::{self, Process};
use plimsoll_kit::site::{LOOPBACK, Site};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::Group;
use crate::case::{Case, Verdict};
use crate::driver::{Make, Subject};
use crate::selenium::Grid;
use crate::table;

/// The time in which a killed or abandoned process must be gone.
const GONE: Duration = Duration::from_secs(15);
/// The time in which all tasks must end: sessions of an ended grid are given up after 30 seconds.
const STOPPED: Duration = Duration::from_secs(45);

/// The resources for making a driver.
pub(crate) struct Machine {
    pub(crate) spawner: Spawner,
    pub(crate) identity: Identity,
    pub(crate) profiles: Arc<ProfileRoot>,
    pub(crate) supervisor: Supervisor,
    pub(crate) clock: Clock,
    dir: Arc<TempDir>,
    grid: Arc<OnceCell<Grid>>,
}

/// A running driver.
pub(crate) struct Rig {
    pub(crate) driver: Arc<dyn Driver>,
    pub(crate) capabilities: Capabilities,
    pub(crate) site: Site,
    pub(crate) patience: Duration,
    pub(crate) grace: Duration,
    /// The number of moments at which a call is abandoned.
    pub(crate) moments: u32,
    pub(crate) machine: Machine,
    make: Make,
    pub(crate) room: usize,
    next: AtomicU64,
    berths: tokio::sync::Mutex<Vec<Slot>>,
    spare: Mutex<Vec<Opened>>,
    leaving: Mutex<Vec<Opened>>,
    exercised: Mutex<Capabilities>,
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

/// Runs a group of cases on a driver.
#[expect(clippy::print_stderr, reason = "what whoever runs the test wants to see when it fails or is slow")]
pub(crate) async fn judge(subject: &Subject, name: &'static str, group: Group) {
    let without = std::env::var("PLIMSOLL_TESTS_WITHOUT").unwrap_or_default();
    if without.split(',').any(|driver| driver == subject.name) {
        eprintln!("skipped: this platform has no {}", subject.name);
        return;
    }
    // Models need no memory and have no deadlines.
    let _berth = subject.models.is_empty().then(Berth::take_all);
    let rig = Rig::start(subject).await;
    let cases = group.iter().flat_map(|(suite, cases)| cases.iter().map(move |case| (*suite, case)));
    let side_by_side = if name == "endings" { 1 } else { subject.side_by_side };
    let verdicts: Vec<(&'static str, &'static str, Verdict)> = stream::iter(cases)
        .map(|(suite, case)| {
            let rig = &rig;
            async move {
                let start = rig.machine.clock.now();
                let verdict = subject.judged(suite, case.name, rig.run(case)).await;
                let took = rig.machine.clock.now().since(start);
                eprintln!("{:>6.2} s  {suite}: {}: {}", took.as_secs_f64(), case.name, verdict.cell());
                (suite, case.name, verdict)
            }
        })
        .buffer_unordered(side_by_side)
        .collect()
        .await;
    let exercised = rig.exercised.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let capabilities = rig.capabilities.clone();
    let clean = AssertUnwindSafe(rig.close()).catch_unwind().await;

    let failed = verdicts.iter().filter_map(|(suite, case, verdict)| match verdict {
        Verdict::Failed(why) => Some(format!("{suite}: {case}: {why}")),
        _ => None,
    });
    let failed: Vec<_> = failed.collect();
    assert!(failed.is_empty(), "{} cases failed\n{}", failed.len(), failed.join("\n"));
    assert!(clean.is_ok(), "every case passed, but something was left");
    let declared = (name == "steps").then_some(&capabilities);
    if declared.is_some() && subject.models.is_empty() {
        let unproved = exercised.missing(&capabilities);
        assert!(unproved.is_empty(), "declared, but no case that passed needed it: {unproved}");
    }
    table::keep(subject, name, &verdicts, declared);
}

impl Machine {
    /// The directory of all files.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The grid of this rig, started on first use.
    pub(crate) async fn grid(&self) -> &Grid {
        self.grid.get_or_init(|| Grid::start(self)).await
    }
}

impl Rig {
    async fn start(subject: &Subject) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        // If the tests run as root, browsers run as another user, who needs access to the profile.
        set_permissions(dir.path(), Permissions::from_mode(0o755)).expect("our own directory");
        let identity = Identity::for_browsers().expect("a user for browsers");
        let profiles = Arc::new(ProfileRoot::open(dir.path(), &identity).expect("a place for profiles"));
        let machine = Machine {
            spawner: Spawner::start().expect("a thread"),
            identity,
            profiles,
            supervisor: Supervisor::root(),
            clock: Clock::start(),
            dir: Arc::new(dir),
            grid: Arc::default(),
        };
        let driver = (subject.make)(&machine).await;
        Self {
            capabilities: driver.capabilities(),
            driver,
            site: nasty_site::serve(LOOPBACK).expect("a port"),
            patience: subject.patience,
            grace: subject.grace,
            moments: subject.moments,
            machine,
            make: subject.make,
            room: subject.room,
            next: AtomicU64::new(0),
            berths: tokio::sync::Mutex::default(),
            spare: Mutex::default(),
            leaving: Mutex::default(),
            exercised: Mutex::default(),
        }
    }

    async fn run(&self, case: &Case) -> Verdict {
        let verdict = case.judge(self).await;
        let leaving = std::mem::take(&mut *self.leaving.lock().unwrap_or_else(PoisonError::into_inner));
        for opened in leaving {
            if let (Err(error), Verdict::Passed) = (self.dismiss(opened).await, &verdict) {
                return Verdict::Failed(error);
            }
        }
        verdict
    }

    /// A new browser number.
    pub(crate) fn number(&self) -> BrowserId {
        BrowserId(self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Another driver of the same kind, whose tasks can be stopped by themselves.
    pub(crate) async fn another(&self) -> (Arc<dyn Driver>, Supervisor) {
        let Machine { spawner, identity, profiles, supervisor, clock, dir, grid } = &self.machine;
        let machine = Machine {
            spawner: spawner.clone(),
            identity: identity.clone(),
            profiles: Arc::clone(profiles),
            supervisor: supervisor.child(),
            clock: *clock,
            dir: Arc::clone(dir),
            grid: Arc::clone(grid),
        };
        ((self.make)(&machine).await, machine.supervisor)
    }

    /// Launches a browser that belongs to the caller.
    pub(crate) async fn launch(&self) -> Arc<dyn Browser> {
        self.driver.launch(self.number(), self.patience * 2).await.expect("the browser starts")
    }

    /// Opens a context for `request` on a browser that has room.
    pub(crate) async fn admit(&self, request: OpenRequest) -> Result<Opened, Fault> {
        let (id, browser) = {
            let mut slots = self.berths.lock().await;
            self.replace_ended(&mut slots).await;
            if !slots.iter().any(|slot| slot.held < self.room) {
                let id = self.number();
                let browser = self.driver.launch(id, self.patience * 2).await?;
                slots.push(Slot { id, browser, held: 0 });
            }
            let slot = slots.iter_mut().find(|slot| slot.held < self.room).expect("one was just added");
            slot.held += 1;
            (slot.id, Arc::clone(&slot.browser))
        };
        match browser.open(request, self.patience).ready().await {
            Ok(context) => Ok(Opened { context, at: String::new(), id }),
            Err(fault) => {
                self.vacate(id).await;
                Err(fault)
            }
        }
    }

    /// Removes browsers that have ended, as the fleet does: a case may have ended a browser.
    #[expect(clippy::print_stderr, reason = "what whoever runs the test wants to see")]
    async fn replace_ended(&self, slots: &mut Vec<Slot>) {
        let ended = |slot: &mut Slot| slot.browser.ended().now_or_never();
        let gone: Vec<_> = slots.extract_if(.., |slot| ended(slot).is_some()).collect();
        for slot in gone {
            eprintln!("replaced: {}", slot.browser.ended().await);
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

    /// Records that these capabilities were used.
    pub(crate) fn exercise(&self, needs: &Capabilities) {
        let mut exercised = self.exercised.lock().unwrap_or_else(PoisonError::into_inner);
        *exercised = exercised.iter().chain(needs.iter()).collect();
    }

    /// The site under its other name: a different site for the browser, so another process shows it.
    pub(crate) fn elsewhere(&self, path: &str) -> String {
        self.site.url(path).replace("127.0.0.1", "localhost")
    }

    /// A file that everybody may read.
    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.machine.dir.path().join(name);
        write(&path, content).expect("our own directory");
        path
    }

    /// A file that the browser may not read; `None` if the browser runs as this user.
    pub(crate) fn secret(&self, name: &str) -> Option<PathBuf> {
        let path = self.file(name, "secret");
        set_permissions(&path, Permissions::from_mode(0o600)).expect("our own file");
        (self.machine.identity != Identity::Current).then_some(path)
    }

    /// Processes of this rig's browsers and their drivers. A grid outlives its sessions and is not included.
    pub(crate) fn processes(&self) -> Vec<Process> {
        let grid = self.machine.grid.get().map(Grid::pid);
        let mut processes = processes::of(self.machine.dir.path());
        processes.retain(|process| Some(process.pid) != grid);
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

    /// Closes every browser, and asserts that nothing is left.
    async fn close(self) {
        let spare = std::mem::take(&mut *self.spare.lock().unwrap_or_else(PoisonError::into_inner));
        for opened in spare {
            if let Err(error) = self.dismiss(opened).await {
                panic!("{error}");
            }
        }
        for slot in self.berths.lock().await.drain(..) {
            slot.browser.close().await.expect("a browser that is gone");
        }
        // The leftovers of the grid's drivers end with the grid.
        if let Some(grid) = self.machine.grid.get() {
            grid.stop().await;
        }
        self.is_clean().await;
        assert_eq!(self.machine.supervisor.panics(), 0);
        tokio::time::timeout(STOPPED, self.machine.supervisor.stop()).await.expect("every task ends");
    }
}
