//! The driver with drivers that it starts: what the port promises, with Chromium and with Firefox. Every test ends with
//! its drivers and browsers verified gone: no process of theirs, no profile directory.
//!
//! What each step does in a page is the conformance suite's; here is what only this driver can do wrong.

mod faults;
mod pages;
mod rig;
