//! [`EngineError`]: why an engine could not start, or ended with an error.

use std::fmt::Display;

pub use plimsoll_core::outcome::with_causes;

/// Why an engine could not start, or ended with an error. The message names the cause and, where there is one, the
/// remedy; it may have several lines.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A driver could not be made. Nothing was started.
    #[error("{why}")]
    Driver {
        /// The driver's name.
        name: String,
        /// The cause.
        #[source]
        why: Box<Self>,
    },
    /// The settings or the jobs are wrong. Nothing was started.
    #[error("{0}")]
    Usage(String),
    /// The machine lacks something: a browser, a sandbox, memory, disk.
    #[error("{0}")]
    Environment(String),
    /// A bug of Plimsoll.
    #[error("{0}")]
    Bug(String),
}

impl EngineError {
    /// Wrong settings or jobs.
    pub fn usage(why: impl Display) -> Self {
        Self::Usage(why.to_string())
    }

    /// Something that the machine lacks.
    pub fn environment(why: impl Display) -> Self {
        Self::Environment(why.to_string())
    }

    /// A bug.
    pub fn bug(why: impl Display) -> Self {
        Self::Bug(why.to_string())
    }
}
