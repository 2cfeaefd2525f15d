//! [`NamedSecrets`]: the values of the secrets that jobs name as `{{secret:NAME}}`.
//!
//! ```text
//!   NAME ─► the environment variable PLIMSOLL_SECRET_NAME ─► the value
//!       └─► the file NAME in the directory secrets.dir    ─► the value, if nobody else may read the file
//! ```
//!
//! A job file has names only. The check of a file looks each of them up once, so that a missing one is found before the run;
//! an attempt looks it up again, so values are in memory while they are needed.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use plimsoll_core::secrets::SHORTEST;

use crate::settings::{Secret, SecretError, Settings};

/// What the names of the variables begin with.
const PREFIX: &str = "PLIMSOLL_SECRET_";

/// Where secrets are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamedSecrets {
    dir: Option<PathBuf>,
}

/// Why a secret cannot be used. No message has its value.
#[derive(Debug, thiserror::Error)]
pub enum NamedSecretError {
    /// There is none.
    #[error(
        "there is no secret `{name}`; set the environment variable {variable}{}",
        .file.as_ref().map_or_else(|| ", or `secrets.dir` to a directory with a file of that name".to_owned(), |file| format!(", or write it into {}", file.display()))
    )]
    Missing {
        /// Its name.
        name: String,
        /// The variable that could have it.
        variable: String,
        /// The file that could have it.
        file: Option<PathBuf>,
    },
    /// The variable is no text.
    #[error("the environment variable {0} is not UTF-8 text")]
    NotText(String),
    /// A message without each word of three letters would be none.
    #[error(
        "the secret `{0}` is shorter than {SHORTEST} characters, so it could not be hidden in messages; use a longer one"
    )]
    Short(String),
    /// The file's mode.
    #[error("the file {} can be read by others; give it the mode 0600 (`chmod 600`)", .0.display())]
    Open(PathBuf),
    /// The file cannot be read.
    #[error("the file {} {why}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        why: SecretError,
    },
}

impl NamedSecrets {
    /// The secrets of these settings, and of the environment.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        Self { dir: settings.secrets.dir.clone() }
    }

    /// The secret with this name, which has letters, digits and `_` only. Reads a file, so the call may block.
    ///
    /// # Errors
    /// When there is none, or it cannot be kept out of messages or away from others.
    pub fn get(&self, name: &str) -> Result<Secret, NamedSecretError> {
        self.get_beside(name, |variable| std::env::var_os(variable))
    }

    fn get_beside(
        &self,
        name: &str,
        variables: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Secret, NamedSecretError> {
        let variable = format!("{PREFIX}{}", name.to_ascii_uppercase());
        let secret = match (variables(&variable), self.dir.as_ref().map(|dir| dir.join(name))) {
            (Some(value), _) => {
                Secret::from(value.into_string().map_err(|_| NamedSecretError::NotText(variable))?)
            }
            (None, Some(path)) if path.symlink_metadata().is_ok() => {
                let mode = path.metadata().map_or(0, |file| file.permissions().mode());
                if mode & 0o077 != 0 {
                    return Err(NamedSecretError::Open(path));
                }
                Secret::from_file(&path).map_err(|why| NamedSecretError::File { path, why })?
            }
            (None, file) => return Err(NamedSecretError::Missing { name: name.to_owned(), variable, file }),
        };
        if secret.expose().chars().count() < SHORTEST {
            return Err(NamedSecretError::Short(name.to_owned()));
        }
        Ok(secret)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[test]
    fn a_secret_is_in_a_variable_or_in_a_file_of_its_owner() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let write = |name: &str, content: &str, mode| {
            fs::write(dir.path().join(name), content).expect("a file in it");
            fs::set_permissions(dir.path().join(name), Permissions::from_mode(mode)).expect("ours");
        };
        write("both", "from a file\n", 0o600);
        write("file", "from a file\n", 0o400);
        write("open", "from a file\n", 0o640);
        write("lines", "a\nb", 0o600);
        write("short", "abc\n", 0o600);
        let variables = |name: &str| match name {
            "PLIMSOLL_SECRET_BOTH" => Some("from a variable".into()),
            "PLIMSOLL_SECRET_BYTES" => Some(OsString::from_vec(vec![0xff; 8])),
            "PLIMSOLL_SECRET_EMPTY" => Some(OsString::new()),
            _ => None,
        };
        let (files, none) = (NamedSecrets { dir: Some(dir.path().to_owned()) }, NamedSecrets::default());
        let of = |secrets: &NamedSecrets, name: &str| {
            secrets
                .get_beside(name, variables)
                .map(|secret| secret.expose().to_owned())
                .map_err(|why| why.to_string())
        };
        assert_eq!(of(&files, "both"), Ok("from a variable".to_owned()));
        assert_eq!(of(&files, "file"), Ok("from a file".to_owned()));
        for (secrets, name, told) in [
            (&none, "file", "set the environment variable PLIMSOLL_SECRET_FILE, or `secrets.dir`"),
            (&files, "gone", "/gone"),
            (&files, "open", "can be read by others"),
            (&files, "lines", "more than one line"),
            (&files, "short", "shorter than 4 characters"),
            (&files, "empty", "shorter than 4 characters"),
            (&files, "bytes", "PLIMSOLL_SECRET_BYTES is not UTF-8"),
        ] {
            let said = of(secrets, name).expect_err(name);
            assert!(said.contains(told) && !said.contains("from a"), "{said}");
        }
    }
}
