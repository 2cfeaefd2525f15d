//! `demo PLIMSOLL`: runs the program PLIMSOLL on 200 jobs, 100 contexts at a time, against the demonstration site.
//!
//! The directory `plimsoll-demo` gets the jobs and the results. The program shows its progress on this terminal; at the end
//! a summary of its report is printed. The exit code is the program's own, or 3 when the demonstration could not be
//! prepared.
#![expect(clippy::print_stderr, reason = "a command-line program for people; stdout is left to the results")]
#![expect(clippy::disallowed_methods, reason = "the demonstration starts one program and waits for it")]

mod jobs;

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use plimsoll_kit::demo_site;
use plimsoll_kit::site::LOOPBACK;
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

/// The directory of the jobs and the results; git ignores it.
const OUT: &str = "plimsoll-demo";
/// Contexts at a time: the default of `limits.max_contexts`.
const CONCURRENCY: &str = "100";
/// The demonstration shows 100 contexts at a time, so the limits are fixed. Adaptive limits would find that fewer contexts
/// do the same work sooner on a small machine.
const POLICY: &str = "limits.policy=fixed";

/// Why the demonstration could not run.
#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error("name the program: demo PLIMSOLL")]
    Usage,
    #[error("cannot serve the demonstration site: {0}")]
    Site(io::Error),
    #[error("cannot write the jobs to {}: {source}", path.display())]
    Jobs { path: PathBuf, source: io::Error },
    #[error("cannot listen for Ctrl-C: {0}")]
    Signal(io::Error),
    #[error("cannot start {}: {source}", path.display())]
    Start { path: PathBuf, source: io::Error },
    #[error("plimsoll left no report in {}: {source}", path.display())]
    Report { path: PathBuf, source: io::Error },
}

impl DemoError {
    /// A missing report is a bug of plimsoll; every other error is the environment's.
    const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage => 2,
            Self::Report { .. } => 70,
            Self::Site(_) | Self::Jobs { .. } | Self::Signal(_) | Self::Start { .. } => 3,
        }
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

/// Runs the demonstration; returns the program's exit code.
fn run() -> Result<u8, DemoError> {
    let program = std::env::args_os().nth(1).map(PathBuf::from).ok_or(DemoError::Usage)?;
    let out = Path::new(OUT);
    let site = demo_site::serve(LOOPBACK).map_err(DemoError::Site)?;
    let jobs = out.join("jobs.jsonl");
    write(&jobs, &jobs::mixed(&site)).map_err(|source| DemoError::Jobs { path: jobs.clone(), source })?;

    let interrupts = outlive_interrupts().map_err(DemoError::Signal)?;
    let mut command = Command::new(&program);
    command.arg("run").arg(&jobs).args(["--out", OUT, "--concurrency", CONCURRENCY, "--set", POLICY]);
    let ended = command.status().map_err(|source| DemoError::Start { path: program, source })?;
    drop(interrupts);

    let code = ended.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    match show(out) {
        // A program that failed has already printed why there is no report.
        Err(_) if !ended.success() => Ok(code),
        shown => shown.map(|()| code),
    }
}

/// Writes `lines` to `path`, in a new directory without an older report.
fn write(path: &Path, lines: &str) -> io::Result<()> {
    if let Some(out) = path.parent() {
        match std::fs::remove_dir_all(out) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => std::fs::create_dir_all(out)?,
        }
    }
    std::fs::write(path, lines)
}

/// Keeps this process alive on Ctrl-C until the result is dropped. Plimsoll gets the signal as well and ends in order;
/// it needs the site until then.
fn outlive_interrupts() -> io::Result<impl Drop> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    {
        let _inside = runtime.enter();
        // The handler stays installed after the listener is dropped.
        drop(signal(SignalKind::interrupt())?);
    }
    Ok(runtime)
}

/// Prints a summary of the report.
fn show(out: &Path) -> Result<(), DemoError> {
    let path = out.join("report.json");
    let text =
        std::fs::read_to_string(&path).map_err(|source| DemoError::Report { path: path.clone(), source })?;
    let report: Value = serde_json::from_str(&text)
        .map_err(|e| DemoError::Report { path: path.clone(), source: e.into() })?;
    let number = |key: &str| report.get(key).map_or_else(|| "?".to_owned(), Value::to_string);

    eprintln!();
    for key in ["submitted", "succeeded", "failed", "cancelled", "expired", "rejected", "lost"] {
        eprintln!("  {key:<12} {:>6}", number(key));
    }
    for key in ["wall_s", "jobs_per_s", "peak_active", "peak_memory_bytes"] {
        eprintln!("  {key:<18} {}", number(key));
    }
    eprintln!("\nto look at:");
    for file in ["report.html", "results.jsonl", "artifacts/"] {
        eprintln!("  {}", Path::new(OUT).join(file).display());
    }
    Ok(())
}
