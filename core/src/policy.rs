//! Policies: pure state machines. No clock, no tokio, no I/O; time and randomness are arguments.
//!
//! The modules are private. Drivers and the engine use the types that are re-exported here: the rules of a fleet, the readings
//! of a machine, announcements, and the breaker. The simulator and the tests of decisions need the machines themselves, which
//! the feature `simulation` re-exports too.

// how long to wait before the next try
pub(crate) mod backoff;

// what the calls of the last seconds said
pub(crate) mod window;

// the incident's failure counter
pub(crate) mod leaky;

// stop calling what keeps failing
pub(crate) mod breaker;

// maps the end of an attempt to verdicts for breakers
pub(crate) mod blame;

// a breaker for each browser, proxy and host
pub(crate) mod scopes;

// how close the machine is to going under
pub(crate) mod pressure;

// how many contexts may be created, and be active, at once
pub(crate) mod limit;

// will one more context fit into memory
pub(crate) mod footprint;

// announces a repeated event once in a while, with the number of the others
pub(crate) mod warning;

// may this slot's browser be started again
pub(crate) mod restart;

// retries as a share of first attempts
pub(crate) mod retry_budget;

// each job ends exactly once
pub(crate) mod ledger;
// whether a failed attempt is made again
pub(crate) mod retry;
// where jobs wait
pub(crate) mod queue;
// which browser holds the next context
pub(crate) mod placement;
// when the next browser may be started after starts have failed
pub(crate) mod launch;
// may one more context start now
pub(crate) mod admission;
// the fleet's decisions, of all of the above
pub(crate) mod dispatch;

// the face: what drivers, the engine and observers need
pub use admission::{AdmissionConfig, Announcement, LimitPolicy, Wait};
pub use backoff::Backoff;
pub use breaker::{Breaker, BreakerConfig, BreakerPermit, Change, Rates, Rule, TripReason};
pub use dispatch::{DispatchConfig, Peaks};
pub use footprint::{Estimate, FootprintConfig};
pub use leaky::LeakyConfig;
pub use ledger::Counts;
pub use limit::aimd::AimdConfig;
pub use limit::gradient::GradientConfig;
pub use placement::PlacementConfig;
pub use pressure::{
    Disk, Level, Lines, MemoryUse, PressureConfig, PressureProfile, Reading, Sensed, Stall, Tally, Trim,
};
pub use restart::RestartIntensity;
pub use retry::RetryPolicy;
pub use retry_budget::RetryBudgetConfig;
pub use scopes::{BreakerPolicy, BreakerProfile, BreakerSettings, Scope, ScopesConfig};
pub use warning::WarningConfig;
pub use window::Verdict;

// for the simulator and the tests of decisions
#[cfg(feature = "simulation")]
pub use self::{
    admission::{STARVED_AFTER, STARVED_AFTER_EMERGENCY},
    breaker::State,
    dispatch::{Action, AttemptEnd, Dispatch, Event},
    footprint::Footprint,
    limit::MAX_CONTEXTS,
    placement::Placement,
    pressure::Pace,
    scopes::Scopes,
};
