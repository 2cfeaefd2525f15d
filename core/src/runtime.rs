//! The runtime: thin shells that wait, ask a policy, and act.

mod attempt;
pub mod budget;
pub mod clock;
mod driver_answer;
pub mod fleet;
mod monitor;
pub mod opening;
mod permit;
mod result_memory;
pub mod snapshot;
pub mod supervisor;
