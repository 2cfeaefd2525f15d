//! Finds the programs besides Chromium that drivers need.
//!
//! As with browsers ([`crate::browser`]), a path named by the caller or an environment variable takes precedence and
//! must be correct; otherwise the first program on `PATH` is used, then the first in a known place. A link is followed.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::executable::{NamedPath, PathFault, fault};

/// A program that is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Its name.
    pub name: &'static str,
    /// The environment variable that may name it.
    pub variable: &'static str,
    /// Names looked for on `PATH`.
    pub names: &'static [&'static str],
    /// The files that packages install.
    pub places: &'static [&'static str],
    /// The remedy if it is missing.
    pub remedy: &'static str,
}

/// Why the program was not found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// The program that was named cannot be started.
    #[error("the {name} {} named by {origin} {fault}", path.display())]
    Named {
        /// Its name.
        name: &'static str,
        /// The path that was named.
        path: PathBuf,
        /// The setting or variable that names it.
        origin: &'static str,
        /// What is wrong with it.
        fault: PathFault,
    },
    /// No program was named and none is installed.
    #[error("no {name} found on PATH or in a known place; {remedy}, or name it in {variable}")]
    NotFound {
        /// Its name.
        name: &'static str,
        /// The variable that may name it.
        variable: &'static str,
        /// The remedy.
        remedy: &'static str,
    },
}

/// Finds a program; `configured` is the path that the caller's settings name.
///
/// # Errors
/// When the named program cannot be started, or no program was named and none is installed.
pub fn find(wanted: &Wanted, configured: Option<&NamedPath>) -> Result<PathBuf, ProgramError> {
    search(wanted, configured, &|name| std::env::var_os(name))
}

fn search(
    wanted: &Wanted,
    configured: Option<&NamedPath>,
    variable: &dyn Fn(&str) -> Option<OsString>,
) -> Result<PathBuf, ProgramError> {
    let set = variable(wanted.variable).filter(|value| !value.is_empty());
    let named = configured.cloned().or_else(|| set.map(|path| NamedPath::new(path, wanted.variable)));
    if let Some(NamedPath { path, origin }) = named {
        return match fault(&path) {
            None => Ok(path),
            Some(fault) => Err(ProgramError::Named { name: wanted.name, path, origin, fault }),
        };
    }
    let path = variable("PATH").unwrap_or_default();
    let dirs: Vec<PathBuf> = std::env::split_paths(&path).filter(|dir| dir.is_absolute()).collect();
    let on_path = wanted.names.iter().flat_map(|name| dirs.iter().map(move |dir| dir.join(name)));
    let found = on_path.chain(wanted.places.iter().map(PathBuf::from)).find(|path| fault(path).is_none());
    found.map(|path| path.canonicalize().unwrap_or(path)).ok_or(ProgramError::NotFound {
        name: wanted.name,
        variable: wanted.variable,
        remedy: wanted.remedy,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::Path;

    const WANTED: Wanted = Wanted {
        name: "pilot",
        variable: "PILOT",
        names: &["pilot", "pilot-esr"],
        places: &[],
        remedy: "hire one",
    };

    /// A directory with one program, `real`, and a link to it, `pilot-esr`.
    fn machine() -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a directory");
        let real = dir.path().join("real");
        fs::write(&real, "\x7fELF").expect("writable");
        fs::set_permissions(&real, fs::Permissions::from_mode(0o755)).expect("ours");
        fs::write(dir.path().join("plain"), "").expect("writable");
        symlink(&real, dir.path().join("pilot-esr")).expect("writable");
        dir
    }

    #[test]
    fn a_link_on_the_path_is_followed_and_a_named_path_counts_before_it() {
        let dir = machine();
        let real = dir.path().join("real").canonicalize().expect("there");
        let path = |name: &str| (name == "PATH").then(|| dir.path().into());
        assert_eq!(search(&WANTED, None, &path), Ok(real.clone()));
        let named = |path: &Path| NamedPath::new(path, "settings.pilot");
        assert_eq!(search(&WANTED, Some(&named(&real)), &path), Ok(real.clone()));
        let set = |name: &str| (name == "PILOT").then(|| real.clone().into());
        assert_eq!(search(&WANTED, None, &set), Ok(real.clone()));
        let plain = dir.path().join("plain");
        let wrong = search(&WANTED, Some(&named(&plain)), &set).expect_err("it cannot be started");
        let says =
            format!("the pilot {} named by settings.pilot is not executable; `chmod +x` it", plain.display());
        assert_eq!(wrong.to_string(), says);
    }

    #[test]
    fn a_machine_without_it_is_told_what_to_do() {
        let none = search(&WANTED, None, &|_| None).expect_err("there is none");
        assert_eq!(
            none.to_string(),
            "no pilot found on PATH or in a known place; hire one, or name it in PILOT"
        );
    }
}
