//! [`Mistake`]: what is wrong with a setting, and where it stands.

use std::fmt;

use plimsoll_core::shown::excerpt;

/// The most mistakes that are reported at once.
pub(super) const MOST_MISTAKES: usize = 20;

/// One thing that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where: a file with line and column, an environment variable, a flag. `None` when the message says it.
    pub place: Option<String>,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Mistake {
    /// A mistake at `place`. What was written may be long or steer a terminal: its message is neither.
    pub(super) fn at(place: impl Into<Option<String>>, message: &str) -> Self {
        const LONGEST: usize = 500;
        let message = excerpt(message, LONGEST);
        Self { place: place.into(), message }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// Why there are no settings: everything that is wrong with them, one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError(pub Vec<Mistake>);

impl std::error::Error for SettingsError {}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, mistake) in self.0.iter().take(MOST_MISTAKES).enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{mistake}")?;
        }
        if self.0.len() > MOST_MISTAKES { f.write_str("\n… and more; fix these first") } else { Ok(()) }
    }
}
