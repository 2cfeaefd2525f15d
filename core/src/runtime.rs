//! The runtime: thin shells that wait, ask a policy, and act.

pub mod clock;
pub mod supervisor;
