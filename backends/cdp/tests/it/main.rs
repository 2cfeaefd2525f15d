//! The driver against a real browser: what the port promises, page by nasty page and fault by fault.
//!
//! Browsers run with their sandbox on, as whoever `Identity::for_browsers` says. Every test ends with its browsers
//! verified gone: no process of theirs, no profile directory.

mod faults;
mod pages;
mod rig;
