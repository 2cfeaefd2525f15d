//! The directory of one test: job files, output, browsers' profiles; and the check that nothing is left.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::berth::Berth;
use crate::patience;
use crate::processes::{self, Process};
use crate::running::{Ended, Running};

/// The time in which a killed process must be gone from `/proc`.
const GONE: Duration = Duration::from_secs(5);

/// A directory, with the right to start browsers.
#[derive(Debug)]
pub(crate) struct Rig {
    dir: TempDir,
    _berth: Berth,
}

impl Rig {
    pub(crate) fn new() -> Self {
        let berth = Berth::take();
        let dir = tempfile::tempdir().expect("a temporary directory");
        // If the tests run as root, browsers run as another user, who needs access to the profile.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711)).expect("ours");
        Self { dir, _berth: berth }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("the rig's directory is writable");
    }

    /// Writes `jobs.jsonl`.
    pub(crate) fn jobs(&self, jobs: impl IntoIterator<Item = Value>) {
        let lines: Vec<String> = jobs.into_iter().map(|job| format!("{job}\n")).collect();
        self.write("jobs.jsonl", lines.concat());
    }

    /// Starts `plimsoll run` with its own browsers, one attempt per job, and the arguments `more`.
    pub(crate) fn start(&self, jobs: &str, more: &[&str]) -> Running {
        let root = self.setting();
        let ours = ["run", jobs, "--out", "out", "--progress", "none", "--set", &root];
        let args: Vec<&str> =
            ours.iter().chain(&["--set", "retry.attempts=1"]).chain(more).copied().collect();
        Running::start(self.dir.path(), &args)
    }

    /// Runs `jobs.jsonl` to its end.
    pub(crate) fn run(&self, more: &[&str]) -> Ended {
        self.start("jobs.jsonl", more).ended()
    }

    /// Runs the binary with only `args`.
    pub(crate) fn plimsoll(&self, args: &[&str]) -> Ended {
        Running::start(self.dir.path(), args).ended()
    }

    /// The setting that keeps this rig's profiles apart.
    pub(crate) fn setting(&self) -> String {
        format!("profiles.root={}", self.profiles().display())
    }

    /// The directory of browsers' profiles: the default of a program whose temporary files are in this directory.
    pub(crate) fn profiles(&self) -> PathBuf {
        self.path(&format!("plimsoll-{}", rustix::process::geteuid().as_raw()))
    }

    /// The directories of runs, running and ended.
    pub(crate) fn run_dirs(&self) -> Vec<PathBuf> {
        fs::read_dir(self.profiles()).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
    }

    /// Processes of this rig's browsers.
    pub(crate) fn processes(&self) -> Vec<Process> {
        // The command line of a run names the profiles too.
        let mut found = processes::of(&self.profiles());
        found.retain(|process| !process.args.contains("profiles.root="));
        found
    }

    pub(crate) fn browsers(&self) -> Vec<Process> {
        self.processes().into_iter().filter(Process::is_browser).collect()
    }

    /// Asserts that nothing is left of a run that ended.
    #[track_caller]
    pub(crate) fn assert_clean(&self) {
        assert_eq!(self.run_dirs(), Vec::<PathBuf>::new(), "profile directories are left");
        patience::until("no process of the browsers is left", GONE, || self.processes().is_empty());
    }

    /// The bytes of an artifact.
    pub(crate) fn artifact(&self, name: &Value) -> Vec<u8> {
        let name = Path::new("out").join(name.as_str().expect("an artifact's name"));
        fs::read(self.path(name.to_str().expect("plain"))).expect("the artifact is there")
    }
}
