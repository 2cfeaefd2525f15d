//! The parts of the `plimsoll` binary.
//!
//! 1. `args`: the command line; `failure`: exit codes.
//! 2. `out`: the files that a run writes; `progress`, `logging`: its output to standard error.
//! 3. `store`, `figures`, `run`, `config`, `doctor`, `drivers`, `driver_check`, `manual`: the commands.

pub mod args;
pub mod config;
pub mod doctor;
pub mod driver;
pub mod driver_check;
pub mod drivers;
pub mod failure;
pub mod figures;
pub mod logging;
pub mod manual;
pub mod out;
pub mod progress;
pub mod result_stream;
pub mod run;
pub mod store;
