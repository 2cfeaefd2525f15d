//! The driver with drivers that it starts, Chromium's and Firefox's: what the conformance suite, which knows no driver,
//! cannot check. Every test ends with its drivers and browsers verified gone: no process, no profile directory.

mod faults;
mod pages;
mod rig;
