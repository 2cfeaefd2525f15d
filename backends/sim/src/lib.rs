//! The simulator: the production policies on virtual time, against a machine and browsers that misbehave on purpose.
pub mod agenda;
pub mod chance;
pub mod digest;
pub mod processor;
