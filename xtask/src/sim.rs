//! `cargo xtask sim`: the simulator, and the table of planted bugs.
//!
//! The simulator plants bugs *around* the policies. This command plants bugs *inside* them: each is an edit of a copy
//! of their source, which is built and run until an invariant fails. The sources themselves contain no switches for
//! this. `--plant NAME` takes both kinds.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::program::{ProgramError, cargo, root, run as run_program};

/// Why a simulation failed or could not be run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SimError {
    /// The simulator found a violated invariant, or could not be built.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A file could not be read, written or copied.
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    /// The simulator could not be run.
    #[error("cannot run the simulator: {0}")]
    Start(io::Error),
    /// The text that an edit replaces does not occur exactly once.
    #[error("planted bug `{name}`: its text is {times} times in {file}; adapt the table in xtask/src/sim.rs")]
    Stale { name: &'static str, file: &'static str, times: usize },
    /// The copy could not be built or run.
    #[error("planted bug `{name}` could not be run:\n{why}")]
    Broken { name: &'static str, why: String },
    /// A planted bug was not found.
    #[error("not found within {SEEDS} seeds: {0}")]
    Missed(String),
}

/// The number of seeds within which every bug must be found.
const SEEDS: &str = "1000";

/// An edit that plants a bug.
struct Edit {
    name: &'static str,
    what: &'static str,
    /// The file, relative to `core/src/policy/`.
    file: &'static str,
    from: &'static str,
    to: &'static str,
}

const fn edit(
    name: &'static str,
    what: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
) -> Edit {
    Edit { name, what, file, from, to }
}

static EDITS: [Edit; 20] = [
    edit(
        "lifo-queue",
        "the queue is a stack",
        "queue.rs",
        "self.ready.push_back(waiting);",
        "self.ready.push_front(waiting);",
    ),
    edit(
        "retries-dropped-on-stop",
        "the stop forgets jobs between two attempts",
        "queue.rs",
        "ready.chain(alone).chain(delayed.into_values())",
        "ready.chain(alone).chain(delayed.into_values().filter(|_| false))",
    ),
    edit(
        "expired-jobs-run",
        "only jobs that were held back expire",
        "queue.rs",
        "self.ready.pop_front_if(|waiting| waiting.history.deadline.is_some_and(|deadline| deadline <= now))",
        "None",
    ),
    edit(
        "creating-not-decremented",
        "a creation that fails is counted for ever",
        "dispatch/slots.rs",
        "self.creating -= 1;\n                Some((attempt, Progress::Creating))",
        "Some((attempt, Progress::Creating))",
    ),
    edit(
        "job-lost-with-its-task",
        "a permit that comes back without a word takes its job along",
        "dispatch/ended.rs",
        "self.ended(now, id, AttemptEnd::Failed(fault().at(Stage::Close)));",
        "let _ = fault;",
    ),
    edit(
        "eviction-counted",
        "an evicted attempt counts against its job",
        "dispatch/ended.rs",
        "attempts: number - 1",
        "attempts: number",
    ),
    edit(
        "probe-lost",
        "the permits of an attempt that fails are not recorded",
        "dispatch/ended.rs",
        "self.admission.ended(now, permits, outcome, &mut self.rng);",
        "if matches!(outcome, AttemptOutcome::Succeeded { .. }) { self.admission.ended(now, permits, outcome, &mut self.rng); }",
    ),
    edit(
        "one-attempt-too-many",
        "attempts are compared with > instead of >=",
        "retry.rs",
        "made >= self.attempts",
        "made > self.attempts",
    ),
    edit(
        "hopeless-retries",
        "failures that will be the same again are retried",
        "retry.rs",
        "fault.recurrence == Recurrence::Persistent",
        "false",
    ),
    edit(
        "launch-backoff-ignored",
        "a failed start is tried again at once",
        "launch.rs",
        "self.retry_at().is_none_or(|at| at <= now)",
        "now >= Moment::ZERO",
    ),
    edit(
        "overfull-browser",
        "a browser takes one context more than it may",
        "placement.rs",
        "&& *active < self.config.contexts_per_browser",
        "&& *active <= self.config.contexts_per_browser",
    ),
    edit(
        "retired-counts-as-ready",
        "a browser that is gone still counts as ready",
        "placement.rs",
        "self.alone.remove(&id);\n        self.ready -= 1;",
        "self.alone.remove(&id);",
    ),
    edit(
        "closed-twice",
        "a browser that is being closed is closed again",
        "placement.rs",
        "Phase::Closing => return None,",
        "Phase::Closing => {}",
    ),
    edit(
        "booking-leaked",
        "the memory of a context that is gone stays booked",
        "footprint.rs",
        "self.booked -= held.booked;\n        self.gone.record(",
        "self.gone.record(",
    ),
    edit(
        "pressure-admits",
        "critical pressure does not shut admission",
        "pressure.rs",
        "Self::Critical => (Admission::Shut,",
        "Self::Critical => (Admission::Open,",
    ),
    edit(
        "evicts-in-a-row",
        "the next victim does not wait for the last",
        "pressure/eviction.rs",
        "Self::Waiting { since } => now.since(since) >= GIVE_UP,",
        "Self::Waiting { since } => now.since(since) >= Duration::ZERO,",
    ),
    edit(
        "limit-falls-to-zero",
        "the limit on contexts has no floor",
        "limit/aimd.rs",
        "limit.clamp(1.0, f64::from(self.config.max.max(1)))",
        "limit.min(f64::from(self.config.max.max(1)))",
    ),
    edit(
        "ceiling-forgotten-in-growth",
        "the limit on creations has no ceiling",
        "limit/gradient.rs",
        "next.clamp(1.0, f64::from(self.config.max.max(1)))",
        "next.max(1.0)",
    ),
    edit(
        "old-generation-counts",
        "a breaker counts calls of a state that is gone",
        "breaker.rs",
        "if permit.generation != Generation(self.generation) {",
        "if permit.generation == Generation(u64::MAX) {",
    ),
    edit(
        "probes-in-a-herd",
        "a half-open breaker lets everybody probe",
        "breaker.rs",
        "Some(Refused::Probing { until: verdict_by })",
        "None",
    ),
];

