//! Plimsoll's core.

pub mod policy;
pub mod runtime;
pub mod time;
pub mod units;
