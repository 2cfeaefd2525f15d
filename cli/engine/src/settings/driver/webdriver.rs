//! `driver.webdriver`: the driver over W3C WebDriver, with processes of its own or remote ends.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::settings::problem::Problem;
use crate::settings::redact::{self, Address, FreeTable};
use crate::settings::secret::{Secret, SecretError};

/// The driver over W3C WebDriver. Without `url` and `endpoints` it starts chromedriver or geckodriver itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WebDriverSettings {
    /// The browser of a session: `chromium` or `firefox`.
    pub browser: BrowserName,
    /// One remote end, such as a Selenium Grid. No process is started here then.
    #[schemars(example = &"http://grid:4444")]
    pub url: Option<Address>,
    /// Several remote ends: each has a `url`, and a `weight` (1 unless set) by which sessions are spread.
    #[schemars(example = &[EndpointSettings::example()])]
    pub endpoints: Vec<EndpointSettings>,
    /// The chromedriver to start. Without it: `PLIMSOLL_CHROMEDRIVER`, then the first one found on this machine.
    #[schemars(example = &"/usr/bin/chromedriver")]
    pub chromedriver: Option<PathBuf>,
    /// The geckodriver to start. Without it: `PLIMSOLL_GECKODRIVER`, then the first one found on this machine.
    #[schemars(example = &"/usr/bin/geckodriver")]
    pub geckodriver: Option<PathBuf>,
    /// The browser that chromedriver or geckodriver starts. Without it: the first one found on this machine.
    #[schemars(example = &"/usr/bin/chromium")]
    pub executable: Option<PathBuf>,
    /// Sessions that one driver process holds at once; without it 8 for chromedriver and 1 for geckodriver.
    #[schemars(range(min = 1, max = 1_000), example = 4)]
    pub sessions_per_driver: Option<u32>,
    /// What happens where another person has processes on this machine: every user may connect to the port of a
    /// chromedriver or geckodriver, read cookies and start programs as the browsers' user. `refuse` or `allow`.
    pub shared_machine: SharedMachine,
    /// Whether browsers run in their sandbox. Each start without it is logged.
    pub sandbox: bool,
    /// More command-line arguments for the browser. Every user of the machine can read them, so keep passwords out.
    #[serde(serialize_with = "redact::texts")]
    pub args: Vec<String>,
    /// More capabilities for a session, passed on unchanged. Values of keys named like secrets are not shown.
    pub capabilities: FreeTable,
    /// The user at the remote ends.
    #[schemars(example = &"ci")]
    pub username: Option<String>,
    /// The user's password; never shown.
    pub password: Option<Secret>,
    /// A file that holds the password, as its only line.
    #[schemars(example = &"/run/secrets/grid")]
    pub password_file: Option<PathBuf>,
}

/// `driver.webdriver.browser`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum BrowserName {
    /// Chromium, by chromedriver.
    Chromium,
    /// Firefox, by geckodriver.
    Firefox,
}

/// `driver.webdriver.shared_machine`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum SharedMachine {
    /// No driver process is started.
    Refuse,
    /// Every user of the machine is trusted.
    Allow,
}

/// A remote end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointSettings {
    /// Where it is.
    pub url: Address,
    /// Its share of the sessions, against the weights of the others.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1_000))]
    pub weight: u32,
}

const fn one() -> u32 {
    1
}

impl EndpointSettings {
    fn example() -> serde_json::Value {
        serde_json::json!({"url": "http://grid:4444", "weight": 2})
    }
}

impl Default for WebDriverSettings {
    fn default() -> Self {
        Self {
            browser: BrowserName::Chromium,
            url: None,
            endpoints: Vec::new(),
            chromedriver: None,
            geckodriver: None,
            executable: None,
            sessions_per_driver: None,
            shared_machine: SharedMachine::Refuse,
            sandbox: true,
            args: Vec::new(),
            capabilities: FreeTable::default(),
            username: None,
            password: None,
            password_file: None,
        }
    }
}

impl WebDriverSettings {
    /// Sessions that one driver process holds at once. Chromedriver serves some sessions well; geckodriver serves one.
    #[must_use]
    pub fn sessions_per_driver(&self) -> u32 {
        self.sessions_per_driver.unwrap_or(match self.browser {
            BrowserName::Chromium => 8,
            BrowserName::Firefox => 1,
        })
    }

    /// The remote ends, each with its weight; none when processes of our own are to be started.
    pub fn remote_ends(&self) -> impl Iterator<Item = (&Address, u32)> {
        let one = self.url.iter().map(|url| (url, 1));
        one.chain(self.endpoints.iter().map(|end| (&end.url, end.weight)))
    }

    /// The user's password, read from its file if it is in one.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn password(&self) -> Result<Option<Secret>, SecretError> {
        match &self.password_file {
            Some(path) => Secret::from_file(path).map(Some),
            None => Ok(self.password.clone()),
        }
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let of = |name: &str| format!("driver.webdriver.{name}");
        let mut problems = Vec::new();
        let mut both = |one: &str, other: &str, why: &str| {
            problems.push(Problem::of([of(one), of(other)], why.to_owned()));
        };
        if self.url.is_some() && !self.endpoints.is_empty() {
            both("url", "endpoints", "a single remote end beside several; move it into `endpoints`");
        }
        if self.password.is_some() && self.password_file.is_some() {
            both("password", "password_file", "the password is given twice; keep the file");
        }
        let has_password = self.password.is_some() || self.password_file.is_some();
        match (&self.username, has_password) {
            (Some(_), false) => {
                both("username", "password", "a user without a password; set `password_file`");
            }
            (None, true) if self.password.is_some() => {
                both("password", "username", "a password without a user; set `username`");
            }
            (None, true) => both("password_file", "username", "a password without a user; set `username`"),
            _ => {}
        }
        let remote = self.remote_ends().next().is_some();
        let (key, has_user) = match &self.url {
            Some(url) => ("url", url.has_user()),
            None => ("endpoints", self.endpoints.iter().any(|end| end.url.has_user())),
        };
        if has_user && self.username.is_some() {
            both(key, "username", "the address names a user already; take it out of the address");
        }
        if self.username.is_some() && !remote {
            both("username", "url", "a user for a remote end, and there is none; set `url` or `endpoints`");
        }
        for (name, path) in [
            ("chromedriver", &self.chromedriver),
            ("geckodriver", &self.geckodriver),
            ("executable", &self.executable),
        ] {
            if remote && path.is_some() {
                both(name, key, "nothing is started here when sessions run at a remote end; leave it out");
            }
        }
        if !remote
            && self.browser == BrowserName::Firefox
            && self.sessions_per_driver.is_some_and(|sessions| sessions > 1)
        {
            both("sessions_per_driver", "browser", "a geckodriver holds one session; leave it out");
        }
        for (index, end) in self.endpoints.iter().enumerate() {
            if !(1..=1_000).contains(&end.weight) {
                let key = of(&format!("endpoints[{index}].weight"));
                problems.push(Problem::of(
                    [key],
                    format!("{} is out of range; write a number from 1 to 1000", end.weight),
                ));
            }
        }
        problems
    }
}
