//! Runs other programs, with this terminal or without output. A program that ends without success is an error.
#![expect(clippy::disallowed_methods, reason = "xtask runs cargo and apt, whose children it does not own")]

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};

/// Why a program failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProgramError {
    /// The program could not be started.
    #[error("cannot start `{line}`: {source}")]
    Start { line: String, source: io::Error },
    /// The program ended without success.
    #[error("`{line}` ended with {status}")]
    Ended { line: String, status: ExitStatus },
}

impl ProgramError {
    /// The program's own exit code; 1 when it has none to pass on.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Start { .. } => 1,
            Self::Ended { status, .. } => status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1),
        }
    }
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// Cargo's target directory, relative to the root.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from)
}

/// The cargo that runs this program, in the repository's root.
///
/// The variables that cargo sets for this package are removed: build scripts that watch them would run again after each
/// change between `cargo` and `cargo xtask`.
pub(crate) fn cargo<I, S>(args: I) -> Command
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let ours = |name: &OsString| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
    };
    for name in std::env::vars_os().map(|(name, _)| name).filter(ours) {
        command.env_remove(name);
    }
    command.args(args).current_dir(root());
    command
}

/// Any other program with its arguments.
pub(crate) fn program(words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

/// Runs `command` with this terminal.
pub(crate) fn run(command: &mut Command) -> Result<(), ProgramError> {
    let status = command.status().map_err(|source| ProgramError::Start { line: line(command), source })?;
    if status.success() { Ok(()) } else { Err(ProgramError::Ended { line: line(command), status }) }
}

/// Runs `command` and returns its standard output; its messages go to this terminal.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>, ProgramError> {
    let output = command.stderr(Stdio::inherit()).output();
    let Output { status, stdout, .. } =
        output.map_err(|source| ProgramError::Start { line: line(command), source })?;
    if status.success() { Ok(stdout) } else { Err(ProgramError::Ended { line: line(command), status }) }
}

/// Builds the program `name` of the kit, and `plimsoll`, which is its first argument, both for release.
pub(crate) fn release_program(name: &str, flags: &[&str]) -> Result<Command, ProgramError> {
    let build = ["build", "--release", "--package", "plimsoll-cli", "--package", "plimsoll-kit"];
    run(cargo(build).args(flags).args(["--bin", "plimsoll", "--bin", name]))?;
    let release = root().join(target()).join("release");
    let mut built = program(&[&release.join(name).to_string_lossy()]);
    built.arg(release.join("plimsoll")).current_dir(root());
    Ok(built)
}

/// Replaces this process by `command`. Returns only when that is not possible.
pub(crate) fn become_program(command: &mut Command) -> ProgramError {
    let source = command.exec();
    ProgramError::Start { line: line(command), source }
}

/// Whether `command` can be run and succeeds, without its output.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// The command line of `command`, for messages.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or_else(|| command.get_program()).to_string_lossy();
    std::iter::once(name).chain(command.get_args().map(|a| a.to_string_lossy())).collect::<Vec<_>>().join(" ")
}
