//! The browsers of a fleet in the runtime. Separate tasks start, watch and close them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::id::BrowserId;
use crate::outcome::{FailureClass, Fault};
use crate::policy::dispatch::AttemptEnd;
use crate::policy::pressure::Trim;
use crate::port::{Browser, BrowserEnd, CloseError, Driver};
use crate::runtime::permit::Permit;
use crate::runtime::supervisor::Supervisor;

/// The result of a browser's task.
pub(super) enum BrowserNotice {
    Launched(BrowserId, Arc<dyn Browser>),
    LaunchFailed(BrowserId, Fault),
    Ended(BrowserId, BrowserEnd),
    Closed(BrowserId, Result<(), CloseError>),
}

/// The browsers that have a task or a process.
pub(super) struct Browsers {
    driver: Arc<dyn Driver>,
    supervisor: Supervisor,
    launch_timeout: Duration,
    cells: HashMap<BrowserId, Cell>,
}

struct Cell {
    state: State,
    /// Permits of contexts that could not be verified gone. They are dropped when the browser is gone.
    held: Vec<Permit>,
    /// Why a browser that was up was given up: the first context that could not be verified gone.
    given_up: Option<String>,
}

enum State {
    Launching,
    /// The browser must be closed as soon as its launch is finished.
    Unwanted,
    Up(Arc<dyn Browser>, Supervisor),
    Closing,
}

/// A future notice.
pub(super) type Pending = BoxFuture<'static, BrowserNotice>;

impl Browsers {
    pub(super) fn new(driver: Arc<dyn Driver>, supervisor: Supervisor, launch_timeout: Duration) -> Self {
        Self { driver, supervisor, launch_timeout, cells: HashMap::new() }
    }

    /// The counts of the driver's own.
    pub(super) fn counters(&self) -> BTreeMap<String, u64> {
        self.driver.counters()
    }

    /// The browser, if it can open contexts.
    pub(super) fn up(&self, id: BrowserId) -> Option<Arc<dyn Browser>> {
        match &self.cells.get(&id)?.state {
            State::Up(browser, _) => Some(Arc::clone(browser)),
            _ => None,
        }
    }

    /// Asks every browser to free memory.
    pub(super) fn trim(&self, trim: Trim) {
        for cell in self.cells.values() {
            if let State::Up(browser, watch) = &cell.state {
                let browser = Arc::clone(browser);
                // The result is not awaited. The task ends with the browser's watch at the latest.
                drop(watch.spawn("trim browser", async move { browser.trim(trim).await }));
            }
        }
    }

    /// Keeps the permit of a context that could not be verified gone until its browser is gone. Returns the number of
    /// browsers that are given up because of it: one, unless the browser has ended or was given up before.
    pub(super) fn hold(&mut self, id: BrowserId, permit: Permit, left: &CloseError) -> u64 {
        match self.cells.get_mut(&id) {
            Some(cell) => {
                cell.held.push(permit);
                if matches!(cell.state, State::Up(..)) && cell.given_up.is_none() {
                    cell.given_up = Some(left.to_string());
                    return 1;
                }
            }
            // The browser and its contexts are already gone.
            None => drop(permit),
        }
        0
    }

    /// The end of an attempt on this browser. If the browser was given up because of a context, a lost attempt names it.
    pub(super) fn explained(&self, id: BrowserId, mut end: AttemptEnd) -> AttemptEnd {
        if let AttemptEnd::Failed(failure) = &mut end
            && failure.fault.class == FailureClass::BrowserCrash
            && let Some(left) = self.cells.get(&id).and_then(|cell| cell.given_up.as_deref())
        {
            failure.fault.message =
                format!("the browser was replaced, because the context of another job was {left}");
        }
        end
    }

    pub(super) fn launch(&mut self, id: BrowserId) -> Pending {
        self.cells.insert(id, Cell { state: State::Launching, held: Vec::new(), given_up: None });
        let (driver, budget) = (Arc::clone(&self.driver), self.launch_timeout);
        let task = self.supervisor.spawn_graceful("launch", async move { driver.launch(id, budget).await });
        async move {
            match task.await {
                Ok(Ok(browser)) => BrowserNotice::Launched(id, browser),
                Ok(Err(fault)) => BrowserNotice::LaunchFailed(id, fault),
                Err(lost) => BrowserNotice::LaunchFailed(
                    id,
                    Fault::transient(FailureClass::Internal, lost.to_string()),
                ),
            }
        }
        .boxed()
    }

    /// Adds a launched browser. Returns the task that watches it, or the task that closes it if it is no longer wanted.
    pub(super) fn launched(&mut self, id: BrowserId, browser: Arc<dyn Browser>) -> Pending {
        let unwanted = matches!(self.cells.get(&id), Some(Cell { state: State::Unwanted, .. }) | None);
        let watch = self.supervisor.child();
        let held = self.cells.remove(&id).map(|cell| cell.held).unwrap_or_default();
        self.cells
            .insert(id, Cell { state: State::Up(Arc::clone(&browser), watch.clone()), held, given_up: None });
        if unwanted && let Some(closing) = self.close(id) {
            return closing;
        }
        let task = watch.spawn("watch browser", async move { browser.ended().await });
        async move {
            match task.await {
                Ok(end) => BrowserNotice::Ended(id, end),
                // The watch was cancelled because the browser is being closed; the closing sends its own notice.
                Err(_) => std::future::pending().await,
            }
        }
        .boxed()
    }

    /// Closes a browser now, or as soon as its launch is finished.
    pub(super) fn close(&mut self, id: BrowserId) -> Option<Pending> {
        let cell = self.cells.get_mut(&id)?;
        match std::mem::replace(&mut cell.state, State::Closing) {
            State::Launching | State::Unwanted => {
                cell.state = State::Unwanted;
                None
            }
            State::Closing => None,
            State::Up(browser, watch) => {
                watch.cancel();
                let task =
                    self.supervisor.spawn_graceful("close browser", async move { browser.close().await });
                let closing = async move {
                    let closed = task.await.unwrap_or_else(|lost| Err(CloseError(lost.to_string())));
                    BrowserNotice::Closed(id, closed)
                };
                Some(closing.boxed())
            }
        }
    }

    /// Removes a browser that is gone, and drops the permits that it held.
    pub(super) fn gone(&mut self, id: BrowserId) {
        self.cells.remove(&id);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }
}
