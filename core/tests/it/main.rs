//! The crate through its public face, without a browser: decisions in virtual time, the fleet's loop in paused time.
//! `loom_permit` is a program of its own, since loom needs every crate built for it.

mod harness;

mod dispatch_model;
mod endings;
mod fleet;
mod incident;
mod openings;
mod words_travel;
