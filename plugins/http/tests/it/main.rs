//! The driver through core's ports, against sites that behave and sites that do not.

mod faults;
mod pages;
mod peer;
mod rig;
mod state;
