//! The limits of this process itself: descriptors, and the threads that it needs to start.

use std::sync::Mutex;
use std::thread;

use plimsoll_host::readings::Resource;
use rustix::process::{Resource as Rlimited, Rlimit};

use crate::capacity::{NPROC, remedy};

/// Threads of this program besides one per core: the thread that starts processes, and a few threads for files.
const OUR_THREADS: usize = 4;

/// This program itself cannot start.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot start the {wanted} threads this program needs: {source}; fix: {}",
    remedy(Resource::Threads, NPROC)
)]
pub struct NoThreads {
    wanted: usize,
    source: std::io::Error,
}

/// The processors this program may use.
#[must_use]
pub fn cores() -> usize {
    thread::available_parallelism().map_or(2, std::num::NonZero::get)
}

/// Raises the soft limit on descriptors of this process to its hard limit, as its browsers do. Soft limits are low
/// because of programs that use `select`; this program does not use it.
pub fn raise_descriptors() {
    let limit = rustix::process::getrlimit(Rlimited::Nofile);
    let raised = rustix::process::setrlimit(Rlimited::Nofile, Rlimit { current: limit.maximum, ..limit });
    if let Err(error) = raised {
        tracing::debug!(%error, "the soft limit on descriptors stays");
    }
}

/// Checks that this program can start the threads it needs: starts them side by side and ends them again.
///
/// # Errors
/// When the system refuses a thread.
pub fn room_for_threads() -> Result<(), NoThreads> {
    let gate = Mutex::new(());
    let closed = gate.lock();
    let wanted = cores() + OUR_THREADS;
    thread::scope(|scope| {
        let _opens_at_the_end = closed;
        for _ in 0..wanted {
            thread::Builder::new()
                .spawn_scoped(scope, || drop(gate.lock()))
                .map_err(|source| NoThreads { wanted, source })?;
        }
        Ok(())
    })
}
