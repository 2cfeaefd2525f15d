//! The state that the contexts of one browser share: where its sessions run, which of them are open, and its end.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::lifecycle::Lifetime;
use plimsoll_host::window::WindowSize;
use tokio::sync::watch;

use crate::capabilities::SessionCapabilities;
use crate::endpoint::Endpoint;
use crate::endpoints::Endpoints;
use crate::journal::Entry;
use crate::location::Location;
use crate::origin::Origin;
use crate::settings::Family;

/// The state that the contexts of one browser share.
#[derive(Debug)]
pub(crate) struct BrowserHandle {
    pub(crate) family: Family,
    pub(crate) window: WindowSize,
    /// Where its sessions run; open remote sessions are recorded.
    pub(crate) location: Location<Arc<Endpoints>>,
    pub(crate) capabilities: Arc<SessionCapabilities>,
    /// Owns the tasks that work for this browser; stopped when the browser is gone.
    pub(crate) supervisor: Supervisor,
    /// Sessions at remote ends that are not known to be gone.
    open: Mutex<BTreeMap<Key, Open>>,
    /// Contexts that are in use or being opened.
    users: watch::Sender<usize>,
    /// Whether a session could not be deleted.
    unverified: AtomicBool,
    /// The end of the browser.
    pub(crate) lifetime: Lifetime,
}

/// The label of a session's remote end, and its id.
type Key = (String, String);

/// A session that is not known to be gone.
#[derive(Debug)]
struct Open {
    endpoint: Arc<Endpoint>,
    /// Its record on disk.
    entry: Option<Entry>,
}

/// Counts a browser as in use until it is dropped.
#[derive(Debug)]
pub(crate) struct InUse(Arc<BrowserHandle>);

impl BrowserHandle {
    /// The handle of a browser that has just started.
    pub(crate) fn new(
        origin: &Origin,
        location: Location<Arc<Endpoints>>,
        supervisor: Supervisor,
        lifetime: Lifetime,
    ) -> Arc<Self> {
        Arc::new(Self {
            family: origin.settings.family,
            window: origin.settings.window,
            location,
            capabilities: Arc::clone(&origin.capabilities),
            supervisor,
            open: Mutex::default(),
            users: watch::Sender::new(0),
            unverified: AtomicBool::new(false),
            lifetime,
        })
    }

    /// Records a session that is open at a remote end.
    pub(crate) async fn opened(&self, endpoint: &Arc<Endpoint>, session: &str) {
        let Location::Remote(endpoints) = &self.location else { return };
        let key = key(endpoint, session);
        self.sessions().insert(key.clone(), Open { endpoint: Arc::clone(endpoint), entry: None });
        let entry = endpoints.journal.enter(&endpoint.label, session).await;
        let unclaimed = match self.sessions().get_mut(&key) {
            Some(open) => std::mem::replace(&mut open.entry, entry),
            None => entry,
        };
        remove_entry(unclaimed).await;
    }

    /// Records that a session at a remote end is gone.
    pub(crate) async fn closed(&self, endpoint: &Endpoint, session: &str) {
        let open = self.sessions().remove(&key(endpoint, session));
        remove_entry(open.and_then(|open| open.entry)).await;
    }

    /// The sessions that are not known to be gone.
    pub(crate) fn left(&self) -> Vec<(Arc<Endpoint>, String)> {
        let sessions = self.sessions();
        sessions.iter().map(|((_, id), open)| (Arc::clone(&open.endpoint), id.clone())).collect()
    }

    /// Records that a session could not be deleted.
    pub(crate) fn mark_unverified(&self) {
        self.unverified.store(true, Ordering::Relaxed);
    }

    /// Counts the browser as in use.
    pub(crate) fn in_use(self: &Arc<Self>) -> InUse {
        self.users.send_modify(|users| *users += 1);
        InUse(Arc::clone(self))
    }

    /// Whether a session could not be deleted.
    pub(crate) fn has_unverified(&self) -> bool {
        self.unverified.load(Ordering::Relaxed)
    }

    /// Completes when the browser is not in use.
    pub(crate) async fn unused(&self) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.users.subscribe().wait_for(|users| *users == 0).await;
    }

    fn sessions(&self) -> MutexGuard<'_, BTreeMap<Key, Open>> {
        // A map is consistent between calls.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.users.send_modify(|users| *users -= 1);
    }
}

fn key(endpoint: &Endpoint, session: &str) -> Key {
    (endpoint.label.clone(), session.to_owned())
}

async fn remove_entry(entry: Option<Entry>) {
    if let Some(entry) = entry {
        entry.remove().await;
    }
}
