//! [`Secret`]: a text that can be used but is never shown.
//!
//! ```text
//!   password = "..."  ─┐
//!                      ├─► Secret ─── expose() ──► the one place that needs it
//!   password_file ─────┘      └────── Debug, Display, Serialize ──► (redacted)
//! ```
//!
//! A file is safer: other users of the machine may read a command line or an environment.

use std::fmt;
use std::path::Path;

pub use plimsoll_core::shown::REDACTED;
use schemars::JsonSchema;
use serde::de::{Deserialize, Deserializer, Error};
use serde::{Serialize, Serializer};

use super::bounded::{self, ReadError};

/// No token or password is longer; a larger file is not one that holds a secret.
const LONGEST: usize = 64 << 10;

/// A password or token.
#[derive(Clone, PartialEq, Eq, JsonSchema)]
#[schemars(inline, extend("format" = "password", "writeOnly" = true, "minLength" = 1))]
pub struct Secret(String);

/// Why a file gives no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// The file is empty, but for a line's end.
    #[error("is empty; write the secret into it, as its only line")]
    Empty,
    /// The file is no text.
    #[error("is not UTF-8 text; a secret is one line of text")]
    NotText,
    /// More than one line.
    #[error("has more than one line; a secret is one line of text")]
    Lines,
}

impl Secret {
    /// The secret that a file holds. One line's end after it does not belong to it.
    ///
    /// # Errors
    /// When the file is no plain file, too large, empty, or not one line of text.
    pub fn from_file(path: &Path) -> Result<Self, SecretError> {
        let bytes = bounded::read(path, LONGEST)?;
        let text = String::from_utf8(bytes).map_err(|_| SecretError::NotText)?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        match text {
            "" => Err(SecretError::Empty),
            _ if text.contains(['\n', '\r', '\0']) => Err(SecretError::Lines),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// The secret itself, for the one who must send it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "" => Err(D::Error::custom("empty; leave the key out instead")),
            // The output of `config show` may be used as a file.
            REDACTED => Err(D::Error::custom(format!("`{REDACTED}` is the mark that stands for a secret"))),
            _ => Ok(Self(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_file(content: &[u8]) -> Result<Secret, SecretError> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("secret");
        std::fs::write(&path, content).expect("a file in it");
        Secret::from_file(&path)
    }

    #[test]
    fn a_secret_is_never_shown() {
        let secret = Secret::from("canary".to_owned());
        let shown = format!("{secret} {secret:?} {secret:#?} {}", serde_json::json!(secret));
        assert!(!shown.contains("canary"), "{shown}");
        assert_eq!(secret.expose(), "canary");
    }

    #[test]
    fn a_file_holds_one_line() {
        for content in ["s3cret", "s3cret\n", "s3cret\r\n"] {
            assert_eq!(of_file(content.as_bytes()).expect("a secret").expose(), "s3cret");
        }
        assert_eq!(of_file(b" spaced \n").expect("a secret").expose(), " spaced ");
        assert!(matches!(of_file(b"\n"), Err(SecretError::Empty)));
        assert!(matches!(of_file(b"s3cret\n\n"), Err(SecretError::Lines)));
        assert!(matches!(of_file(b"one\ntwo"), Err(SecretError::Lines)));
        assert!(matches!(of_file(b"\xff\xfe"), Err(SecretError::NotText)));
        assert!(matches!(of_file(&vec![b'x'; LONGEST + 1]), Err(SecretError::Unreadable(_))));
    }
}
