//! Tests the driver with a real browser: the cases that the driver-independent conformance suite cannot check.
//!
//! Browsers run with their sandbox on, as the user that `Identity::for_browsers` chooses. Every test ends with its
//! browsers verified gone: no process and no profile directory is left.

mod faults;
mod pages;
mod rig;
