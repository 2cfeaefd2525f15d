//! A program that a setting or a variable names by its path, and why a path cannot be started.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A path with its origin, so that an error can name the setting to correct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPath {
    /// The path.
    pub path: PathBuf,
    /// Its origin: the key of a setting, or an environment variable.
    pub origin: &'static str,
}

impl NamedPath {
    /// The path that `origin` names.
    pub fn new(path: impl Into<PathBuf>, origin: &'static str) -> Self {
        Self { path: path.into(), origin }
    }
}

/// Why a path cannot be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathFault {
    /// The path does not exist.
    #[error("does not exist")]
    Missing,
    /// The path is a directory or a device.
    #[error("is not a file; name the binary itself")]
    NotAFile,
    /// It lacks the execute permission.
    #[error("is not executable; `chmod +x` it")]
    NotExecutable,
}

/// Why this file cannot be started; `None` when it can.
pub(crate) fn fault(path: &Path) -> Option<PathFault> {
    match fs::metadata(path) {
        Err(_) => Some(PathFault::Missing),
        Ok(metadata) if !metadata.is_file() => Some(PathFault::NotAFile),
        Ok(metadata) if metadata.permissions().mode() & 0o111 == 0 => Some(PathFault::NotExecutable),
        Ok(_) => None,
    }
}
