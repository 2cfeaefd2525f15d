//! What the `plimsoll` binary is made of.
//!
//! 1. `args`: what can be typed; `failure`: exit codes.
//! 2. `out`: what a run leaves behind; `progress`, `logging`: what it says meanwhile.
//! 3. `store`, `figures`, `run`, `config`, `doctor`, `drivers`, `manual`: the commands.

pub mod args;
pub mod config;
pub mod doctor;
pub mod drivers;
pub mod failure;
pub mod figures;
pub mod logging;
pub mod manual;
pub mod out;
pub mod progress;
pub mod run;
pub mod store;
