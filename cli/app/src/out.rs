//! What `plimsoll run --out DIR` leaves behind.
//!
//! [`OutDir`] makes the directory before the first job runs. While jobs run, [`ResultsWriter`] gives each ended job its
//! line, [`Artifacts`] keeps pictures and PDFs where no job's id can lead them astray, and [`Tally`], [`History`] and
//! [`ChangeLog`] keep, in bounded memory, what the end will be told from. At the end a [`Report`] is made of these and
//! [`OutDir::finish`] writes it twice: as `report.json` for programs and as `report.html`, one self-contained page, for
//! people.
//!
//! When writing fails, the error names the file and the remedy; lines and artifacts written before stay whole.

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

pub use artifacts::Artifacts;
pub use changes::{ChangeKind, ChangeLog};
pub use dir::{Files, OutDir, OutError};
pub use history::{History, Sample};
pub use report::{Report, RunFigures};
pub use results::ResultsWriter;
pub use spread::Spread;
pub use tally::Tally;

/// A time span as reports carry it: seconds, to the millisecond.
fn seconds(span: std::time::Duration) -> f64 {
    (span.as_secs_f64() * 1000.0).round() / 1000.0
}
