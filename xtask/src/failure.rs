//! Why a command failed, and the exit code of that: [`Failure`].

use plimsoll_template::WriteError;

use crate::plugin::PluginError;
use crate::program::ProgramError;
use crate::setup::SetupError;
use crate::sim::SimError;

/// A mistake on the command line, as in the `plimsoll` binary.
const USAGE: u8 = 2;
/// The machine lacks a program or a file.
const LACKING: u8 = 3;

/// Why a command did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error(transparent)]
    Sim(#[from] SimError),
    #[error(transparent)]
    Plugin(#[from] PluginError),
    #[error("cannot store the results of the conformance suite: {0}")]
    Docs(std::io::Error),
    #[error("{0} of the stages failed")]
    Stages(usize),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => USAGE,
            Self::Setup(_) => LACKING,
            Self::Program(e) => e.exit_code(),
            Self::Plugin(PluginError::Build(e)) => e.exit_code(),
            Self::Plugin(
                PluginError::Usage
                | PluginError::Name(_)
                | PluginError::Taken { .. }
                | PluginError::Unknown { .. }
                | PluginError::Write(WriteError::Exists(_)),
            ) => USAGE,
            Self::Plugin(_) | Self::Sim(_) | Self::Docs(_) | Self::Stages(_) => 1,
        }
    }
}
