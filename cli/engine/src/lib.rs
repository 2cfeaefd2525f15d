//! The engine: what `plimsoll run`, the service and other programs stand on.
//!
//! 1. `settings`: what can be set, in layers; `failure`: why the engine could not begin.
//! 2. `decode`, `jobs`: what users write, with clear errors.
//! 3. `compose`: the one place where concrete drivers are named; `carry`: what a run may carry on this machine.
//! 4. `routes`, `demand`: which driver a job goes to, and whether it can do it.
//! 5. `blocking_store`, `job_router`, `fleets`: a store on threads of its own; several drivers as one.

pub mod blocking_store;
pub mod carry;
pub mod compose;
pub mod decode;
pub mod demand;
pub mod failure;
pub mod fleets;
pub mod job_router;
pub mod jobs;
pub mod routes;
pub mod settings;
#[cfg(test)]
mod trial;
