//! [`PsiTrigger`]: the kernel wakes us when tasks stall because of memory, so no polling is needed.
//!
//! A line such as `some 150000 2000000` is written to a pressure file; from then on the descriptor becomes ready,
//! with priority data, each time the stalls within a window exceed the line, at most once a window.
//!
//! Failure paths: kernels before 6.4 allow triggers to root only, later kernels allow other users only windows that are
//! multiples of 2 s; containers often hide the files or mount them read-only. Then arming fails with the reason, and
//! polling [`Machine::read`](super::Machine::read) remains.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[cfg(target_os = "linux")]
use std::{fs::OpenOptions, io::Write, os::unix::fs::OpenOptionsExt};
#[cfg(target_os = "linux")]
use tokio::io::{Interest, unix::AsyncFd};

/// Which stalls count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StallKind {
    /// At least one task waited.
    Some,
    /// All tasks waited.
    Full,
}

/// The amount of stalls that fires the trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StallLine {
    /// Which stalls count.
    pub kind: StallKind,
    /// Their total duration within a window.
    pub stalled: Duration,
    /// The window: 0.5 s to 10 s, and for users other than root a multiple of 2 s.
    pub window: Duration,
}

impl Default for StallLine {
    /// 10 % of 2 s, all tasks: where the gauge becomes critical.
    fn default() -> Self {
        Self { kind: StallKind::Full, stalled: Duration::from_millis(200), window: Duration::from_secs(2) }
    }
}

impl fmt::Display for StallLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            StallKind::Some => "some",
            StallKind::Full => "full",
        };
        write!(f, "{kind} {} {}", self.stalled.as_micros(), self.window.as_micros())
    }
}

/// Why there is no trigger, or no trigger any more.
#[derive(Debug, thiserror::Error)]
pub enum TriggerError {
    /// No file was offered, or this is not Linux.
    #[error("no pressure file: stalls are polled instead")]
    NoFile,
    /// The kernel refused; the reason is that of the last file that was tried.
    #[error("cannot arm a trigger on {path}: stalls are polled instead")]
    Refused {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The kernel removed the trigger, as it does when the cgroup is removed.
    #[error("the trigger on {path} is gone: stalls are polled instead")]
    Lost {
        /// The file.
        path: PathBuf,
    },
}

/// An armed trigger; dropping it disarms it.
#[derive(Debug)]
pub struct PsiTrigger {
    path: PathBuf,
    #[cfg(target_os = "linux")]
    file: AsyncFd<std::fs::File>,
}

impl PsiTrigger {
    /// Arms a trigger on the first of these files that allows it.
    ///
    /// # Errors
    /// When none does.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O enabled.
    #[cfg(target_os = "linux")]
    pub fn arm(files: &[PathBuf], line: StallLine) -> Result<Self, TriggerError> {
        let mut refused = TriggerError::NoFile;
        for path in files {
            match Self::arm_one(path, line) {
                Ok(file) => return Ok(Self { path: path.clone(), file }),
                Err(source) => refused = TriggerError::Refused { path: path.clone(), source },
            }
        }
        Err(refused)
    }

    #[cfg(target_os = "linux")]
    fn arm_one(path: &Path, line: StallLine) -> io::Result<AsyncFd<std::fs::File>> {
        let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let mut file = OpenOptions::new().read(true).write(true).custom_flags(nonblocking).open(path)?;
        // One write, with the closing zero that the kernel expects.
        file.write_all(format!("{line}\0").as_bytes())?;
        #[expect(
            deprecated,
            reason = "the replacement is unsafe; what it guards against cannot happen to an owned file"
        )]
        AsyncFd::with_interest(file, Interest::PRIORITY | Interest::ERROR)
    }

    /// Waits until the line is exceeded. May be dropped and called again: no event is lost.
    ///
    /// # Errors
    /// When the trigger is gone.
    #[cfg(target_os = "linux")]
    pub async fn fired(&self) -> Result<(), TriggerError> {
        let lost = || TriggerError::Lost { path: self.path.clone() };
        let mut ready = self.file.ready(Interest::PRIORITY | Interest::ERROR).await.map_err(|_| lost())?;
        if ready.ready().is_error() {
            return Err(lost());
        }
        ready.clear_ready();
        Ok(())
    }

    /// There are no triggers here.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(target_os = "linux"))]
    pub fn arm(_files: &[PathBuf], _line: StallLine) -> Result<Self, TriggerError> {
        Err(TriggerError::NoFile)
    }

    /// Never returns: there are no triggers here.
    ///
    /// # Errors
    /// None.
    #[cfg(not(target_os = "linux"))]
    pub async fn fired(&self) -> Result<(), TriggerError> {
        std::future::pending().await
    }

    /// The file it is armed on, to show as the source of its effects.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.path
    }
}
