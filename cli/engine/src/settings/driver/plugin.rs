//! `driver.plugins` and `driver.plugin.NAME`: drivers from libraries.

use std::path::PathBuf;

use plimsoll_core::policy::PlacementConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::BUILT_IN;
use crate::settings::problem::Problem;
use crate::settings::redact::FreeTable;

/// Where libraries of drivers are searched.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PluginsSettings {
    /// Directories in which a driver without a `path` is searched.
    pub dirs: Vec<PathBuf>,
}

impl PluginsSettings {
    /// The directories that are searched, in this order.
    #[must_use]
    pub fn dirs(&self) -> Vec<PathBuf> {
        if self.dirs.is_empty() { plimsoll_loader::search::default_dirs() } else { self.dirs.clone() }
    }

    /// The library of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        let found = plimsoll_loader::discover(&self.dirs()).into_iter();
        found.filter(|found| found.name == name).map(|found| found.path).next()
    }
}

/// A driver from a library.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PluginSettings {
    /// The library. Without it: the library of this name in `driver.plugins.dirs`.
    #[schemars(example = &"/usr/lib/plimsoll/libhttp.so")]
    pub path: Option<PathBuf>,
    /// `process`: a child process runs the library, so that its crash costs one driver. `in-process`: this program runs it,
    /// which is faster and for libraries you trust.
    pub isolation: Isolation,
    /// Contexts that one of its browsers holds at once.
    #[schemars(range(min = 1, max = 10_000))]
    pub contexts_per_browser: u32,
    /// The plugin's own settings, passed on unchanged. Values of keys named like secrets are not shown.
    pub config: FreeTable,
}

/// `driver.plugin.NAME.isolation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Isolation {
    /// In a child process.
    Process,
    /// In this program.
    InProcess,
}

impl Default for PluginSettings {
    fn default() -> Self {
        Self {
            path: None,
            isolation: Isolation::Process,
            contexts_per_browser: PlacementConfig::default().contexts_per_browser,
            config: FreeTable::default(),
        }
    }
}

impl PluginSettings {
    pub(super) fn problems(&self, name: &str) -> Option<Problem> {
        let key = format!("driver.plugin.{name}");
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if BUILT_IN.contains(&name) {
            return Some(Problem::of([key], format!("`{name}` is built in; give the plugin another name")));
        }
        if name.is_empty() || !name.chars().all(plain) {
            return Some(Problem::of([key], "a driver's name consists of letters, digits, `-` and `_`"));
        }
        None
    }
}
