//! How the program ends: every expected failure has an exit code and a message that names the remedy.

use std::fmt;
use std::process::ExitCode;

use plimsoll::EngineError;
// With the causes, for messages that people read.
pub use plimsoll::error::with_causes;

/// The exit codes of the program. Scripts rely on the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All jobs succeeded.
    Success,
    /// Some jobs did not succeed.
    SomeFailed,
    /// Wrong usage or configuration; nothing was started.
    Usage,
    /// The environment lacks something: a browser, a sandbox, disk.
    Environment,
    /// Interrupted; everything was written.
    Interrupted,
    /// A bug of Plimsoll.
    Bug,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Success => 0,
            Exit::SomeFailed => 1,
            Exit::Usage => 2,
            Exit::Environment => 3,
            Exit::Interrupted => 4,
            Exit::Bug => 70,
        })
    }
}

/// A failure of the program itself, ready to be shown.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What happened and what the remedy is; may have several lines.
    pub message: String,
}

impl Failure {
    /// Wrong usage or configuration.
    pub fn usage(why: impl fmt::Display) -> Self {
        Self { exit: Exit::Usage, message: why.to_string() }
    }

    /// Something is missing in the environment.
    pub fn environment(why: impl fmt::Display) -> Self {
        Self { exit: Exit::Environment, message: why.to_string() }
    }

    /// A bug.
    pub fn bug(why: impl fmt::Display) -> Self {
        Self { exit: Exit::Bug, message: format!("{why}\nThis is a bug of Plimsoll's.") }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Driver { why, .. } => Self::from(*why),
            EngineError::Usage(why) => Self::usage(why),
            EngineError::Environment(why) => Self::environment(why),
            EngineError::Bug(why) => Self::bug(why),
        }
    }
}
