//! [`Progress`]: shows a run's progress, as a live bar on a terminal, or else as a plain line every few seconds.

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use plimsoll_core::policy::Level;
use plimsoll_core::runtime::snapshot::Snapshot;
use plimsoll_core::shown::{one_line, printable, without_users};

use crate::args::ProgressKind;

/// The time between two plain lines.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// The bar of this process; log lines are written above it.
static BAR: OnceLock<ProgressBar> = OnceLock::new();

/// A way of showing progress.
#[derive(Debug)]
pub enum Progress {
    /// A live bar.
    Bar {
        /// What draws it.
        bar: ProgressBar,
        /// How many jobs there are.
        total: u64,
    },
    /// A line every few seconds.
    Plain {
        /// How many jobs there are.
        total: u64,
        /// When the last line was written, since the fleet began.
        last: Duration,
    },
    /// Nothing is shown.
    Silent,
}

impl Progress {
    /// Begins to show progress over `total` jobs.
    #[must_use]
    pub fn start(kind: ProgressKind, total: u64) -> Self {
        match kind {
            ProgressKind::None => Self::Silent,
            ProgressKind::Auto if !io::stderr().is_terminal() => Self::plain(total),
            ProgressKind::Plain => Self::plain(total),
            ProgressKind::Auto | ProgressKind::Bar => {
                let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(8));
                if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
                    bar.set_style(style.progress_chars("━╸─"));
                }
                Self::Bar { bar: BAR.get_or_init(|| bar).clone(), total }
            }
        }
    }

    /// Shows the fleet's state.
    pub fn update(&mut self, snapshot: &Snapshot) {
        match self {
            Self::Bar { bar, total } => {
                bar.set_position(snapshot.jobs.ended());
                bar.set_prefix(pace(snapshot, *total));
                bar.set_message(one_line(&state(snapshot, *total)));
            }
            Self::Plain { total, last } if snapshot.at.saturating_sub(*last) >= PLAIN_EVERY => {
                *last = snapshot.at;
                let (ended, total) = (snapshot.jobs.ended(), *total);
                say(&format!("{ended}/{total}  {}  {}", pace(snapshot, total), state(snapshot, total)));
            }
            Self::Plain { .. } | Self::Silent => {}
        }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        if let Self::Bar { bar, .. } = self {
            bar.finish_and_clear();
        }
    }

    fn plain(total: u64) -> Self {
        Self::Plain { total, last: Duration::ZERO }
    }
}

const TEMPLATE: &str = "⊖ {bar:36.cyan/dim} {percent:>3}%  {pos}/{len}  {prefix}\n  {wide_msg:.dim}";

/// Writes a message to standard error, above the bar if there is one: without the users of URLs, and without characters
/// that control a terminal.
pub fn say(message: &str) {
    let line = printable(message).into_owned();
    let line = without_users(&line);
    let write = || {
        // A closed standard error is no reason to stop the run.
        let _unheard = writeln!(io::stderr(), "{line}");
    };
    match BAR.get() {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// Writes the answer of a command to standard output, without characters that control a terminal. The types of settings
/// leave their secrets out.
///
/// # Errors
/// When standard output is closed.
pub fn print(text: &str) -> io::Result<()> {
    io::stdout().write_all(printable(text).as_bytes())
}

/// Jobs per second and the time that is left.
fn pace(snapshot: &Snapshot, total: u64) -> String {
    let ended = snapshot.jobs.ended();
    let seconds = snapshot.at.as_secs_f64();
    if ended == 0 || seconds <= 0.0 {
        return "starting".to_owned();
    }
    let rate = ended as f64 / seconds;
    let left = Duration::from_secs_f64((total.saturating_sub(ended) as f64 / rate).min(1e7).round());
    format!("{rate:.1} jobs/s  ETA {}", humantime::format_duration(left))
}

/// How many jobs are in each state, and the state of the machine.
fn state(snapshot: &Snapshot, total: u64) -> String {
    let jobs = &snapshot.jobs;
    let queued = total.saturating_sub(jobs.ended() + jobs.running);
    let mut text = format!("done {} · failed {}", jobs.succeeded, jobs.failed);
    for (count, name) in
        [(jobs.cancelled, "cancelled"), (jobs.expired, "expired"), (jobs.rejected, "rejected")]
    {
        if count > 0 {
            text += &format!(" · {name} {count}");
        }
    }
    text += &format!(
        " · active {} · creating {} · queued {queued} · browsers {}",
        snapshot.active, snapshot.creating, snapshot.browsers
    );
    if let Some(memory) = snapshot.memory {
        text += &format!(" · {memory}");
    }
    if snapshot.pressure > Level::Nominal {
        text += &format!(" · pressure {}", snapshot.pressure);
    }
    if let Some(reason) = &snapshot.waiting_for {
        text += &format!(" · jobs wait: {reason}");
    }
    text
}

#[cfg(test)]
mod tests {
    use plimsoll_core::policy::{Counts, Wait};
    use plimsoll_core::units::Bytes;

    use super::*;

    #[test]
    fn a_line_names_everything_that_is_asked_of_it() {
        let jobs =
            Counts { submitted: 60, running: 20, queued: 20, succeeded: 19, failed: 1, ..Counts::default() };
        let at = Duration::from_secs(2);
        let memory = Some(Bytes::mib(1536));
        let waiting_for = Some(Wait::Active { in_flight: 20, limit: 20 });
        let snapshot = Snapshot {
            at,
            jobs,
            waiting_for,
            active: 22,
            creating: 3,
            browsers: 2,
            memory,
            ..Snapshot::default()
        };
        assert_eq!(pace(&snapshot, 100), "10.0 jobs/s  ETA 8s");
        assert_eq!(
            state(&snapshot, 100),
            "done 19 · failed 1 · active 22 · creating 3 · queued 60 · browsers 2 · 1.50 GiB · jobs wait: 20 contexts are active; the limit is 20"
        );
        assert_eq!(pace(&Snapshot::default(), 100), "starting");
    }
}
