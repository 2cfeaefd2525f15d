//! Finds the browser on this machine.
//!
//! A path named by the caller, `PLIMSOLL_CHROMIUM` or `CHROME_PATH` takes precedence, in this order, and must be
//! correct: a wrong path is an error, and no other browser is started instead. When no path is named, the first
//! headless shell on `PATH` or in a known place is used, because it costs a fraction of a full browser; without one,
//! the first full browser.
//!
//! Distributions put a shell script on `PATH` that starts the real binary as its child. When the script is a known
//! script, the binary that it starts is found, so that the process we start *is* the browser.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::executable::{NamedPath, PathFault, fault};

/// Variables that name a browser, in order of precedence.
const VARIABLES: [&str; 2] = ["PLIMSOLL_CHROMIUM", "CHROME_PATH"];
/// Names looked for on `PATH`.
const NAMES: [&str; 6] = [
    "chromium-headless-shell",
    "chrome-headless-shell",
    "chromium",
    "google-chrome",
    "google-chrome-stable",
    "chromium-browser",
];
/// Directories in which packages install browsers: Debian, Google's packages, macOS.
const KNOWN_PLACES: [&str; 5] = [
    "usr/lib/chromium/chromium-headless-shell",
    "usr/lib/chromium/chromium",
    "opt/google/chrome/chrome",
    "Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "Applications/Chromium.app/Contents/MacOS/Chromium",
];

/// A browser that can be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserBinary {
    /// The file to start.
    pub path: PathBuf,
    /// Its kind, derived from its name.
    pub kind: BrowserKind,
    /// How it was found.
    pub source: BrowserSource,
}

/// Kinds of browser that differ in cost and flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BrowserKind {
    /// Chromium without a user interface: the cheapest.
    HeadlessShell,
    /// Full Chromium.
    Chromium,
    /// Google Chrome.
    Chrome,
}

/// How a browser was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BrowserSource {
    /// Named by this setting or environment variable.
    Named(&'static str),
    /// Found on `PATH`.
    Path,
    /// Found in a package's directory.
    KnownPlace,
}

/// Why no browser was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// The browser that was named cannot be started.
    #[error("the browser {} named by {origin} {fault}", path.display())]
    Named {
        /// The path that was named.
        path: PathBuf,
        /// The setting or variable that names it.
        origin: &'static str,
        /// What is wrong with it.
        fault: PathFault,
    },
    /// No browser was named and none is installed.
    #[error("no browser found: looked for {} on PATH and for {}; {remedy}", NAMES.join(", "), places(tried))]
    NotFound {
        /// Files outside `PATH` that were looked for.
        tried: Vec<PathBuf>,
        /// What to do about it.
        remedy: &'static str,
    },
}

/// The known facts about the machine that is searched.
struct Machine<'a> {
    root: &'a Path,
    variable: &'a dyn Fn(&str) -> Option<OsString>,
}

/// Finds a browser; `configured` is the path that the caller's settings name.
///
/// # Errors
/// When the named browser cannot be started, or no browser was named and none is installed.
pub fn find(configured: Option<&NamedPath>) -> Result<BrowserBinary, FindError> {
    Machine { root: Path::new("/"), variable: &|name| std::env::var_os(name) }.find(configured)
}

