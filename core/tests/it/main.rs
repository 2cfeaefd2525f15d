//! Tests of the crate through its public API, without a browser: decisions in virtual time, the fleet's loop in paused
//! time. `loom_permit` is a separate program because loom needs every crate built for it.

mod harness;

mod answers;
mod dispatch_model;
mod endings;
mod fleet;
mod flows;
mod incident;
mod losses;
mod openings;
mod words_travel;
