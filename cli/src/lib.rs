//! What the `plimsoll` binary is made of.
//!
//! 1. `args`: what can be typed; `settings`: what can be set, in layers; `failure`: how the program ends.
//! 2. `decode`, `jobs`: what users write, with clear errors.
//! 3. `out`: what a run leaves behind; `progress`, `logging`: what it says meanwhile.
//! 4. `compose`: the one place where concrete drivers are named; `carry`: what a run may carry on this machine.
//! 5. `routes`, `demand`: which driver a job goes to, and whether it can do it; `junction`, `fleets`: several drivers as one.
//! 6. `store`, `figures`, `run`, `config`, `doctor`, `drivers`, `manual`: the commands.

pub mod args;
pub mod carry;
pub mod compose;
pub mod config;
pub mod decode;
pub mod demand;
pub mod doctor;
pub mod drivers;
pub mod failure;
pub mod figures;
pub mod fleets;
pub mod jobs;
pub mod junction;
pub mod logging;
pub mod manual;
pub mod out;
pub mod probe;
pub mod progress;
pub mod routes;
pub mod run;
pub mod settings;
pub mod store;
