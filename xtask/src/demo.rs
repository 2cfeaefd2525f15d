//! `cargo xtask demo`: the release build at work, on a site of our own.
//!
//! 200 jobs of every kind, 100 contexts wide, with the live bar on this terminal; then what came of them,
//! and the files to open. Ends with plimsoll's exit code.

mod jobs;

use std::io;
use std::path::{Path, PathBuf};

use plimsoll_kit::demo_site;
use plimsoll_kit::site::LOOPBACK;
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

use crate::Failure;
use crate::program::{ProgramError, cargo, program, root, run as run_program, target};
use crate::setup::{self, Purpose};

/// Where everything goes; git ignores it.
const OUT: &str = "plimsoll-demo";
/// Contexts at a time: the default ceiling of `limits.max_contexts`.
const CONCURRENCY: &str = "100";
/// The demonstration is of 100 contexts at a time, so the ceiling is the limit; by default a small machine would find
/// that fewer do the same work sooner.
const POLICY: &str = "limits.policy=fixed";

/// Why there was nothing to show.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error("cannot serve the demonstration site: {0}")]
    Site(io::Error),
    #[error("cannot write the jobs to {}: {source}", path.display())]
    Jobs { path: PathBuf, source: io::Error },
    #[error("cannot listen for Ctrl-C: {0}")]
    Signal(io::Error),
    #[error("plimsoll left no report in {}: {source}", path.display())]
    Report { path: PathBuf, source: io::Error },
}

impl DemoError {
    /// A missing report is a bug of ours; the rest is the machine's.
    pub(crate) fn exit_code(&self) -> u8 {
        if matches!(self, Self::Report { .. }) { 70 } else { crate::LACKING }
    }
}

pub(crate) fn run() -> Result<(), Failure> {
    setup::run(Purpose::Jobs)?;
    run_program(&mut cargo(["build", "--release", "--package", "plimsoll-cli"]))?;

    let out = root().join(OUT);
    let site = demo_site::serve(LOOPBACK).map_err(DemoError::Site)?;
    let jobs = out.join("jobs.jsonl");
    write(&jobs, &jobs::mixed(&site)).map_err(|source| DemoError::Jobs { path: jobs, source })?;

    let interrupts = outlive_interrupts().map_err(DemoError::Signal)?;
    let plimsoll = plimsoll_binary();
    let arguments =
        ["run", "plimsoll-demo/jobs.jsonl", "--out", OUT, "--concurrency", CONCURRENCY, "--set", POLICY];
    let mut command = program(&[plimsoll.to_string_lossy().as_ref()]);
    let ended = run_program(command.args(arguments).current_dir(root()));
    drop(interrupts);

    if let Err(ProgramError::Start { .. }) = ended {
        return Ok(ended?);
    }
    let shown = show(&out);
    ended?;
    Ok(shown?)
}

/// Writes `lines` to `path`; its directory is made if need be. An older report does not survive.
fn write(path: &Path, lines: &str) -> io::Result<()> {
    if let Some(out) = path.parent() {
        match std::fs::remove_dir_all(out) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => std::fs::create_dir_all(out)?,
        }
    }
    std::fs::write(path, lines)
}

/// The release build, where cargo puts it.
fn plimsoll_binary() -> PathBuf {
    root().join(target()).join("release/plimsoll")
}

/// Ctrl-C reaches plimsoll as well, which ends in order; the site and the summary stay for it.
fn outlive_interrupts() -> io::Result<impl Drop> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    {
        let _inside = runtime.enter();
        // The handler stays for as long as the process does, whoever listens.
        drop(signal(SignalKind::interrupt())?);
    }
    Ok(runtime)
}

/// Prints what came of the jobs, from the report.
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
