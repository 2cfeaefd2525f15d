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
//! Helpers for suites with real browsers: [`berth`] (limits their number), [`patience`] (waits with a time limit) and
//! [`processes`] (reads `/proc`).
//!
//! Each site is a [`Site`](site::Site): it runs on its own thread and runtime, so a test may pause its clock, or
//! block, without stopping the server. Dropping the site closes its port and every connection. The kit depends on no
//! other crate of the workspace.

pub mod bench_page;
pub mod berth;
pub mod dead_port;
pub mod demo_site;
pub mod nasty_site;
pub mod patience;
pub mod processes;
pub mod site;
#[cfg(feature = "tls")]
pub mod tls_site;

mod hits;
#[cfg(test)]
mod plain_client;
