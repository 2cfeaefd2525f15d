//! `driver`: which driver runs jobs.

mod cdp;
mod plugin;
mod webdriver;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::cdp::CdpDriverSettings;
pub use self::plugin::{Isolation, PluginSettings, PluginsSettings};
pub use self::webdriver::{BrowserName, EndpointSettings, SharedMachine, WebDriverSettings};
use super::problem::Problem;

/// The drivers that need no library: CDP, WebDriver, and the simulated one.
pub const BUILT_IN: [&str; 3] = ["cdp", "webdriver", "sim"];

/// Which driver runs jobs, and how each driver starts browsers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DriverSettings {
    /// The driver: `cdp`, `webdriver`, `sim` (simulated browsers), or the name of a plugin.
    pub name: String,
    /// The driver over the Chrome DevTools Protocol.
    pub cdp: CdpDriverSettings,
    /// The driver over W3C WebDriver.
    pub webdriver: WebDriverSettings,
    /// Where libraries of drivers are searched.
    pub plugins: PluginsSettings,
    /// Drivers from libraries, by name.
    pub plugin: BTreeMap<String, PluginSettings>,
}

impl Default for DriverSettings {
    fn default() -> Self {
        Self {
            name: "cdp".to_owned(),
            cdp: CdpDriverSettings::default(),
            webdriver: WebDriverSettings::default(),
            plugins: PluginsSettings::default(),
            plugin: BTreeMap::new(),
        }
    }
}

impl DriverSettings {
    /// Every library: those with a table of their own, and those in the directories that are searched.
    #[must_use]
    pub fn libraries(&self) -> BTreeSet<String> {
        let found = plimsoll_loader::discover(&self.plugins.dirs()).into_iter().map(|found| found.name);
        self.plugin.keys().cloned().chain(found).filter(|name| !BUILT_IN.contains(&name.as_str())).collect()
    }

    /// Contexts that one browser of the driver `name` holds at once.
    #[must_use]
    pub fn contexts_per_browser(&self, name: &str) -> u32 {
        match name {
            "webdriver" => self.webdriver.sessions_per_driver(),
            _ => self
                .plugin
                .get(name)
                .map_or(self.cdp.contexts_per_browser, |plugin| plugin.contexts_per_browser),
        }
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = self.webdriver.problems();
        for (name, plugin) in &self.plugin {
            problems.extend(plugin.problems(name));
        }
        problems
    }
}
