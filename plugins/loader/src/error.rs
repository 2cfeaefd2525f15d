//! Why a library was not loaded: [`LoadError`].

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::elf::NotOurs;
use crate::trust::Distrust;

/// Why a library was not loaded, or its driver not made. One sentence each.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It is not there, or not for us to read.
    #[error("cannot read the driver library {}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is a directory, a device or a pipe.
    #[error("{} is no file; name the library itself", .0.display())]
    NotAFile(PathBuf),
    /// Somebody else could have put code into it.
    #[error("refused to load a driver library that others can change: {0}")]
    Distrusted(#[from] Distrust),
    /// It is no library for this machine.
    #[error("cannot load {}: {why}", path.display())]
    NotOurs {
        /// Which.
        path: PathBuf,
        /// What it is instead.
        why: NotOurs,
    },
    /// Another file took its place while it was being checked.
    #[error("{} was replaced while it was being checked; try again when nobody builds it", .0.display())]
    Swapped(PathBuf),
    /// The dynamic linker refused it.
    #[error("the dynamic linker refuses {}: {why}", path.display())]
    Linker {
        /// Which.
        path: PathBuf,
        /// What it said.
        why: String,
    },
    /// It is a library, but no driver.
    #[error("{} is no driver library: it does not export a driver (`plimsoll_plugin::export_driver!`)", .0.display())]
    NoSymbol(PathBuf),
    /// It was built for another version of the interface.
    #[error(
        "{} was built for version {}.{} of the plugin interface, this plimsoll has {}.{}; rebuild it with the SDK of this version",
        path.display(), theirs.0, theirs.1, ours.0, ours.1
    )]
    Abi {
        /// Which.
        path: PathBuf,
        /// What it was built for.
        theirs: (u16, u16),
        /// What this program has.
        ours: (u16, u16),
    },
    /// It could not start its runtime.
    #[error("{} could not start its threads; is this process at its limit (`ulimit -u`)?", .0.display())]
    NoInstance(PathBuf),
    /// It did nothing.
    #[error("{} did not answer within {within:?} while {doing}", path.display())]
    Silent {
        /// Which.
        path: PathBuf,
        /// What was asked.
        doing: &'static str,
        /// How long was waited.
        within: Duration,
    },
    /// Its constructor refused.
    #[error("the driver of {} could not be made: {why}", path.display())]
    Constructor {
        /// Which.
        path: PathBuf,
        /// What it said.
        why: String,
    },
    /// Its child process refused the library: the child's own sentence.
    #[error("{0}")]
    Refused(String),
    /// Its child process could not be started or did not live long enough to answer.
    #[error("the process for {} failed: {why}", path.display())]
    Process {
        /// Which.
        path: PathBuf,
        /// How.
        why: String,
    },
}
