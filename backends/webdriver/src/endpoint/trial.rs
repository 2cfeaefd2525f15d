//! The breaker of a remote end: each session request is evidence.
//!
//! ```text
//!   Endpoint::trial ──► Trial ── POST /session ──► tell: given, given late, or refused ──► Record (a Breaker)
//!                         └── dropped: no evidence
//! ```
//!
//! An open breaker refuses no request here: while another remote end serves, no session is requested at this one;
//! without another, each request is as good as a probe.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::policy::{Breaker, BreakerConfig, BreakerPermit, Change, Verdict};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::time::Moment;

use super::Endpoint;

/// A session that takes longer to open counts as slow.
const SLOW: Duration = Duration::from_secs(15);

/// The breaker with the clock that it reads.
#[derive(Debug)]
pub(crate) struct Record {
    clock: Clock,
    kept: Mutex<(Breaker, fastrand::Rng)>,
}

/// One session request.
#[derive(Debug)]
pub(crate) struct Trial {
    endpoint: Arc<Endpoint>,
    begun: Moment,
    /// `None` when the breaker is open and takes no evidence.
    permit: Option<BreakerPermit>,
}

impl Record {
    /// A record without history.
    pub(crate) fn new(breaker: BreakerConfig, clock: Clock) -> Self {
        Self { clock, kept: Mutex::new((Breaker::new(breaker), fastrand::Rng::new())) }
    }

    /// Whether other remote ends should be preferred now.
    pub(crate) fn is_tripped(&self) -> bool {
        self.with(|breaker, _| breaker.refusal(self.clock.now()).is_some())
    }

    fn with<T>(&self, call: impl FnOnce(&mut Breaker, &mut fastrand::Rng) -> T) -> T {
        // A breaker is consistent between calls.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (breaker, rng) = &mut *kept;
        call(breaker, rng)
    }
}

impl Trial {
    pub(super) fn begin(endpoint: Arc<Endpoint>) -> Self {
        let begun = endpoint.record.clock.now();
        let answer = endpoint.record.with(|breaker, rng| breaker.try_acquire(begun, rng));
        let trial = Self { endpoint, begun, permit: answer.permit.ok() };
        trial.note(answer.change);
        trial
    }

    /// Records the result; a fault of the job itself is no evidence about the remote end.
    pub(crate) fn tell(mut self, fault: Option<&Fault>) {
        let took = self.endpoint.record.clock.now().since(self.begun);
        self.record(match fault.map(|fault| fault.class) {
            None if took > SLOW => Verdict::Slow,
            None => Verdict::Success,
            Some(FailureClass::Overload | FailureClass::BrowserCrash) => Verdict::Failure,
            Some(_) => Verdict::Ignored,
        });
    }

    fn record(&mut self, verdict: Verdict) {
        let Some(permit) = self.permit.take() else { return };
        let now = self.endpoint.record.clock.now();
        let change = self.endpoint.record.with(|breaker, rng| breaker.record(now, permit, verdict, rng));
        self.note(change);
    }

    fn note(&self, change: Option<Change>) {
        let endpoint = &self.endpoint.label;
        match change {
            Some(Change::Opened { why, .. }) => {
                tracing::warn!(endpoint, %why, "a remote end gives no sessions: its breaker is open");
            }
            Some(Change::HalfOpened) => tracing::info!(endpoint, "a remote end is tried again"),
            Some(Change::Closed) => tracing::info!(endpoint, "a remote end gives sessions again"),
            None => {}
        }
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        self.record(Verdict::Ignored);
    }
}