pub(crate) fn run(args: &[String]) -> Result<(), SimError> {
    let docs = root().join("docs/generated");
    match args {
        [flag] if flag == "--plant-table" => table(&docs.join("planted-bugs.md")),
        [flag] if flag == "--control" => Ok(run_program(simulator(None).arg("--control").arg(docs))?),
        args => match inside(args) {
            Some((edit, rest)) => edit.run(&rest),
            None => Ok(run_program(simulator(None).args(args))?),
        },
    }
}

/// The bug inside the policies that `--plant NAME` names, and the other arguments.
fn inside(args: &[String]) -> Option<(&'static Edit, Vec<&String>)> {
    let flag = args.iter().position(|arg| arg == "--plant")?;
    let name = args.get(flag + 1)?;
    let edit = EDITS.iter().find(|edit| edit.name == name)?;
    Some((edit, args.iter().take(flag).chain(args.iter().skip(flag + 2)).collect()))
}

/// The simulator of this repository, or of a copy of it.
fn simulator(copy: Option<&Path>) -> std::process::Command {
    let mut command = cargo(["run", "--quiet", "--release", "--package", "plimsoll-simulator"]);
    if let Some(copy) = copy {
        let [manifest, target] = ["Cargo.toml", "target"].map(|name| OsString::from(copy.join(name)));
        command.arg("--manifest-path").arg(manifest).arg("--target-dir").arg(target);
        // Twenty builds cost more than slow runs, so the build is not optimised further.
        command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1").env("CARGO_PROFILE_RELEASE_DEBUG", "false");
    }
    command.arg("--");
    command
}

fn table(page: &Path) -> Result<(), SimError> {
    let mut text = String::from(
        "# Planted bugs\n\n\
         Written by `cargo xtask sim --plant-table`; do not edit. Each bug is put into the policies, or between them and the\n\
         world, and the simulator runs seed after seed until an invariant fails. A harness that misses the bugs it was\n\
         given proves nothing.\n\n\
         | bug | what is wrong | seeds needed | caught by |\n|---|---|---|---|\n",
    );
    let around = simulator(None).arg("--plant-table").output().map_err(SimError::Start)?;
    text.push_str(&String::from_utf8_lossy(&around.stdout));
    let mut missed: Vec<String> =
        text.lines().filter(|line| line.contains("| none |")).map(str::to_owned).collect();
    let copy = lay_out()?;
    for edit in &EDITS {
        let (seeds, invariant) = edit.find(&copy)?;
        eprint_row(edit.name, &seeds, &invariant);
        if seeds == "none" {
            missed.push(edit.name.to_owned());
        }
        let _infallible = writeln!(text, "| `{}` | {} | {seeds} | `{invariant}` |", edit.name, edit.what);
    }
    fs::write(page, text).map_err(|source| SimError::File { path: page.to_owned(), source })?;
    if missed.is_empty() { Ok(()) } else { Err(SimError::Missed(missed.join(", "))) }
}

