//! The drivers of this repository in the suite that `plimsoll driver check` runs (`plugins/check`).
//!
//! ```text
//!   driver      the drivers under test, and how each is made
//!   selenium    a Selenium Grid on this machine
//!   judge       the verdicts on a driver, with its known differences applied
//!   table       docs/generated/drivers.md: every verdict, kept and compared
//! ```
//!
//! `PLIMSOLL_DRIVERS_TABLE=DIR` stores the verdicts there instead of comparing them with the table; `cargo xtask docs
//! drivers` uses this to write the table. `PLIMSOLL_TESTS_WITHOUT` names drivers that this platform lacks.

mod driver;
mod judge;
mod selenium;
mod table;

/// The suite of one driver. It has three tests, so that a driver is not started for each case.
macro_rules! suite {
    ($($(#[$attribute:meta])* $driver:ident;)*) => {$(
        mod $driver {
            use crate::driver;

            #[tokio::test]
            $(#[$attribute])*
            async fn does_every_step() {
                crate::judge::judge(&driver::$driver(), "steps", plimsoll_check::suites::STEPS).await;
            }

            #[tokio::test]
            $(#[$attribute])*
            async fn keeps_contexts_and_time_apart() {
                crate::judge::judge(&driver::$driver(), "contexts", plimsoll_check::suites::CONTEXTS).await;
            }

            #[tokio::test]
            $(#[$attribute])*
            async fn ends_as_it_should() {
                crate::judge::judge(&driver::$driver(), "endings", plimsoll_check::suites::ENDINGS).await;
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
