//! One suite for all drivers: it checks the port's promises through the port only.
//!
//! ```text
//!   driver      the drivers under test, and how each is made
//!   selenium    a Selenium Grid on this machine
//!   rig         a driver with its browsers, a site that misbehaves, and the proof that nothing is left
//!   tab         a context whose steps are written as jobs write them
//!   case        a case, its verdict, and how a driver that lacks something gets out of it
//!   table       docs/generated/drivers.md: every verdict, kept and compared
//! ```
//!
//! The other modules hold the cases. An expectation is written once, so all passing drivers return equal results. A
//! case does not depend on a driver's capabilities: the first step that needs an undeclared capability must be
//! refused as `unsupported`, which ends the case.
//!
//! `PLIMSOLL_DRIVERS_TABLE=DIR` stores the verdicts there instead of comparing them with the table; `cargo xtask docs
//! drivers` uses this to write the table. `PLIMSOLL_TESTS_WITHOUT` names drivers that this platform lacks.

mod case;
mod driver;
mod rig;
mod selenium;
mod tab;
mod table;

mod cancelling;
mod deadlines;
mod endings;
mod forms;
mod isolation;
mod pages;
mod pointing;
mod proxies;
mod refusals;
mod results;
mod scripts;
mod unicode;
mod waiting;

use case::{Case, fails, late, refused};

/// The cases of a group, suite by suite.
type Group = &'static [(&'static str, &'static [Case])];

/// Steps in a page; the next case reuses the context.
const STEPS: Group = &[
    ("refusals", refusals::CASES),
    ("pages", pages::CASES),
    ("proxies", proxies::CASES),
    ("pointing", pointing::CASES),
    ("forms", forms::CASES),
    ("waiting", waiting::CASES),
    ("scripts", scripts::CASES),
    ("results", results::CASES),
    ("unicode", unicode::CASES),
];
/// Concurrent and successive contexts, and time limits.
const CONTEXTS: Group = &[("isolation", isolation::CASES), ("deadlines", deadlines::CASES)];
/// Normal and abnormal ends. One case at a time, so that leftovers can be attributed.
const ENDINGS: Group = &[("cancelling", cancelling::CASES), ("endings", endings::CASES)];

/// The suite of one driver. It has three tests, so that a driver is not started for each case.
macro_rules! suite {
    ($($(#[$attribute:meta])* $driver:ident;)*) => {$(
        mod $driver {
            use crate::driver;

            #[tokio::test]
            $(#[$attribute])*
            async fn does_every_step() {
                crate::rig::judge(&driver::$driver(), "steps", crate::STEPS).await;
            }

            #[tokio::test]
            $(#[$attribute])*
            async fn keeps_contexts_and_time_apart() {
                crate::rig::judge(&driver::$driver(), "contexts", crate::CONTEXTS).await;
            }

            #[tokio::test]
            $(#[$attribute])*
            async fn ends_as_it_should() {
                crate::rig::judge(&driver::$driver(), "endings", crate::ENDINGS).await;
            }
        }
    )*};
}

suite! {
    cdp;
    chromedriver;
    geckodriver;
    #[ignore = "it takes a Java and the Selenium server: `cargo xtask test --grid`"]
    grid;
    http;
    sim;
}

/// Not a test: the program of a loaded library's process, started by the tests in this binary.
#[test]
#[ignore = "run by the tests, in a process of its own"]
fn plugin_host() {
    let path = std::env::args_os().next_back().map(std::path::PathBuf::from).expect("the last argument");
    let _code = plimsoll_loader::child::run(&path);
}
