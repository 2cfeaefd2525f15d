//! Plimsoll's core: it decides how many browser contexts this machine can carry now, and sees to it that every
//! job ends exactly once. It knows no browser and no HTTP; drivers implement its ports.
//!
//! It reads like a book. Each part uses only the parts before it:
//!
//! 1. **words**: [`time`], [`units`], [`shown`], [`id`], [`outcome`], [`duration`], [`shorthand`], [`proxy`], [`step`],
//!    [`flow`], [`job`], [`secrets`], [`capability`], and [`page`], what steps mean inside a page;
//! 2. **policy**: state machines that take time and randomness as arguments and say what to do;
//! 3. **ports**: what a driver, a machine and a keeper of artifacts must offer;
//! 4. **runtime**: thin shells that wait, ask a policy, and act;
//! 5. **perform**: the step engine: what every step of a job means, over a driver's primitives in a page.

pub mod capability;
pub mod duration;
pub mod flow;
pub mod id;
pub mod job;
pub mod outcome;
pub mod page;
pub mod perform;
#[cfg_attr(
    not(feature = "simulation"),
    expect(
        dead_code,
        unreachable_pub,
        reason = "only the simulator and the tests of decisions use all of it"
    )
)]
pub mod policy;
pub mod port;
pub mod proxy;
#[cfg(feature = "settings")]
pub mod quantity;
pub mod runtime;
pub mod secret_mark;
pub mod secrets;
mod selector;
pub mod shorthand;
pub mod shown;
pub mod step;
pub mod time;
pub mod units;
