//! Why a browser or the program that drives it did not start.

use std::error::Error;
use std::io;
use std::time::Duration;

use plimsoll_core::outcome::{FailureClass, Fault, with_causes};

use crate::identity::Identity;
use crate::profile::ProfileError;
use crate::spawn::SpawnError;
use crate::tree::{Exit, ProcessTree};

/// Why a launch failed, by its stage. `name` is the program that was started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// No profile directory could be created.
    #[error("there is no profile directory")]
    Profile(#[from] ProfileError),
    /// No pipe could be created.
    #[error("there is no pipe to a new process; is this process at its limit (`ulimit -n`)?")]
    Pipe(#[source] io::Error),
    /// No process could be started.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// The process ended before it answered.
    #[error("{name} ended with {exit} before it answered; its last words: {words}")]
    Died {
        /// The program that was started.
        name: &'static str,
        /// How it ended.
        exit: Exit,
        /// The last lines of its log.
        words: String,
    },
    /// The process found no usable sandbox.
    #[error(
        "the browser found no usable sandbox as {identity}; let it create user namespaces (in a container: a seccomp profile that allows `clone` and `unshare` with CLONE_NEWUSER), or, if every page is trusted, turn this driver's `sandbox` off"
    )]
    NoSandbox {
        /// The user that it ran as.
        identity: Identity,
    },
    /// The process runs, but did not answer in time.
    #[error("{name} did not answer within {after:?} of its start; its last words: {words}")]
    Silent {
        /// The program that was started.
        name: &'static str,
        /// The time that it was given.
        after: Duration,
        /// The last lines of its log.
        words: String,
    },
    /// The process gave a wrong answer.
    #[error("{name} cannot be driven")]
    Refused {
        /// The program that was started.
        name: &'static str,
        /// The error in its answer.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl LaunchError {
    /// The error of a process that has ended, or is about to.
    pub async fn died(name: &'static str, tree: &ProcessTree) -> Self {
        Self::Died { name, exit: tree.wait().await, words: tree.last_words() }
    }

    /// The error of a process that did not answer within `after`.
    #[must_use]
    pub fn silent(name: &'static str, after: Duration, tree: &ProcessTree) -> Self {
        Self::Silent { name, after, words: tree.last_words() }
    }

    /// The error of a process that answered with `source`.
    pub fn refused(name: &'static str, source: impl Error + Send + Sync + 'static) -> Self {
        Self::Refused { name, source: Box::new(source) }
    }
}

impl From<LaunchError> for Fault {
    fn from(error: LaunchError) -> Self {
        use io::ErrorKind::{NotFound, PermissionDenied};
        let message = with_causes(&error);
        match error {
            LaunchError::Died { words, .. } | LaunchError::Silent { words, .. }
                if lacks_resources(&words) =>
            {
                Self::transient(FailureClass::Overload, message)
            }
            LaunchError::Died { .. } | LaunchError::Silent { .. } | LaunchError::Refused { .. } => {
                Self::transient(FailureClass::BrowserCrash, message)
            }
            LaunchError::NoSandbox { .. } | LaunchError::Profile(_) => {
                Self::persistent(FailureClass::Unsupported, message)
            }
            LaunchError::Spawn(SpawnError::Start { source, .. })
                if matches!(source.kind(), NotFound | PermissionDenied) =>
            {
                Self::persistent(FailureClass::Unsupported, message)
            }
            LaunchError::Pipe(_) | LaunchError::Spawn(_) => Self::transient(FailureClass::Overload, message),
        }
    }
}

/// Whether a program's log says that the system refused it a process, a thread or memory. The texts are those of the C
/// library for `EAGAIN` and `ENOMEM`, which are all that a program passes on.
fn lacks_resources(words: &str) -> bool {
    ["Resource temporarily unavailable", "Cannot allocate memory"]
        .iter()
        .any(|refusal| words.contains(refusal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_without_room_for_its_threads_is_overload() {
        let class = |words: &str| {
            let silent = |words: &str| LaunchError::Silent {
                name: "chromium",
                after: Duration::from_secs(1),
                words: words.to_owned(),
            };
            Fault::from(silent(words)).class
        };
        let crowded =
            "[1:1:ERROR:platform_thread_posix.cc] pthread_create: Resource temporarily unavailable (11)";
        assert_eq!(class(crowded), FailureClass::Overload);
        assert_eq!(class("[1:1:FATAL:zygote] Check failed: "), FailureClass::BrowserCrash);
        for errno in [rustix::io::Errno::AGAIN, rustix::io::Errno::NOMEM] {
            let text = io::Error::from(errno).to_string();
            assert!(lacks_resources(&text), "the library says {text}");
        }
    }
}
