//! `timeouts`: how long things may take.

use std::time::Duration;

use plimsoll_core::quantity::span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How long things may take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TimeoutSettings {
    /// One attempt of a job that sets no `timeout` of its own.
    #[serde(with = "span")]
    #[schemars(with = "span::Span", extend("x-least" = "1ms"))]
    pub attempt: Duration,
    /// The start of a browser.
    #[serde(with = "span")]
    #[schemars(with = "span::Span", extend("x-least" = "1ms"))]
    pub launch: Duration,
    /// The time that running jobs get after the first Ctrl-C. `0s` stops them at once, as the second Ctrl-C does.
    #[serde(with = "span")]
    #[schemars(with = "span::Span")]
    pub grace: Duration,
}

impl Default for TimeoutSettings {
    fn default() -> Self {
        // 30 s for a page and for a browser, as Puppeteer and Playwright have it; 10 s of grace, as docker stop.
        let half_a_minute = Duration::from_secs(30);
        Self { attempt: half_a_minute, launch: half_a_minute, grace: Duration::from_secs(10) }
    }
}
