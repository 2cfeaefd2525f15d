//! [`Source`]: where a layer of settings comes from.

use std::fmt;
use std::path::PathBuf;

/// Where a layer of settings comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Built in.
    Default,
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// `--set KEY=VALUE`; only the key, for the value may be a secret.
    Set(String),
    /// A flag of its own, such as `--concurrency`.
    Flag(&'static str),
    /// A program that filled in [`Settings`](super::Settings).
    Program,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment(name) => write!(f, "the environment variable {name}"),
            Self::Set(key) => write!(f, "--set {key}"),
            Self::Flag(flag) => f.write_str(flag),
            Self::Program => f.write_str("the program's settings"),
        }
    }
}
