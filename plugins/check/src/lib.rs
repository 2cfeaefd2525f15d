//! One suite for all drivers: it checks the port's promises through the port only. `plimsoll driver check` runs it on any
//! driver, the tests run it on the drivers of this repository.
//!
//! ```text
//!   machine   what a driver is made from, and who makes it
//!   rig       a driver with its browsers, a site that misbehaves, and the proof that nothing is left
//!   tab       a context whose steps are written as jobs write them
//!   suites    the cases
//!   run       cases, one after another or side by side ──► a verdict each
//!   coverage  what the verdicts say of each capability that the driver declares
//! ```
//!
//! An expectation is written once, so all passing drivers return equal results. A case asks only for what the driver
//! declares: the first step that needs an undeclared capability must be refused as `unsupported`, which ends the case.
//!
//! A case asserts as a test does. A failed assertion is a panic, which `case` catches and turns into a verdict.
//!
//! The sites are here too: [`nasty_site`] has a route for each way in which a page or a server can misbehave. Each site
//! is a [`Site`](site::Site): it runs on its own thread and runtime, so a test may pause its clock, or block, without
//! stopping the server. Dropping the site closes its port and every connection.

pub mod coverage;
pub mod dead_port;
pub mod machine;
pub mod nasty_site;
pub mod plain_client;
pub mod processes;
pub mod rig;
pub mod run;
pub mod site;
pub mod suites;
#[cfg(feature = "tls")]
pub mod tls_site;
pub mod verdict;

mod case;
mod faults;
mod flow;
mod hits;
mod tab;
mod uses;
