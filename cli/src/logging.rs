//! Where log lines go: to standard error, above the progress bar.

use std::io;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::progress;

/// Begins to log what `PLIMSOLL_LOG` asks for (`warn` unless said otherwise; its syntax is `tracing`'s).
pub fn start() {
    let filter = EnvFilter::try_from_env("PLIMSOLL_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_target(false).without_time();
    // A second start (in tests) changes nothing.
    let _already_started = subscriber.with_ansi(false).with_writer(AboveTheBar).try_init();
}

/// Hands each line to [`progress::say`].
struct AboveTheBar;

/// One line in the making.
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
        progress::say(String::from_utf8_lossy(&self.0).trim_end());
    }
}
