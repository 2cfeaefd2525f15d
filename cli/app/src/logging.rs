//! Where log lines go: to standard error, above the progress bar.
//!
//! Logging begins before the settings are read, at `warn`; [`set`] then applies their level and format. `PLIMSOLL_LOG`
//! overrides both.

use std::io;
use std::sync::OnceLock;

use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layered, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

use plimsoll_core::shown::one_line;

use crate::progress;
use plimsoll::settings::{LogFormat, LogSettings};

/// Filters events. A filter on `Lines` alone could not be replaced: the new filter would have to be registered.
type Filtered = Layered<reload::Layer<EnvFilter, Registry>, Registry>;
type Lines = Box<dyn Layer<Filtered> + Send + Sync>;

/// Handles that change the log during a run. The subscriber is global, so they are global too.
static CONTROLS: OnceLock<(reload::Handle<EnvFilter, Registry>, reload::Handle<Lines, Filtered>)> =
    OnceLock::new();

/// Starts logging.
pub fn start() {
    let settings = LogSettings::default();
    let (filter, filter_control) = reload::Layer::new(filter(&settings));
    let (lines, lines_control) = reload::Layer::new(lines(&settings));
    // A second start (in tests) changes nothing.
    if tracing_subscriber::registry().with(filter).with(lines).try_init().is_ok() {
        CONTROLS.get_or_init(|| (filter_control, lines_control));
    }
}

/// Applies these settings to the log.
pub fn set(settings: &LogSettings) {
    let Some((filter_control, lines_control)) = CONTROLS.get() else { return };
    let replaced =
        filter_control.reload(filter(settings)).and_then(|()| lines_control.reload(lines(settings)));
    if let Err(error) = replaced {
        tracing::warn!(%error, "the log goes on as it was");
    }
}

fn filter(settings: &LogSettings) -> EnvFilter {
    let asked = EnvFilter::try_from_env("PLIMSOLL_LOG").or_else(|_| EnvFilter::try_new(&settings.level));
    asked.unwrap_or_else(|_| EnvFilter::new("warn"))
}

fn lines(settings: &LogSettings) -> Lines {
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(AboveTheBar);
    match settings.format {
        LogFormat::Text => lines.with_target(false).without_time().boxed(),
        LogFormat::Json => lines.json().boxed(),
    }
}

/// Passes each line to [`progress::say`].
struct AboveTheBar;

/// A line that is not complete yet.
struct Line(Vec<u8>);

impl<'a> MakeWriter<'a> for AboveTheBar {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(Vec::new())
    }
}

impl io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // Text of a page could otherwise look like a line of its own.
        progress::say(&one_line(String::from_utf8_lossy(&self.0).trim_end()));
    }
}
