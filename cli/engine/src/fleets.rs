//! [`Fleets`]: the fleets of a run, one for each driver, which are watched, stopped and ended as one.
//!
//! Each fleet has its own limits, breakers and ledger, because a context costs more with some drivers than with others.
//! The fleets' shares add up to `limits.max_contexts`. A job that fell back from one driver to another was submitted to
//! two fleets; the snapshots and the report made here count the job once.

use std::future::pending;
use std::sync::Arc;

use futures_util::future::{FutureExt, select_all, try_join_all};
use plimsoll_core::policy::{Counts, Peaks};
use plimsoll_core::runtime::fleet::{Fleet, FleetReport, Stop};
use plimsoll_core::runtime::snapshot::Snapshot;
use plimsoll_core::runtime::supervisor::TaskFailure;
use tokio::sync::watch;

use crate::job_router::JobRouter;

/// Fleets that run side by side.
#[derive(Debug)]
pub(crate) struct Fleets {
    members: Vec<Member>,
    /// Absent when there is one fleet.
    router: Option<Arc<JobRouter>>,
    peaks: Peaks,
}

#[derive(Debug)]
struct Member {
    fleet: Fleet,
    snapshots: watch::Receiver<Snapshot>,
    report: Option<FleetReport>,
}

/// What happened to the fleets.
#[derive(Debug)]
pub(crate) enum FleetsEvent {
    /// Their state changed.
    Changed(Box<Snapshot>),
    /// All fleets have ended. An error is a bug: a fleet's own task panicked.
    Ended(Result<Box<FleetReport>, TaskFailure>),
}

impl Member {
    /// A future that completes when the fleet has ended and its report is stored, and one that completes when its state
    /// has changed.
    fn halves(&mut self) -> (impl Future<Output = Result<(), TaskFailure>>, impl Future<Output = ()> + Send) {
        let Self { fleet, snapshots, report } = self;
        let ended = async {
            if report.is_none() {
                *report = Some(fleet.ended().await?);
            }
            Ok(())
        };
        let changed = async {
            if snapshots.changed().await.is_err() {
                pending::<()>().await;
            }
        };
        (ended, changed)
    }
}

impl Fleets {
    /// Takes running fleets, and the router in front of their store when there are several fleets.
    #[must_use]
    pub(crate) fn new(fleets: Vec<Fleet>, router: Option<Arc<JobRouter>>) -> Self {
        let member = |fleet: Fleet| Member { snapshots: fleet.snapshots(), fleet, report: None };
        Self { members: fleets.into_iter().map(member).collect(), router, peaks: Peaks::default() }
    }

    /// Asks all fleets to stop.
    pub(crate) async fn stop(&self, how: Stop) {
        match (&self.router, how) {
            (None, _) => {}
            (Some(router), Stop::Drain(_)) => router.drain().await,
            (Some(router), Stop::After(_) | Stop::Now) => router.stop(),
        }
        self.members.iter().for_each(|member| member.fleet.stop(how));
    }

    /// Each fleet, in the order of the routes' drivers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Fleet> {
        self.members.iter().map(|member| &member.fleet)
    }

    /// Waits for the next change or for the end. May be polled in a `select!` loop.
    pub(crate) async fn next(&mut self) -> FleetsEvent {
        let (ended, changed): (Vec<_>, Vec<_>) = self.members.iter_mut().map(Member::halves).unzip();
        let ended = try_join_all(ended).map(|all| all.map(drop));
        // A fleet that has ended changes no more; then the other future completes.
        let changed = select_all(changed.into_iter().map(FutureExt::boxed));
        let ended = tokio::select! {
            biased;
            ended = ended => Some(ended),
            _ = changed => None,
        };
        match ended {
            None => FleetsEvent::Changed(Box::new(self.sample())),
            Some(Err(panic)) => FleetsEvent::Ended(Err(panic)),
            Some(Ok(())) => FleetsEvent::Ended(Ok(Box::new(self.report()))),
        }
    }

    fn sample(&mut self) -> Snapshot {
        let now = self.snapshot();
        self.peaks.active = self.peaks.active.max(now.active);
        self.peaks.creating = self.peaks.creating.max(now.creating);
        now
    }

    fn report(&mut self) -> FleetReport {
        let alone = self.members.len() == 1;
        let reports = self.members.iter_mut().filter_map(|member| member.report.take());
        let mut all = reports.reduce(join).unwrap_or_default();
        if !alone {
            // The fleets may have peaked at different times, so the peaks are those of the joint snapshots.
            all.peaks = self.peaks;
        }
        all.jobs = self.once(all.jobs);
        all
    }

    fn snapshot(&mut self) -> Snapshot {
        let now = self.members.iter_mut().map(|member| member.snapshots.borrow_and_update().clone());
        let mut all = now.reduce(beside).unwrap_or_default();
        all.jobs = self.once(all.jobs);
        all
    }

    /// Counts in which a job that fell back to another driver occurs once.
    fn once(&self, jobs: Counts) -> Counts {
        let again = self.router.as_ref().map_or(0, |router| router.fell_back());
        // The router's count may be newer than the counts that the fleets have published.
        Counts {
            submitted: jobs.submitted.saturating_sub(again),
            failed: jobs.failed.saturating_sub(again),
            ..jobs
        }
    }
}

fn sum(one: Counts, other: Counts) -> Counts {
    Counts {
        submitted: one.submitted + other.submitted,
        queued: one.queued + other.queued,
        running: one.running + other.running,
        succeeded: one.succeeded + other.succeeded,
        failed: one.failed + other.failed,
        cancelled: one.cancelled + other.cancelled,
        expired: one.expired + other.expired,
        rejected: one.rejected + other.rejected,
        dropped: one.dropped + other.dropped,
    }
}

fn beside(one: Snapshot, other: Snapshot) -> Snapshot {
    let mut blind = one.blind;
    blind.extend(other.blind.into_iter().filter(|signal| !blind.contains(signal)).collect::<Vec<_>>());
    Snapshot {
        at: one.at.max(other.at),
        jobs: sum(one.jobs, other.jobs),
        active: one.active + other.active,
        creating: one.creating + other.creating,
        browsers: one.browsers + other.browsers,
        launching: one.launching + other.launching,
        browser_restarts: one.browser_restarts + other.browser_restarts,
        active_limit: one.active_limit + other.active_limit,
        creation_limit: one.creation_limit + other.creation_limit,
        pressure: one.pressure.max(other.pressure),
        blind,
        // Each fleet measures all browsers.
        memory: one.memory.max(other.memory),
        breaker_trips: one.breaker_trips + other.breaker_trips,
        waiting_for: one.waiting_for.or(other.waiting_for),
        peak_active: one.peak_active + other.peak_active,
        peak_creating: one.peak_creating + other.peak_creating,
        panics: one.panics + other.panics,
    }
}

fn join(one: FleetReport, other: FleetReport) -> FleetReport {
    FleetReport {
        jobs: sum(one.jobs, other.jobs),
        attempts: one.attempts + other.attempts,
        peaks: one.peaks,
        wall: one.wall.max(other.wall),
        browser_restarts: one.browser_restarts + other.browser_restarts,
        breaker_trips: one.breaker_trips + other.breaker_trips,
        browsers_left: one.browsers_left.into_iter().chain(other.browsers_left).collect(),
        panics: one.panics + other.panics,
        store_error: one.store_error.or(other.store_error),
        released: one.released + other.released,
        unrecorded: one.unrecorded + other.unrecorded,
        launch_error: one.launch_error.or(other.launch_error),
        counters: one.counters.into_iter().chain(other.counters).collect(),
    }
}
