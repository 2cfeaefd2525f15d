//! The driver with local drivers, chromedriver and geckodriver: the cases that the driver-independent conformance suite
//! cannot check. Every test ends with its drivers and browsers verified gone: no process, no profile directory.

mod faults;
mod pages;
mod rig;