impl Machine<'_> {
    fn find(&self, configured: Option<&NamedPath>) -> Result<BrowserBinary, FindError> {
        if let Some(NamedPath { path, origin }) = configured {
            return self.named(path, origin);
        }
        let set = |name: &&str| (self.variable)(name).filter(|value| !value.is_empty());
        if let Some((name, value)) = VARIABLES.iter().find_map(|name| Some((*name, set(name)?))) {
            return self.named(Path::new(&value), name);
        }
        let path = (self.variable)("PATH").unwrap_or_default();
        let dirs: Vec<PathBuf> = std::env::split_paths(&path).filter(|dir| dir.is_absolute()).collect();
        let on_path = NAMES.iter().flat_map(|name| dirs.iter().map(move |dir| dir.join(name)));
        let tried: Vec<PathBuf> = KNOWN_PLACES.iter().map(|place| self.root.join(place)).collect();

        let found: Vec<BrowserBinary> = on_path
            .map(|path| (path, BrowserSource::Path))
            .chain(tried.iter().map(|path| (path.clone(), BrowserSource::KnownPlace)))
            .filter(|(path, _)| fault(path).is_none())
            .map(|(path, source)| self.binary(&path, source))
            .collect();
        let best =
            found.iter().find(|binary| binary.kind == BrowserKind::HeadlessShell).or_else(|| found.first());
        best.cloned().ok_or_else(|| FindError::NotFound { tried, remedy: self.remedy() })
    }

    fn named(&self, path: &Path, origin: &'static str) -> Result<BrowserBinary, FindError> {
        match fault(path) {
            Some(fault) => Err(FindError::Named { path: path.to_owned(), origin, fault }),
            None => Ok(self.binary(path, BrowserSource::Named(origin))),
        }
    }

    fn binary(&self, path: &Path, source: BrowserSource) -> BrowserBinary {
        let path = self.behind_wrapper(path).unwrap_or_else(|| path.to_owned());
        let kind = kind(&path);
        BrowserBinary { path, kind, source }
    }

    /// The binary that a distribution's script starts. An unknown script is started unchanged: it may add flags that
    /// matter.
    fn behind_wrapper(&self, path: &Path) -> Option<PathBuf> {
        if !is_script(path) {
            return None;
        }
        let script = path.canonicalize().ok()?;
        let dir = script.parent()?;
        let binary = if dir == self.root.join("usr/bin").canonicalize().ok()? {
            self.root.join("usr/lib/chromium").join(script.file_name()?)
        } else if script.file_name()? == "google-chrome" {
            dir.join("chrome")
        } else {
            return None;
        };
        (fault(&binary).is_none() && !is_script(&binary)).then_some(binary)
    }

    fn remedy(&self) -> &'static str {
        let release = fs::read_to_string(self.root.join("etc/os-release")).unwrap_or_default();
        if release.lines().any(|line| line == "ID=debian") {
            "as root: `apt-get install chromium-headless-shell`"
        } else {
            "install chrome-headless-shell, Chromium or Google Chrome, and name it in PLIMSOLL_CHROMIUM if it is elsewhere"
        }
    }
}

fn kind(path: &Path) -> BrowserKind {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    if name.contains("headless-shell") || name.contains("headless_shell") {
        BrowserKind::HeadlessShell
    } else if name.contains("chromium") {
        BrowserKind::Chromium
    } else {
        BrowserKind::Chrome
    }
}

fn is_script(path: &Path) -> bool {
    let mut start = [0; 2];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && &start == b"#!"
}

