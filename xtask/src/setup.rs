//! `cargo xtask setup`: finds or installs what the tests and the demonstration need.
//!
//! The demonstration needs a Chromium and one font, without which pages show empty boxes. The tests also need a
//! chromedriver, a Firefox and a geckodriver; the tests on a Selenium Grid need its server ([`tools`]). What is installed
//! already is left alone. On Debian and its derivatives, what is missing is installed if this user is root or sudo asks
//! for no password. On other systems, or if that fails, one line names what to install: as an error if every command
//! needs it, as a note if only some tests need it, which are then left out.

mod tools;

use std::path::{Path, PathBuf};
use std::process::Command;

use plimsoll_host::browser;

use crate::program::{ProgramError, program, run as run_program, succeeds};

/// The machine lacks something that could not be installed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    /// Installing was not possible or did not work.
    #[error("missing: {lacks}; {remedy}")]
    Lacking { lacks: String, remedy: String },
    /// A variable names a browser that cannot be started; installing another would not help.
    #[error(transparent)]
    Named(browser::FindError),
    /// A tool could not be built or fetched.
    #[error("no {tool}: {source}")]
    Tool { tool: &'static str, source: ProgramError },
}

/// What a machine is set up for; each purpose includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Purpose {
    /// To run jobs: the demonstration, measurements.
    Jobs,
    /// The tests.
    Tests,
    /// The tests that use a Selenium Grid too.
    Grid,
}

/// The tools that were found, as variables for the tests.
#[derive(Debug, Default)]
pub(crate) struct Equipment {
    variables: Vec<(&'static str, PathBuf)>,
    lacking: Vec<&'static str>,
}

impl Equipment {
    /// Sets the variables that name the tools, and those that name the drivers whose tests are left out.
    pub(crate) fn set_variables<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        for (name, path) in &self.variables {
            command.env(name, path);
        }
        command.env("PLIMSOLL_TESTS_WITHOUT", self.lacking.join(","))
    }
}

/// Something the machine must have.
struct Need {
    what: &'static str,
    purpose: Purpose,
    /// The Debian package that contains it.
    package: &'static str,
    /// What to install on other systems.
    elsewhere: &'static str,
    present: fn() -> bool,
    /// Drivers whose tests are left out without it. If the list is empty, every command needs it.
    only_for: &'static [&'static str],
}

const NEEDS: [Need; 5] = [
    Need {
        what: "a Chromium",
        purpose: Purpose::Jobs,
        package: "chromium-headless-shell",
        elsewhere: "Google Chrome (https://www.google.com/chrome) or your system's Chromium",
        present: has_browser,
        only_for: &[],
    },
    Need {
        what: "a font",
        purpose: Purpose::Jobs,
        package: "fonts-dejavu-core",
        elsewhere: "the DejaVu fonts",
        present: has_font,
        only_for: &[],
    },
    Need {
        what: "a chromedriver",
        purpose: Purpose::Tests,
        package: "chromium-driver",
        elsewhere: "the chromedriver of your Chrome's version (https://googlechromelabs.github.io/chrome-for-testing)",
        present: || tools::variable(tools::CHROMEDRIVER).is_some() || on_path("chromedriver").is_some(),
        only_for: &["chromedriver", "grid"],
    },
    Need {
        what: "a Firefox",
        purpose: Purpose::Tests,
        package: "firefox-esr",
        elsewhere: "Firefox (https://www.mozilla.org/firefox)",
        present: || on_path("firefox").or_else(|| on_path("firefox-esr")).is_some(),
        only_for: &["geckodriver"],
    },
    Need {
        what: "a Java",
        purpose: Purpose::Grid,
        package: "default-jre-headless",
        elsewhere: "a Java runtime, 11 or later",
        present: || on_path("java").is_some(),
        only_for: &[],
    },
];

/// The package manager that installs the grid's server, if it is not installed already.
const NPM: Need = Need {
    what: "npm",
    purpose: Purpose::Grid,
    package: "npm",
    elsewhere: "Node.js with npm (https://nodejs.org)",
    present: || on_path("npm").is_some(),
    only_for: &[],
};

/// The search depth below a font directory.
const FONT_DEPTH: u32 = 5;