fn eprint_row(name: &str, seeds: &str, invariant: &str) {
    eprintln!("{name:<30} {seeds:>5}  {invariant}");
}

impl Edit {
    /// The source with the bug in it.
    fn applied(&self, text: &str) -> Result<String, SimError> {
        match text.matches(self.from).count() {
            1 => Ok(text.replace(self.from, self.to)),
            times => Err(SimError::Stale { name: self.name, file: self.file, times }),
        }
    }

    fn source(&self) -> PathBuf {
        root().join("core/src/policy").join(self.file)
    }

    /// Plants the bug in the copy, runs `work`, and removes the bug again.
    fn planted<T>(&self, copy: &Path, work: impl FnOnce() -> T) -> Result<T, SimError> {
        let original = read(&self.source())?;
        let planted = copy.join("core/src/policy").join(self.file);
        write(&planted, &self.applied(&original)?)?;
        let done = work();
        write(&planted, &original)?;
        Ok(done)
    }

    /// Runs the simulator with the planted bug.
    fn run(&self, args: &[&String]) -> Result<(), SimError> {
        let copy = lay_out()?;
        Ok(self.planted(&copy, || run_program(simulator(Some(&copy)).args(args)))??)
    }

    /// The number of seeds until the bug was found, and the invariant that failed.
    fn find(&self, copy: &Path) -> Result<(String, String), SimError> {
        let run = || simulator(Some(copy)).args(["--brief", "--seeds", SEEDS]).output();
        let run = self.planted(copy, run)?.map_err(SimError::Start)?;
        let told = String::from_utf8_lossy(&run.stdout);
        let told = told.lines().next().and_then(|line| line.split_once(' '));
        let (seeds, invariant) = told.ok_or_else(|| {
            let why = String::from_utf8_lossy(&run.stderr).into_owned();
            SimError::Broken { name: self.name, why }
        })?;
        Ok((seeds.to_owned(), invariant.to_owned()))
    }
}

/// Copies a workspace of core and simulator; returns its directory.
fn lay_out() -> Result<PathBuf, SimError> {
    let copy = root().join("target/planted");
    let manifest = read(&root().join("Cargo.toml"))?;
    let members = |line: &str| {
        let ours = line.starts_with("members = ");
        if ours {
            "members = [\"core\", \"backends/sim\", \"tests/simulator\"]\n".to_owned()
        } else {
            format!("{line}\n")
        }
    };
    write(&copy.join("Cargo.toml"), manifest.lines().map(members).collect::<String>())?;
    write(&copy.join("Cargo.lock"), &read(&root().join("Cargo.lock"))?)?;
    for part in ["core", "backends/sim", "tests/simulator"] {
        let (from, to) = (root().join(part), copy.join(part));
        write(&to.join("Cargo.toml"), &read(&from.join("Cargo.toml"))?)?;
        copy_folder(&from.join("src"), &to.join("src"))?;
    }
    Ok(copy)
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), SimError> {
    let failed = |source| SimError::File { path: from.to_owned(), source };
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            let bytes = fs::read(entry.path()).map_err(failed)?;
            write(&target, bytes)?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, SimError> {
    fs::read_to_string(path).map_err(|source| SimError::File { path: path.to_owned(), source })
}

/// Writes a file unless its content is the same: cargo rebuilds for newer files.
fn write(path: &Path, bytes: impl AsRef<[u8]>) -> Result<(), SimError> {
    let failed = |source| SimError::File { path: path.to_owned(), source };
    if fs::read(path).is_ok_and(|before| before == bytes.as_ref()) {
        return Ok(());
    }
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
    fs::write(path, bytes).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bug_can_still_be_planted() {
        for edit in &EDITS {
            let text = read(&edit.source()).expect("the policy has its file");
            if let Err(stale) = edit.applied(&text) {
                panic!("{stale}");
            }
        }
    }
}
