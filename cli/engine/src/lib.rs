//! The engine: what `plimsoll run`, the service and other programs stand on.
//!
//! 1. `settings`: what can be set, in layers; `failure`: why the engine could not begin.
//! 2. `decode`, `jobs`: what users write, with clear errors.
//! 3. `compose`: the one place where concrete drivers are named; `carry`: what a run may carry on this machine.
//! 4. `routes`, `demand`: which driver a job goes to, and whether it can do it.

pub mod carry;
pub mod compose;
pub mod decode;
pub mod demand;
pub mod failure;
pub mod jobs;
pub mod routes;
pub mod settings;
