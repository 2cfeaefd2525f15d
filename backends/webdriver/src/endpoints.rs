//! All remote ends of a driver: the choice for each session request, and the total number of sessions.
//!
//! Each session is requested where the load divided by the weight is lowest: first among remote ends that give sessions
//! and have a free slot, then among the others, so a full grid queues requests that no other can take. A refused
//! request goes to the next remote end ([`Endpoints::in_order`]); one with an open breaker is skipped while another is
//! available.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;

use crate::endpoint::Endpoint;
use crate::journal::{Journal, forget_stale};
use crate::settings::WebDriverSettings;

/// The longest time for deleting the session of an ended run.
const DELETION: Duration = Duration::from_secs(10);

/// All remote ends of a driver.
#[derive(Debug)]
pub(crate) struct Endpoints {
    all: Vec<Arc<Endpoint>>,
    pub(crate) journal: Arc<Journal>,
    /// Browsers that are not being closed; each is a share of the remote ends.
    shares: AtomicU32,
}

/// Counts a share until it is dropped.
#[derive(Debug)]
pub(crate) struct EndpointShare(Arc<Endpoints>);

impl Endpoints {
    /// Starts to watch the remote ends in the settings, and to delete the sessions that ended runs left there.
    pub(crate) fn watch(
        settings: &WebDriverSettings,
        journal: Arc<Journal>,
        supervisor: &Supervisor,
        clock: Clock,
    ) -> Arc<Self> {
        let endpoint = |remote| Arc::new(Endpoint::new(remote, settings.breaker.clone(), supervisor, clock));
        let all: Vec<Arc<Endpoint>> = settings.remotes.iter().map(endpoint).collect();
        for endpoint in &all {
            let (endpoint, family) = (Arc::clone(endpoint), settings.family);
            drop(supervisor.spawn("endpoint status", async move { endpoint.poll(family).await }));
        }
        let (ends, past) = (all.clone(), Arc::clone(&journal));
        let owner = supervisor.clone();
        drop(supervisor.spawn("dead runs' sessions", async move { delete_stale(&ends, past, &owner).await }));
        Arc::new(Self { all, journal, shares: AtomicU32::new(0) })
    }

    /// Takes a share, if a remote end answers within `budget`.
    pub(crate) async fn take_share(self: &Arc<Self>, budget: Duration) -> Result<EndpointShare, Fault> {
        let (budget, mut refusal) = (Budget::start(budget), None);
        for endpoint in self.in_order() {
            // A remote end that refuses its status would refuse sessions.
            match endpoint.direct.status(budget.left()).await {
                Ok(_) => {
                    self.shares.fetch_add(1, Ordering::Relaxed);
                    return Ok(EndpointShare(Arc::clone(self)));
                }
                Err(error) => refusal = Some(Fault::from(error)),
            }
        }
        Err(refusal.unwrap_or_else(|| self.nobody()))
    }

    /// The remote ends to request a session from, one after the other; empty when all are down.
    pub(crate) fn in_order(&self) -> Vec<Arc<Endpoint>> {
        let mut ends = self.serving();
        // A remote end without a slot for the browser is used only when no remote end has one.
        if ends.iter().any(|end| end.offers()) {
            ends.retain(|end| end.offers());
        }
        let mut ends: Vec<_> = ends.into_iter().map(|end| (end.is_full(), end.load(), end)).collect();
        ends.sort_by(|(full, load, _), (other_full, other_load, _)| {
            full.cmp(other_full).then(load.total_cmp(other_load))
        });
        ends.into_iter().map(|(_, _, end)| Arc::clone(end)).collect()
    }

    /// The fault when no remote end is up.
    pub(crate) fn nobody(&self) -> Fault {
        let message = format!("no remote end answers ({})", self.last_errors());
        Fault::transient(FailureClass::BrowserCrash, message)
    }

    /// The number of sessions that all serving remote ends can hold for us; `None` when one of them does not report
    /// slots. At least 1: a refused request names the cause, and a request that is never made does not.
    pub(crate) fn slots(&self) -> Option<u32> {
        let serving = self.serving();
        if serving.is_empty() {
            return None;
        }
        serving.iter().map(|endpoint| endpoint.slots()).sum::<Option<u32>>().map(|slots| slots.max(1))
    }

    /// Completes when all remote ends are down; returns the reasons.
    pub(crate) async fn down(&self) -> String {
        loop {
            join_all(self.all.iter().map(|endpoint| endpoint.down())).await;
            // The first may have recovered before the last went down.
            if self.up().is_empty() {
                return self.last_errors();
            }
        }
    }

    /// Whether every share is closed or being closed: the run is ending, or has lost all shares.
    pub(crate) fn has_no_shares(&self) -> bool {
        self.shares.load(Ordering::Relaxed) == 0
    }

    /// Their addresses.
    pub(crate) fn labels(&self) -> String {
        self.all.iter().map(|endpoint| endpoint.label.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// The remote ends that are up and give sessions; if none of these does, all that are up: their state may have changed.
    fn serving(&self) -> Vec<&Arc<Endpoint>> {
        let up = self.up();
        let giving: Vec<_> = up.iter().copied().filter(|endpoint| !endpoint.is_tripped()).collect();
        if giving.is_empty() { up } else { giving }
    }

    fn up(&self) -> Vec<&Arc<Endpoint>> {
        self.all.iter().filter(|endpoint| !endpoint.is_down()).collect()
    }

    /// The last error of each.
    fn last_errors(&self) -> String {
        let errors = self.all.iter().map(|endpoint| format!("{}: {}", endpoint.label, endpoint.last_error()));
        errors.collect::<Vec<_>>().join("; ")
    }
}

impl Drop for EndpointShare {
    fn drop(&mut self) {
        self.0.shares.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Deletes the sessions that ended runs left at these remote ends.
async fn delete_stale(ends: &[Arc<Endpoint>], journal: Arc<Journal>, supervisor: &Supervisor) {
    let looking = supervisor.spawn_blocking("journal", move || {
        let left = journal.left();
        left.into_iter().map(|stale| (stale.records(), stale)).collect::<Vec<_>>()
    });
    for (records, stale) in looking.await.unwrap_or_default() {
        for (path, record) in records {
            let end = ends.iter().find(|end| end.label == record.endpoint);
            let deleted = match end {
                Some(end) => end.direct.end(&record.session, DELETION).await,
                None => {
                    drop(supervisor.spawn_blocking("journal", move || forget_stale(&path)).await);
                    continue;
                }
            };
            match deleted {
                Ok(()) => {
                    tracing::info!(endpoint = record.endpoint, "deleted a session that a dead run had left");
                    drop(supervisor.spawn_blocking("journal", move || std::fs::remove_file(path)).await);
                }
                Err(error) => {
                    tracing::warn!(endpoint = record.endpoint, %error, "cannot delete a session of a dead run");
                    drop(supervisor.spawn_blocking("journal", move || forget_stale(&path)).await);
                }
            }
        }
        drop(supervisor.spawn_blocking("journal", move || stale.clear()).await);
    }
}
