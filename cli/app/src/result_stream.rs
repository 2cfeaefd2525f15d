//! Standard output as the stream of results, which nothing else may write to.
//!
//! A driver library that runs in this process shares its descriptors, and may print. So the stream is moved to a
//! descriptor that only its holder knows, and what is printed from then on goes to standard error.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;

/// Takes standard output for results. To be called before a library is loaded.
///
/// # Errors
/// When there is no descriptor left.
pub fn claim() -> io::Result<File> {
    let stream = io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok(stream.into())
}
