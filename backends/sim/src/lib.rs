//! The simulator: the production policies on virtual time, against a machine and browsers that misbehave on purpose.
pub mod agenda;
pub mod chance;
pub mod digest;
pub mod fate;
pub mod fault;
pub mod journal;
pub mod news;
pub mod oracle;
pub mod plan;
pub mod plant;
pub mod processor;
pub mod run;
pub mod scenario;
pub mod subject;
pub mod world;
