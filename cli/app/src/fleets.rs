//! [`Fleets`]: the fleets of a run, one a driver, watched, stopped and ended as one.
//!
//! Each has limits, breakers and a ledger of its own, for contexts of different drivers cost differently; their shares of
//! `limits.max_contexts` add up to it, so the total holds. A job that went on from one driver to another was submitted to
//! two fleets; in what is shown here it counts once.

use std::future::pending;
use std::sync::Arc;

use futures_util::future::{FutureExt, select_all, try_join_all};
use plimsoll_core::policy::dispatch::Peaks;
use plimsoll_core::policy::ledger::Counts;
use plimsoll_core::runtime::fleet::{Fleet, FleetReport, Stop};
use plimsoll_core::runtime::snapshot::Snapshot;
use plimsoll_core::runtime::supervisor::TaskFailure;
use tokio::sync::watch;

use crate::junction::Junction;

/// Fleets that run side by side.
#[derive(Debug)]
pub struct Fleets {
    members: Vec<Member>,
    junction: Arc<Junction>,
    peaks: Peaks,
}

#[derive(Debug)]
struct Member {
    fleet: Fleet,
    snapshots: watch::Receiver<Snapshot>,
    report: Option<FleetReport>,
}

/// What is to know of fleets.
#[derive(Debug)]
pub enum News {
    /// Their state changed.
    Changed(Box<Snapshot>),
    /// All of them have ended; an error is a bug, a fleet's own task panicked.
    Ended(Result<Box<FleetReport>, TaskFailure>),
}

impl Member {
    /// What completes when it has ended, its report put by, and what completes when its state changed.
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
    /// Takes the running fleets of a junction.
    #[must_use]
    pub fn new(fleets: Vec<Fleet>, junction: Arc<Junction>) -> Self {
        let member = |fleet: Fleet| Member { snapshots: fleet.snapshots(), fleet, report: None };
        Self { members: fleets.into_iter().map(member).collect(), junction, peaks: Peaks::default() }
    }

    /// Asks all of them to stop.
    pub fn stop(&self, how: Stop) {
        self.junction.stop();
        self.members.iter().for_each(|member| member.fleet.stop(how));
    }

    /// Each fleet, in the order of the junction's drivers.
    pub fn iter(&self) -> impl Iterator<Item = &Fleet> {
        self.members.iter().map(|member| &member.fleet)
    }

    /// The next thing to know of them. May be polled in a `select!` loop.
    pub async fn next(&mut self) -> News {
        let (ended, changed): (Vec<_>, Vec<_>) = self.members.iter_mut().map(Member::halves).unzip();
        let ended = try_join_all(ended).map(|all| all.map(drop));
        // A fleet at its end changes no more, and then it is the other half that completes.
        let changed = select_all(changed.into_iter().map(FutureExt::boxed));
        let ended = tokio::select! {
            biased;
            ended = ended => Some(ended),
            _ = changed => None,
        };
        match ended {
            None => News::Changed(Box::new(self.look())),
            Some(Err(panic)) => News::Ended(Err(panic)),
            Some(Ok(())) => News::Ended(Ok(Box::new(self.report()))),
        }
    }

    fn look(&mut self) -> Snapshot {
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
            // The peaks of several fleets need not have been at one time; what was seen was.
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

    /// Counts in which no job that went on to another driver is there twice.
    fn once(&self, jobs: Counts) -> Counts {
        let again = self.junction.fell_back();
        // The junction may be a moment ahead of what the fleets have published.
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
        // Each sees all browsers there are.
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
        unrecorded: one.unrecorded + other.unrecorded,
        launch_error: one.launch_error.or(other.launch_error),
    }
}
