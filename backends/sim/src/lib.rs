//! The simulator: the production policies on virtual time, against a machine and browsers that misbehave on purpose.
pub mod agenda;
pub mod chance;
pub mod digest;
pub mod fate;
pub mod fault;
pub mod news;
pub mod plan;
pub mod processor;
pub mod scenario;
pub mod world;
