//! Policies: pure state machines. No clock, no tokio, no I/O; time and randomness are arguments.

// how long to wait before the next try
pub mod backoff;

// what the calls of the last seconds said
pub mod window;

// the incident's failure counter
pub mod leaky;

// stop calling what keeps failing
pub mod breaker;

// maps the end of an attempt to verdicts for breakers
pub mod blame;

// a breaker for each browser, proxy and host
pub mod scopes;

// how close the machine is to going under
pub mod pressure;

// how many contexts may be created, and be active, at once
pub mod limit;

// will one more context fit into memory
pub mod footprint;

// announces a repeated event once in a while, with the number of the others
pub mod warning;

// may this slot's browser be started again
pub mod restart;

// retries as a share of first attempts
pub mod retry_budget;

// each job ends exactly once
pub mod ledger;
// whether a failed attempt is made again
pub mod retry;
// where jobs wait
pub mod queue;
// which browser holds the next context
pub mod placement;
// when the next browser may be started after starts have failed
pub mod launch;
// may one more context start now
pub mod admission;
// the fleet's decisions, of all of the above
pub mod dispatch;
