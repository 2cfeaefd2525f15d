//! The files that `plimsoll run --out DIR` writes.
//!
//! [`OutDir`] checks and makes the directory before the first job runs. While jobs run, [`ResultsWriter`] writes a line for each job
//! that ended, [`Artifacts`] stores pictures and PDFs under names that no job's id can redirect, and [`Tally`],
//! [`History`], [`ChangeLog`] and [`Waits`] gather figures in bounded memory. At the end these make a [`Report`], which
//! [`OutDir::finish`] writes twice: as `report.json` for programs and as `report.html`, one self-contained page, for
//! people.
//!
//! When writing fails, the error names the file and the remedy; lines and artifacts that were written before stay
//! complete.

pub mod artifacts;
pub mod changes;
pub mod dir;
pub mod history;
mod page;
pub mod report;
pub mod results;
pub mod spread;
#[cfg(test)]
mod synthetic;
pub mod tally;
mod thumbnail;
pub mod waits;

pub use artifacts::Artifacts;
pub use changes::{ChangeKind, ChangeLog};
pub use dir::{Files, OutDir, OutError};
pub use history::{History, Sample};
pub use report::{Report, RunFigures};
pub use results::ResultsWriter;
pub use spread::Spread;
pub use tally::Tally;
pub use waits::Waits;

/// A time span as reports carry it: seconds, to the millisecond.
fn seconds(span: std::time::Duration) -> f64 {
    (span.as_secs_f64() * 1000.0).round() / 1000.0
}
