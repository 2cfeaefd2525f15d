//! `cargo xtask setup`: a machine that can run the tests and the demonstration.
//!
//! It needs a Chromium, and one font so that pages are not rows of empty boxes. What is there is left
//! alone, so a second run only looks. On Debian and its kin what is missing is installed, given root or a
//! sudo that does not ask; elsewhere, or when that fails, the error says what to install.

use std::path::{Path, PathBuf};

use plimsoll_host::browser;

use crate::program::{program, run as run_program, succeeds};

/// The machine lacks something that we could not install.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    /// Installing was not possible or did not work.
    #[error("missing: {lacks}; {remedy}")]
    Lacking { lacks: String, remedy: String },
    /// Someone named a browser that cannot be started: to install another would not help.
    #[error(transparent)]
    Named(browser::FindError),
}

/// Something the machine must have.
struct Need {
    what: &'static str,
    /// The Debian package that brings it.
    package: &'static str,
    /// What to install on other systems.
    elsewhere: &'static str,
    present: fn() -> bool,
}

const NEEDS: [Need; 2] = [
    Need {
        what: "a Chromium",
        package: "chromium-headless-shell",
        elsewhere: "Google Chrome (https://www.google.com/chrome) or your system's Chromium",
        present: has_browser,
    },
    Need { what: "a font", package: "fonts-dejavu-core", elsewhere: "the DejaVu fonts", present: has_font },
];

/// How deep under a font directory a font may lie.
const FONT_DEPTH: u32 = 5;

pub(crate) fn run() -> Result<(), SetupError> {
    if let Err(named @ browser::FindError::Named { .. }) = browser::find(None) {
        return Err(SetupError::Named(named));
    }
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    if !is_debian() {
        return Err(SetupError::Lacking {
            lacks: listed(&missing, |need| need.what),
            remedy: by_hand(&missing),
        });
    }
    let packages = missing.iter().map(|need| need.package).collect::<Vec<_>>().join(" ");
    let install = format!("apt-get install -y --no-install-recommends {packages}");
    let Some(become_root) = become_root() else {
        let remedy = format!("run: sudo sh -c 'apt-get update && {install}'");
        return Err(SetupError::Lacking { lacks: listed(&missing, |need| need.what), remedy });
    };

    eprintln!("installing {packages}");
    // An index that cannot be refreshed may still be good enough, so only the second command decides.
    for command in ["apt-get update", &install] {
        let quiet = format!("DEBIAN_FRONTEND=noninteractive {command} -q -o DPkg::Lock::Timeout=120 >&2");
        let words: Vec<&str> = become_root.iter().copied().chain(["sh", "-c", &quiet]).collect();
        if let Err(failure) = run_program(&mut program(&words)) {
            eprintln!("{failure}");
        }
    }
    let still = self::missing();
    if still.is_empty() {
        return Ok(());
    }
    // Ubuntu, for one, has this Chromium in no package.
    let remedy = format!("{packages} did not bring it; {}", by_hand(&still));
    Err(SetupError::Lacking { lacks: listed(&still, |need| need.what), remedy })
}

fn missing() -> Vec<&'static Need> {
    NEEDS.iter().filter(|need| !(need.present)()).collect()
}

fn by_hand(needs: &[&Need]) -> String {
    format!("install {}", listed(needs, |need| need.elsewhere))
}

fn listed(needs: &[&Need], name: fn(&Need) -> &'static str) -> String {
    needs.iter().map(|need| name(need)).collect::<Vec<_>>().join(" and ")
}

/// What to put before a command so that root runs it; nothing if we are root, `None` if nobody lets us.
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
