//! Tests the driver through core's ports, with normal and misbehaving sites.

mod faults;
mod pages;
mod peer;
mod rig;
mod state;
