//! What the contexts of one browser share: where its sessions run, which are open, and the news of its end.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plimsoll_core::port::{BrowserEnd, CloseError};
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::tree::ProcessTree;
use tokio::sync::watch;

use crate::demand::Demand;
use crate::direct::Direct;
use crate::driver::Origin;
use crate::endpoint::Endpoint;
use crate::endpoints::Endpoints;
use crate::journal::Entry;
use crate::settings::{Family, WindowSize};

/// What the contexts of one browser share.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) family: Family,
    pub(crate) window: WindowSize,
    pub(crate) home: Home,
    pub(crate) demand: Arc<Demand>,
    /// Owns what works for this browser; ended when it is gone.
    pub(crate) supervisor: Supervisor,
    /// Sessions at remote ends that are not known to be gone.
    open: Mutex<BTreeMap<Key, Open>>,
    /// Contexts that are in use or being opened.
    users: watch::Sender<usize>,
    /// Whether a session could not be deleted.
    spoiled: AtomicBool,
    end: watch::Sender<Option<BrowserEnd>>,
    gone: watch::Sender<Option<Result<(), CloseError>>>,
}

/// Where a browser's sessions run.
#[derive(Debug)]
pub(crate) enum Home {
    /// In a process tree of ours, whose driver is asked so.
    Here(Arc<ProcessTree>, Arc<Direct>),
    /// At remote ends; open sessions are written down.
    There(Arc<Endpoints>),
}

/// The label of a session's remote end, and its id.
type Key = (String, String);

/// A session that is not known to be gone.
#[derive(Debug)]
struct Open {
    endpoint: Arc<Endpoint>,
    /// Where it is written down.
    entry: Option<Entry>,
}

/// Says that a browser is in use, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Using(Arc<Link>);

impl Link {
    /// Of a browser that has just come up.
    pub(crate) fn new(origin: &Origin, home: Home, supervisor: Supervisor) -> Arc<Self> {
        Arc::new(Self {
            family: origin.settings.family,
            window: origin.settings.window,
            home,
            demand: Arc::clone(&origin.demand),
            supervisor,
            open: Mutex::default(),
            users: watch::Sender::new(0),
            spoiled: AtomicBool::new(false),
            end: watch::Sender::new(None),
            gone: watch::Sender::new(None),
        })
    }

    /// A session is at a remote end: it is written down.
    pub(crate) async fn opened(&self, endpoint: &Arc<Endpoint>, session: &str) {
        let Home::There(endpoints) = &self.home else { return };
        let key = key(endpoint, session);
        self.sessions().insert(key.clone(), Open { endpoint: Arc::clone(endpoint), entry: None });
        let entry = endpoints.journal.enter(&endpoint.label, session).await;
        let unclaimed = match self.sessions().get_mut(&key) {
            Some(open) => std::mem::replace(&mut open.entry, entry),
            None => entry,
        };
        strike(unclaimed).await;
    }

    /// A session at a remote end is known to be gone.
    pub(crate) async fn closed(&self, endpoint: &Endpoint, session: &str) {
        let open = self.sessions().remove(&key(endpoint, session));
        strike(open.and_then(|open| open.entry)).await;
    }

    /// The sessions that are not known to be gone.
    pub(crate) fn left(&self) -> Vec<(Arc<Endpoint>, String)> {
        let sessions = self.sessions();
        sessions.iter().map(|((_, id), open)| (Arc::clone(&open.endpoint), id.clone())).collect()
    }

    /// A session could not be deleted.
    pub(crate) fn spoil(&self) {
        self.spoiled.store(true, Ordering::Relaxed);
    }

    /// Somebody uses it, or is about to.
    pub(crate) fn using(self: &Arc<Self>) -> Using {
        self.users.send_modify(|users| *users += 1);
        Using(Arc::clone(self))
    }

    /// Whether a session could not be deleted.
    pub(crate) fn is_spoiled(&self) -> bool {
        self.spoiled.load(Ordering::Relaxed)
    }

    /// Completes when nobody uses it.
    pub(crate) async fn unused(&self) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.users.subscribe().wait_for(|users| *users == 0).await;
    }

    fn sessions(&self) -> MutexGuard<'_, BTreeMap<Key, Open>> {
        // A map is whole between its calls.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The browser has come to its end.
    pub(crate) fn tell_end(&self, end: BrowserEnd) {
        self.end.send_replace(Some(end));
    }

    /// Nothing of it is left, or something is and will stay.
    pub(crate) fn tell_gone(&self, verdict: Result<(), CloseError>) {
        self.gone.send_replace(Some(verdict));
    }

    /// How it ended, if it has.
    pub(crate) fn end(&self) -> Option<BrowserEnd> {
        self.end.borrow().clone()
    }

    /// Completes when the browser has come to its end.
    pub(crate) async fn ended(&self) -> BrowserEnd {
        let mut end = self.end.subscribe();
        let ended = end.wait_for(Option::is_some).await.ok().and_then(|end| end.clone());
        // The sender lives in `self`, so waiting cannot fail.
        ended.unwrap_or_else(|| BrowserEnd::Died("nobody watched it".to_owned()))
    }

    /// Completes when nothing of the browser is left, or when that could not be brought about.
    pub(crate) async fn gone(&self) -> Result<(), CloseError> {
        let mut gone = self.gone.subscribe();
        let verdict = gone.wait_for(Option::is_some).await.ok().and_then(|gone| gone.clone());
        verdict.unwrap_or_else(|| Err(CloseError("nobody watched the browser".to_owned())))
    }
}

impl Drop for Using {
    fn drop(&mut self) {
        self.0.users.send_modify(|users| *users -= 1);
    }
}

fn key(endpoint: &Endpoint, session: &str) -> Key {
    (endpoint.label.clone(), session.to_owned())
}

async fn strike(entry: Option<Entry>) {
    if let Some(entry) = entry {
        entry.strike().await;
    }
}
