//! `log`: what is logged to standard error, and how.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

use super::problem::Problem;
use crate::decode::nearest;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// What is logged to standard error, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogSettings {
    /// `off`, `error`, `warn`, `info`, `debug` or `trace`; or levels by part of the program, as in
    /// `warn,plimsoll_core=debug`. `PLIMSOLL_LOG` overrides it.
    pub level: String,
    /// `text` for people, `json` for programs: one object on each line.
    pub format: LogFormat,
}

/// `log.format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum LogFormat {
    /// A line of text.
    Text,
    /// A line of JSON.
    Json,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { level: "warn".to_owned(), format: LogFormat::Text }
    }
}

impl LogSettings {
    pub(super) fn problems(&self) -> Option<Problem> {
        let known = LEVELS.join(", ");
        // For tracing, a single word is a target whose events are all logged; here such a word is a typing error.
        let slip = self.level.split(',').find(|part| !part.contains(['=', '[']) && !LEVELS.contains(part));
        let wrong = match slip {
            Some(word) => {
                let hint = nearest(word, LEVELS).map(|level| format!("; did you mean `{level}`?"));
                format!("`{word}` is no level{} (known: {known})", hint.unwrap_or_default())
            }
            None => {
                let why = EnvFilter::try_new(&self.level).err()?;
                format!(
                    "`{}` cannot be read ({why}); write it as `info` or `warn,plimsoll_core=debug`",
                    self.level
                )
            }
        };
        Some(Problem::of(["log.level"], wrong))
    }
}
