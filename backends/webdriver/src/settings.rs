//! Which browser a driver starts, on this machine or at which address.

use std::path::PathBuf;

use plimsoll_core::policy::{BreakerConfig, ScopesConfig};
use plimsoll_host::executable::NamedPath;
use plimsoll_host::sandbox::Sandbox;
use plimsoll_host::window::WindowSize;
use serde_json::{Map, Value};
use url::Url;

/// How and where sessions are opened.
#[derive(Debug, Clone, PartialEq)]
pub struct WebDriverSettings {
    /// The browser of every session.
    pub family: Family,
    /// Remote ends, such as Selenium Grids. If there are none, drivers are started on this machine.
    pub remotes: Vec<Remote>,
    /// The chromedriver or geckodriver to start; without it the machine is searched.
    pub driver: Option<NamedPath>,
    /// The browser that the driver starts; without it the machine is searched. A remote end receives this path only.
    pub executable: Option<NamedPath>,
    /// Whether renderers are confined.
    pub sandbox: Sandbox,
    /// The size of a page's window, for jobs without a viewport of their own.
    pub window: WindowSize,
    /// Arguments added to the browser's command line, after our own.
    pub extra_args: Vec<String>,
    /// Further capabilities to request, which override the driver's own; objects are merged.
    pub capabilities: Map<String, Value>,
    /// The directory in which open remote sessions are recorded; by default beside the profiles.
    pub journal: Option<PathBuf>,
    /// The breaker of each remote end; session requests are its evidence.
    pub breaker: BreakerConfig,
}

/// Browsers that WebDriver drives, grouped by family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Family {
    /// Chromium and Chrome, with chromedriver.
    #[default]
    Chromium,
    /// Firefox, with geckodriver.
    Firefox,
}

impl Family {
    /// The program that drives it.
    pub(crate) const fn driver(self) -> &'static str {
        match self {
            Self::Chromium => "chromedriver",
            Self::Firefox => "geckodriver",
        }
    }

    /// Whether a grid uses this name for it.
    pub(crate) fn is_called(self, name: &str) -> bool {
        match self {
            Self::Chromium => matches!(name, "chrome" | "chromium"),
            Self::Firefox => name == "firefox",
        }
    }
}

/// A remote end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    url: Url,
    weight: u32,
}

/// Why a text is not a remote end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// The text is not a URL.
    #[error("`{text}` is no URL ({why}); write it as in \"http://grid.example:4444\"")]
    Malformed {
        /// The text.
        text: String,
        /// The parser's error.
        why: url::ParseError,
    },
    /// A URL that cannot be called.
    #[error("`{0}` is not an http URL with a host; a remote end behind TLS needs a local forwarder")]
    Scheme(String),
    /// A remote end that would never be chosen.
    #[error("the weight of `{0}` is 0; leave it out, or give it at least 1")]
    Weight(String),
}

impl Remote {
    /// A remote end at `url`, chosen `weight` times as often as a remote end of weight 1. A name and password in the
    /// URL are sent as basic authorization.
    ///
    /// # Errors
    /// When the URL is not an http URL or the weight is zero.
    pub fn parse(url: &str, weight: u32) -> Result<Self, RemoteError> {
        let mut parsed =
            Url::parse(url.trim()).map_err(|why| RemoteError::Malformed { text: url.to_owned(), why })?;
        if parsed.scheme() != "http" || parsed.host_str().is_none_or(str::is_empty) {
            return Err(RemoteError::Scheme(url.to_owned()));
        }
        if weight == 0 {
            return Err(RemoteError::Weight(url.to_owned()));
        }
        parsed.set_query(None);
        parsed.set_fragment(None);
        // Paths are joined to the address, which replaces the text after the last slash.
        let path = format!("{}/", parsed.path().trim_end_matches('/'));
        parsed.set_path(&path);
        Ok(Self { url: parsed, weight })
    }

    /// Its address, which ends with a slash.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// Its address without a name and password.
    #[must_use]
    pub(crate) fn without_password(&self) -> Url {
        let mut shown = self.url.clone();
        // Neither call can fail: the address has a host.
        let _ = shown.set_password(None).and_then(|()| shown.set_username(""));
        shown
    }

    /// How often it is chosen, relative to others.
    #[must_use]
    pub const fn weight(&self) -> u32 {
        self.weight
    }
}

impl Default for WebDriverSettings {
    fn default() -> Self {
        Self {
            family: Family::default(),
            remotes: Vec::new(),
            driver: None,
            executable: None,
            sandbox: Sandbox::default(),
            window: WindowSize::default(),
            extra_args: Vec::new(),
            capabilities: Map::new(),
            journal: None,
            breaker: ScopesConfig::default().endpoint,
        }
    }
}

impl WebDriverSettings {
    /// The number of contexts for one browser of this driver. A chromedriver is one failure domain, so its number is
    /// small; a geckodriver has one session; at remote ends a browser is only a share.
    #[must_use]
    pub const fn contexts_per_browser(&self) -> u32 {
        match (self.remotes.is_empty(), self.family) {
            (false, _) | (true, Family::Chromium) => 8,
            (true, Family::Firefox) => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_end_is_a_url_to_which_paths_can_be_joined() {
        for (written, read) in [
            ("http://grid:4444", "http://grid:4444/"),
            (" http://grid/wd/hub ", "http://grid/wd/hub/"),
            ("http://grid/wd/hub/?a=b#c", "http://grid/wd/hub/"),
            ("http://ada:secret@grid:4444/", "http://ada:secret@grid:4444/"),
        ] {
            let remote = Remote::parse(written, 1).expect(written);
            assert_eq!(remote.url().as_str(), read);
        }
        assert!(matches!(Remote::parse("grid:4444", 1), Err(RemoteError::Scheme(_))));
        assert!(matches!(Remote::parse("4444", 1), Err(RemoteError::Malformed { .. })));
        assert!(matches!(Remote::parse("https://grid", 1), Err(RemoteError::Scheme(_))));
        assert!(matches!(Remote::parse("http://grid", 0), Err(RemoteError::Weight(_))));
    }
}
