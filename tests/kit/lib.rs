//! The test kit: web sites on loopback for suites, benchmarks and `cargo xtask demo`, and helpers of the suites.
//!
//! ```text
//!   demo_site    a site as people build them: pages, a form, a table, pictures
//!   nasty_site   every way a page can misbehave, a route each
//!   bench_page   the one page of the measurements
//!   dead_port    an address that refuses every connection
//!   tls_site     a certificate that nobody signed (feature `tls`)
//! ```
//!
//! [`hostile`] runs the program with one attack of `nasty_site` beside healthy jobs, and says what deviated.
//!
//! Helpers for suites with real browsers: [`berth`] (limits their number), [`patience`] (waits with a time limit) and
//! [`processes`] (reads `/proc`).
//!
//! The sites that `plimsoll driver check` needs, and how a site is served, are in the crate `plimsoll-check`.

pub mod bench_page;
pub mod berth;
pub mod demo_site;
pub mod hostile;
pub mod patience;

#[cfg(feature = "tls")]
pub use plimsoll_check::tls_site;
pub use plimsoll_check::{dead_port, nasty_site, processes, site};