pub(crate) fn run(purpose: Purpose) -> Result<Equipment, SetupError> {
    if let Err(named @ browser::FindError::Named { .. }) = browser::find(None) {
        return Err(SetupError::Named(named));
    }
    let npm = (purpose == Purpose::Grid && !tools::has_selenium()).then_some(&NPM);
    let needs = NEEDS.iter().filter(|need| need.purpose <= purpose).chain(npm).collect();
    let lacking = bring(needs)?;
    if purpose < Purpose::Tests {
        return Ok(Equipment::default());
    }
    tools::equip(purpose, lacking)
}

/// Installs the missing `needs`. Returns the drivers whose tests are left out.
fn bring(needs: Vec<&'static Need>) -> Result<Vec<&'static str>, SetupError> {
    let missing = missing(needs);
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    if !is_debian() {
        return without(&missing, &format!("install {}", listed(&missing, |need| need.elsewhere)));
    }
    let packages = missing.iter().map(|need| need.package).collect::<Vec<_>>().join(" ");
    const INSTALL: &str = "apt-get install -y --no-install-recommends";
    let Some(become_root) = become_root() else {
        let remedy = format!("run: sudo sh -c 'apt-get update && {INSTALL} {packages}'");
        return Err(SetupError::Lacking { lacks: listed(&missing, |need| need.what), remedy });
    };

    eprintln!("installing {packages}");
    // A failed refresh of the index may not matter, and one unknown package must not prevent the others: the check at
    // the end decides.
    let installs = missing.iter().map(|need| format!("{INSTALL} {}", need.package));
    for command in std::iter::once("apt-get update".to_owned()).chain(installs) {
        let quiet = format!("DEBIAN_FRONTEND=noninteractive {command} -q -o DPkg::Lock::Timeout=120 >&2");
        let words: Vec<&str> = become_root.iter().copied().chain(["sh", "-c", &quiet]).collect();
        if let Err(failure) = run_program(&mut program(&words)) {
            eprintln!("{failure}");
        }
    }
    let still = self::missing(missing);
    // For example, Ubuntu has no package of this Chromium.
    let by_hand = listed(&still, |need| need.elsewhere);
    without(&still, &format!("{packages} did not bring it; install {by_hand}"))
}

/// The drivers whose tests need `missing`; an error if every command needs it.
fn without(missing: &[&'static Need], remedy: &str) -> Result<Vec<&'static str>, SetupError> {
    if missing.iter().any(|need| need.only_for.is_empty()) {
        let lacks = listed(missing, |need| need.what);
        return Err(SetupError::Lacking { lacks, remedy: remedy.to_owned() });
    }
    for need in missing {
        let (what, without) = (need.what, need.only_for.join(", "));
        eprintln!("no {what}, so no tests of {without}; {remedy}");
    }
    Ok(missing.iter().flat_map(|need| need.only_for.iter().copied()).collect())
}

fn missing(needs: Vec<&'static Need>) -> Vec<&'static Need> {
    needs.into_iter().filter(|need| !(need.present)()).collect()
}

fn listed(needs: &[&Need], name: fn(&Need) -> &'static str) -> String {
    needs.iter().map(|need| name(need)).collect::<Vec<_>>().join(" and ")
}

/// The prefix that runs a command as root: empty for root itself; `None` if sudo asks for a password.
fn become_root() -> Option<&'static [&'static str]> {
    let root = succeeds(&mut program(&["sh", "-c", "test \"$(id -u)\" = 0"]));
    let sudo = || succeeds(&mut program(&["sudo", "-n", "true"]));
    if root { Some(&[]) } else { sudo().then_some(&["sudo", "-n"]) }
}

fn is_debian() -> bool {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let mut words = release.lines().filter(|line| line.starts_with("ID=") || line.starts_with("ID_LIKE="));
    words.any(|line| line.contains("debian")) && Path::new("/usr/bin/apt-get").exists()
}

/// The program that a shell would start for `name`.
fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}

fn has_browser() -> bool {
    browser::find(None).is_ok()
}

fn has_font() -> bool {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let places = ["/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts", "/Library/Fonts"];
    let mut places =
        places.map(PathBuf::from).into_iter().chain([home.join(".fonts"), home.join(".local/share/fonts")]);
    places.any(|place| holds_font(&place, FONT_DEPTH))
}

fn holds_font(place: &Path, depth: u32) -> bool {
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| match path.extension().and_then(|e| e.to_str()) {
        Some("ttf" | "otf" | "ttc" | "pfb") => true,
        _ => depth > 0 && path.is_dir() && holds_font(&path, depth - 1),
    })
}
