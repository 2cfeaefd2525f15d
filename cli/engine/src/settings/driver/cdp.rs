//! `driver.cdp`: the driver over the Chrome DevTools Protocol.

use std::path::PathBuf;
use std::time::Duration;

use plimsoll_core::policy::PlacementConfig;
use plimsoll_core::quantity::span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::settings::redact;

/// The driver over the Chrome DevTools Protocol.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CdpDriverSettings {
    /// The browser to start. Without it: `PLIMSOLL_CHROMIUM`, then `CHROME_PATH`, then the first headless shell or browser
    /// found on this machine.
    #[schemars(example = &"/usr/lib/chromium/headless_shell")]
    pub executable: Option<PathBuf>,
    /// Whether browsers run in their sandbox. Each start without it is logged.
    pub sandbox: bool,
    /// Contexts a browser process holds at once.
    #[schemars(range(min = 1, max = 10_000))]
    pub contexts_per_browser: u32,
    /// A browser is replaced after this number of contexts.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    pub recycle_after_contexts: u64,
    /// A browser is replaced at this age.
    #[serde(with = "span")]
    #[schemars(with = "span::Span", extend("x-least" = "1s"))]
    pub recycle_after: Duration,
    /// More command-line arguments for the browser. Every user of the machine can read them, so keep passwords out.
    #[serde(serialize_with = "redact::texts")]
    pub args: Vec<String>,
}

impl Default for CdpDriverSettings {
    fn default() -> Self {
        let placement = PlacementConfig::default();
        Self {
            executable: None,
            sandbox: true,
            contexts_per_browser: placement.contexts_per_browser,
            recycle_after_contexts: placement.recycle_after_contexts,
            recycle_after: placement.recycle_after,
            args: Vec::new(),
        }
    }
}
