//! Why a library was not loaded: [`LoadError`].

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::elf::NotOurs;
use crate::trust::Distrust;

/// Why a library was not loaded, or its driver not made. One sentence each.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file does not exist or is not readable.
    #[error("cannot read the driver library {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The path is a directory, a device or a pipe.
    #[error("{} is no file; name the library itself", .0.display())]
    NotAFile(PathBuf),
    /// Another user could have changed the file.
    #[error("refused to load a driver library that others can change: {0}")]
    Distrusted(#[from] Distrust),
    /// The file is no library for this machine.
    #[error("cannot load {}: {why}", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// The reason.
        why: NotOurs,
    },
    /// The file was replaced while it was being checked.
    #[error("{} was replaced while it was being checked; try again when nobody builds it", .0.display())]
    Swapped(PathBuf),
    /// The dynamic linker refused it.
    #[error("the dynamic linker refuses {}: {why}", path.display())]
    Linker {
        /// The file.
        path: PathBuf,
        /// The reason as text.
        why: String,
    },
    /// The library is not a driver library.
    #[error("{} is no driver library: it does not export a driver (`plimsoll_plugin::export_driver!`)", .0.display())]
    NoSymbol(PathBuf),
    /// The library was built for another version of the interface.
    #[error(
        "{} was built for version {}.{} of the plugin interface, this plimsoll has {}.{}; rebuild it with the SDK of this version",
        path.display(), theirs.0, theirs.1, ours.0, ours.1
    )]
    Abi {
        /// The file.
        path: PathBuf,
        /// The library's version of the interface.
        theirs: (u16, u16),
        /// This program's version of the interface.
        ours: (u16, u16),
    },
    /// The library could not start its runtime.
    #[error("{} could not start its threads; is this process at its limit (`ulimit -u`)?", .0.display())]
    NoInstance(PathBuf),
    /// The library did not answer in time.
    #[error("{} did not answer within {within:?} while {doing}", path.display())]
    Silent {
        /// The file.
        path: PathBuf,
        /// The operation.
        doing: &'static str,
        /// The time limit.
        within: Duration,
    },
    /// The driver's constructor failed.
    #[error("the driver of {} could not be made: {why}", path.display())]
    Constructor {
        /// The file.
        path: PathBuf,
        /// The reason as text.
        why: String,
    },
    /// The child process refused the library; this is its message.
    #[error("{0}")]
    Refused(String),
    /// The child process could not be started or ended before it answered.
    #[error("the process for {} failed: {why}", path.display())]
    Process {
        /// The file.
        path: PathBuf,
        /// The reason.
        why: String,
    },
}
