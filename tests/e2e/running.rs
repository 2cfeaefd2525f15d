//! A run of the binary: [`Running`] until it ends, [`Ended`] afterwards.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use serde_json::Value;

use crate::patience::{self, Stopwatch};

/// The time limit of a run, which no run reaches even on a busy machine.
const AMPLE: Duration = Duration::from_secs(240);

/// A running run. Dropping it kills the process.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    started: Stopwatch,
    dir: PathBuf,
}

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
    out: PathBuf,
}

impl Running {
    /// Starts the binary in `dir`. Of our variables, its environment has only the browser's path and the log filter.
    pub(crate) fn start(dir: &Path, args: &[&str]) -> Self {
        Self::start_program(crate::binary::path(), dir, args)
    }

    /// Starts another program in the same way.
    pub(crate) fn start_program(program: &Path, dir: &Path, args: &[&str]) -> Self {
        let stdout = File::create(dir.join("stdout"));
        Self::start_into(program, stdout.expect("the rig's directory is writable"), dir, args)
    }

    /// Starts a program with this standard output. Its temporary files are in `dir`.
    #[expect(clippy::disallowed_methods, reason = "the one place that starts programs; drop kills them")]
    pub(crate) fn start_into(program: &Path, stdout: File, dir: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("PLIMSOLL_")
                && !["PLIMSOLL_CHROMIUM", "PLIMSOLL_LOG"].contains(&name.as_str())
            {
                command.env_remove(name);
            }
        }
        command.args(args).current_dir(dir).env("TMPDIR", dir).stdin(Stdio::null());
        let stderr = File::create(dir.join("stderr")).expect("the rig's directory is writable");
        let child = command.stdout(stdout).stderr(stderr).spawn();
        let (child, started) = (child.expect("the program starts"), Stopwatch::start());
        Self { child, started, dir: dir.to_owned() }
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a pid")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid()).expect("a pid");
        rustix::process::kill_process(pid, signal).expect("it has not been waited for");
    }

    /// Lines of results so far.
    pub(crate) fn lines(&self) -> usize {
        let written = fs::read(self.dir.join("out/results.jsonl")).unwrap_or_default();
        written.iter().filter(|byte| **byte == b'\n').count()
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn ended(self) -> Ended {
        self.ended_within(AMPLE)
    }

    /// Waits for its end; panics with its output when the time is over.
    #[track_caller]
    pub(crate) fn ended_within(mut self, patience: Duration) -> Ended {
        let read = |name| fs::read_to_string(self.dir.join(name)).unwrap_or_default();
        let mut status = None;
        let ended = patience::within(patience, || {
            status = self.child.try_wait().expect("a child of ours");
            status.is_some()
        });
        assert!(ended.is_some(), "no end within {patience:?}, {} lines\n{}", self.lines(), read("stderr"));
        Ended {
            status: status.expect("it just ended"),
            stdout: read("stdout"),
            stderr: read("stderr"),
            took: self.started.elapsed(),
            out: self.dir.join("out"),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The process may have ended; its browsers end with their pipes.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// The exit code; `None` after a signal.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Panics with its output unless it ended with `code`.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        let lines = fs::read_to_string(self.out.join("results.jsonl")).unwrap_or_default();
        let failed: Vec<_> =
            lines.lines().filter(|line| !line.contains(r#""outcome":"succeeded""#)).collect();
        assert_eq!(self.code(), Some(code), "{}\n{}", self.stderr, failed.join("\n"));
        self
    }

    /// Every line of `results.jsonl`.
    pub(crate) fn results(&self) -> Vec<Value> {
        parsed(&fs::read_to_string(self.out.join("results.jsonl")).expect("results were written"))
    }

    /// The one line of job `id`.
    #[track_caller]
    pub(crate) fn result(&self, id: &str) -> Value {
        let mut lines: Vec<_> = self.results().into_iter().filter(|line| line["id"] == id).collect();
        assert_eq!(lines.len(), 1, "job {id} has exactly one line: {lines:?}");
        lines.remove(0)
    }

    pub(crate) fn report(&self) -> Value {
        let text = fs::read_to_string(self.out.join("report.json")).expect("a report was written");
        serde_json::from_str(&text).expect("the report is JSON")
    }
}

/// Lines of JSON.
pub(crate) fn parsed(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}
