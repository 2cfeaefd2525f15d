//! What the `plimsoll` binary is made of.
//!
//! 1. `args`: what can be typed; `settings`: what can be set, in layers; `failure`: how the program ends.
//! 2. `decode`, `jobs`: what users write, with clear errors.
//! 3. `out`: what a run leaves behind; `progress`, `logging`: what it says meanwhile.
//! 4. `compose`: the one place where concrete drivers are named; `carry`: what a run may carry on this machine.
//! 5. `store`, `figures`, `run`, `config`, `doctor`: the commands.

pub mod args;
pub mod carry;
pub mod compose;
pub mod config;
pub mod decode;
pub mod doctor;
pub mod failure;
pub mod figures;
pub mod jobs;
pub mod logging;
pub mod out;
pub mod probe;
pub mod progress;
pub mod run;
pub mod settings;
pub mod store;
