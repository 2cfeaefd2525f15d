//! Writes the files of a new crate.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file of the new crate: its path within the crate, and its text.
pub type NewFile = (&'static str, String);

/// Why a new crate could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Something has this path already; it is left as it is.
    #[error("{} exists already; choose another name, or remove it", .0.display())]
    Exists(PathBuf),
    /// A file or directory could not be made.
    #[error("cannot write {}: {source}", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// Makes the directory `dir`, which must not exist, and writes the files into it.
///
/// # Errors
/// When `dir` exists, or when it could not be written.
pub fn write(files: &[NewFile], dir: &Path) -> Result<(), WriteError> {
    if let Some(above) = dir.parent() {
        fs::create_dir_all(above).map_err(at(above))?;
    }
    match fs::create_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(WriteError::Exists(dir.to_owned()));
        }
        made => made.map_err(at(dir))?,
    }
    for (path, text) in files {
        let path = dir.join(path);
        path.parent().map_or(Ok(()), fs::create_dir_all).map_err(at(&path))?;
        fs::write(&path, text).map_err(at(&path))?;
    }
    Ok(())
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> WriteError {
    let path = path.to_owned();
    |source| WriteError::File { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_exists_is_left_as_it_is() {
        let above = tempfile::tempdir().expect("a temporary directory");
        let dir = above.path().join("a/b");
        write(&[("c/d.txt", "new".to_owned())], &dir).expect("it can be written");
        assert_eq!(fs::read_to_string(dir.join("c/d.txt")).expect("it is there"), "new");
        let again = write(&[("c/d.txt", "newer".to_owned())], &dir);
        assert!(matches!(again, Err(WriteError::Exists(path)) if path == dir));
        assert_eq!(fs::read_to_string(dir.join("c/d.txt")).expect("it is there"), "new");
    }
}
