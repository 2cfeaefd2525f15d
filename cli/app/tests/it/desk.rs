//! The directory in which tests run the program.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A second of processor time and 100 MB of its own memory: the system ends a process that needs more.
const WITHIN_LIMITS: &str = r#"ulimit -t 1; ulimit -d 102400; exec "$0" "$@""#;

/// A temporary directory for wrong settings.
pub(crate) struct Desk(TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("a file in it");
    }

    #[expect(clippy::disallowed_methods, reason = "it ends by itself, or the system ends it")]
    pub(crate) fn run(&self, args: &[&str], environment: &[(&OsStr, &OsStr)]) -> Output {
        let program = env!("CARGO_BIN_EXE_plimsoll");
        let mut command = Command::new("sh");
        command.args(["-c", WITHIN_LIMITS, program]).args(args).current_dir(self.0.path());
        without_settings(&mut command);
        command.envs(environment.iter().copied()).output().expect("a shell")
    }
}

/// Keeps the settings of the environment of the tests from a program that is started.
pub(crate) fn without_settings(command: &mut Command) {
    let names = std::env::vars_os().map(|(name, _)| name);
    for name in names.filter(|name| name.as_bytes().starts_with(b"PLIMSOLL_")) {
        command.env_remove(name);
    }
}