fn places(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    const BINARY: &str = "\x7fELF";
    const SCRIPT: &str = "#!/bin/sh -e\n";

    /// A machine made of files below a directory, with `usr/bin` on its `PATH`.
    struct Fixture {
        root: tempfile::TempDir,
        variables: Vec<(&'static str, PathBuf)>,
    }

    impl Fixture {
        fn with(files: &[(&str, &str)]) -> Self {
            let fixture = Self { root: tempfile::tempdir().expect("a directory"), variables: Vec::new() };
            fs::create_dir_all(fixture.path("usr/bin")).expect("writable");
            files.iter().for_each(|(path, content)| fixture.write(path, content, 0o755));
            fixture
        }

        fn path(&self, path: &str) -> PathBuf {
            self.root.path().join(path)
        }

        fn write(&self, path: &str, content: &str, mode: u32) {
            let path = self.path(path);
            fs::create_dir_all(path.parent().expect("has a parent")).expect("writable");
            fs::write(&path, content).expect("writable");
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
        }

        fn find(&self, configured: Option<&str>) -> Result<BrowserBinary, FindError> {
            let variable = |name: &str| {
                let set = self
                    .variables
                    .iter()
                    .find(|(set, _)| *set == name)
                    .map(|(_, value)| value.clone().into());
                if name == "PATH" { Some(self.path("usr/bin").into()) } else { set }
            };
            let configured = configured.map(|path| NamedPath::new(self.path(path), "settings.browser"));
            Machine { root: self.root.path(), variable: &variable }.find(configured.as_ref())
        }

        fn found(
            &self,
            path: &str,
            kind: BrowserKind,
            source: BrowserSource,
        ) -> Result<BrowserBinary, FindError> {
            Ok(BrowserBinary { path: self.path(path), kind, source })
        }
    }

    #[test]
    fn a_headless_shell_in_a_known_place_beats_a_full_browser_on_the_path() {
        let machine = Fixture::with(&[("usr/bin/google-chrome", BINARY)]);
        assert_eq!(
            machine.find(None),
            machine.found("usr/bin/google-chrome", BrowserKind::Chrome, BrowserSource::Path)
        );
        machine.write("usr/lib/chromium/chromium-headless-shell", BINARY, 0o755);
        let shell = "usr/lib/chromium/chromium-headless-shell";
        assert_eq!(
            machine.find(None),
            machine.found(shell, BrowserKind::HeadlessShell, BrowserSource::KnownPlace)
        );
    }

    #[test]
    fn settings_beat_the_environment_which_beats_the_path() {
        let mut machine = Fixture::with(&[
            ("usr/bin/chromium", BINARY),
            ("a/chromium", BINARY),
            ("b/chrome", BINARY),
            ("c/chrome", BINARY),
        ]);
        machine.variables.push(("CHROME_PATH", machine.path("c/chrome")));
        let by = BrowserSource::Named;
        assert_eq!(machine.find(None), machine.found("c/chrome", BrowserKind::Chrome, by("CHROME_PATH")));
        machine.variables.push(("PLIMSOLL_CHROMIUM", machine.path("b/chrome")));
        assert_eq!(
            machine.find(None),
            machine.found("b/chrome", BrowserKind::Chrome, by("PLIMSOLL_CHROMIUM"))
        );
        let configured =
            machine.found("a/chromium", BrowserKind::Chromium, BrowserSource::Named("settings.browser"));
        assert_eq!(machine.find(Some("a/chromium")), configured);
    }

    #[test]
    fn a_wrong_word_is_an_error_even_where_another_browser_is_installed() {
        let mut machine = Fixture::with(&[("usr/bin/chromium", BINARY)]);
        machine.write("plain", BINARY, 0o644);
        let cases = [
            ("absent", PathFault::Missing),
            ("usr", PathFault::NotAFile),
            ("plain", PathFault::NotExecutable),
        ];
        for (path, fault) in cases {
            let origin = "settings.browser";
            let expected = FindError::Named { path: machine.path(path), origin, fault };
            assert_eq!(machine.find(Some(path)), Err(expected));
        }
        machine.variables.push(("PLIMSOLL_CHROMIUM", machine.path("absent")));
        let expected = FindError::Named {
            path: machine.path("absent"),
            origin: "PLIMSOLL_CHROMIUM",
            fault: PathFault::Missing,
        };
        assert_eq!(machine.find(None), Err(expected));
    }

    #[test]
    fn a_distributions_script_leads_to_its_binary() {
        let machine = Fixture::with(&[
            ("usr/bin/chromium-headless-shell", SCRIPT),
            ("usr/lib/chromium/chromium-headless-shell", BINARY),
        ]);
        let shell = "usr/lib/chromium/chromium-headless-shell";
        assert_eq!(machine.find(None), machine.found(shell, BrowserKind::HeadlessShell, BrowserSource::Path));

        let google = Fixture::with(&[
            ("opt/google/chrome/google-chrome", SCRIPT),
            ("opt/google/chrome/chrome", BINARY),
        ]);
        symlink(google.path("opt/google/chrome/google-chrome"), google.path("usr/bin/google-chrome"))
            .expect("writable");
        let chrome = "opt/google/chrome/chrome";
        assert_eq!(google.find(None), google.found(chrome, BrowserKind::Chrome, BrowserSource::Path));
    }

    #[test]
    fn a_script_of_ones_own_is_left_alone() {
        let machine = Fixture::with(&[("home/chromium", SCRIPT), ("usr/lib/chromium/chromium", BINARY)]);
        let own =
            machine.found("home/chromium", BrowserKind::Chromium, BrowserSource::Named("settings.browser"));
        assert_eq!(machine.find(Some("home/chromium")), own);
        let unpaired = Fixture::with(&[("usr/bin/chromium", SCRIPT)]);
        let script = unpaired.found("usr/bin/chromium", BrowserKind::Chromium, BrowserSource::Path);
        assert_eq!(unpaired.find(None), script);
    }

    #[test]
    fn an_empty_machine_is_told_what_was_tried_and_what_to_do() {
        let machine = Fixture::with(&[]);
        let elsewhere = machine.find(None).expect_err("no browser").to_string();
        assert!(
            elsewhere.contains("PLIMSOLL_CHROMIUM") && elsewhere.contains("usr/lib/chromium/chromium"),
            "{elsewhere}"
        );
        machine.write("etc/os-release", "NAME=\"Debian\"\nID=debian\n", 0o644);
        let debian = machine.find(None).expect_err("no browser").to_string();
        assert!(debian.contains("apt-get install chromium-headless-shell"), "{debian}");
    }
}
