//! The runtime: thin shells that wait, ask a policy, and act.

mod attempt;
pub mod budget;
pub mod clock;
pub mod fleet;
mod monitor;
pub mod opening;
mod permit;
pub mod snapshot;
pub mod supervisor;
