//! Whether browsers run in their sandbox, and which settings of this machine would disable it.
//!
//! Chromium's sandbox needs user namespaces that an ordinary user may create. Three kernel settings can forbid them;
//! each is readable, so the reason and its remedy are known before a browser fails to start. Obstacles that cannot be
//! read, such as a container's seccomp filter, show only at a launch.

use std::fmt;
use std::fs;
use std::path::Path;

use plimsoll_core::id::BrowserId;

/// Whether renderers, which run untrusted code, are confined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sandbox {
    /// They are confined, or no browser starts.
    #[default]
    On,
    /// They are not confined: a page that exploits the browser gets the rights of the browser's user.
    Off,
}

impl Sandbox {
    /// Checks, before a browser starts, that no known obstacle disables its sandbox on this machine.
    ///
    /// # Errors
    /// The obstacle. A sandbox that is off has none.
    pub fn check(self) -> Result<(), SandboxObstacle> {
        match self {
            Self::Off => Ok(()),
            Self::On => obstacle(Path::new("/")).map_or(Ok(()), Err),
        }
    }

    /// Logs a warning for a browser that starts without a sandbox.
    pub fn warn_if_off(self, browser: BrowserId) {
        if self == Self::Off {
            tracing::warn!(
                browser = browser.0,
                "started without a sandbox: a page that exploits the browser gets the rights of its user"
            );
        }
    }
}

/// A kernel setting that forbids ordinary users to create user namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SandboxObstacle {
    /// Debian's switch is off.
    CloneForbidden,
    /// The limit of user namespaces is zero.
    NoNamespaces,
    /// Ubuntu's AppArmor rule allows them to listed programs only.
    AppArmor,
}

impl SandboxObstacle {
    /// The command that removes the obstacle until the next boot, to be run as root.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::CloneForbidden => "sysctl kernel.unprivileged_userns_clone=1",
            Self::NoNamespaces => "sysctl user.max_user_namespaces=10000",
            Self::AppArmor => "sysctl kernel.apparmor_restrict_unprivileged_userns=0",
        }
    }
}

impl fmt::Display for SandboxObstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self {
            Self::CloneForbidden => "kernel.unprivileged_userns_clone is 0",
            Self::NoNamespaces => "user.max_user_namespaces is 0",
            Self::AppArmor => {
                "kernel.apparmor_restrict_unprivileged_userns is 1, so only browsers with an AppArmor profile may do so"
            }
        };
        let remedy = self.remedy();
        write!(
            f,
            "browsers cannot create the user namespaces their sandbox needs: {reason}; as root: `{remedy}`"
        )
    }
}

impl std::error::Error for SandboxObstacle {}

/// The first obstacle among the settings below `root` (`/`, or a copy of it); `None` when none is known.
#[must_use]
pub fn obstacle(root: &Path) -> Option<SandboxObstacle> {
    let setting =
        |path: &str| fs::read_to_string(root.join("proc/sys").join(path)).ok()?.trim().parse::<u64>().ok();
    [
        ("kernel/unprivileged_userns_clone", 0, SandboxObstacle::CloneForbidden),
        ("user/max_user_namespaces", 0, SandboxObstacle::NoNamespaces),
        ("kernel/apparmor_restrict_unprivileged_userns", 1, SandboxObstacle::AppArmor),
    ]
    .into_iter()
    .find_map(|(path, forbidding, obstacle)| (setting(path)? == forbidding).then_some(obstacle))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(settings: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a directory");
        for (path, value) in settings {
            let file = root.path().join("proc/sys").join(path);
            fs::create_dir_all(file.parent().expect("has a parent")).expect("writable");
            fs::write(file, value).expect("writable");
        }
        root
    }

    #[test]
    fn each_setting_that_forbids_is_named_with_its_remedy() {
        let cases = [
            ("kernel/unprivileged_userns_clone", "0\n", SandboxObstacle::CloneForbidden),
            ("user/max_user_namespaces", "0\n", SandboxObstacle::NoNamespaces),
            ("kernel/apparmor_restrict_unprivileged_userns", "1\n", SandboxObstacle::AppArmor),
        ];
        for (path, value, expected) in cases {
            let found = obstacle(machine(&[(path, value)]).path()).expect("an obstacle");
            assert_eq!(found, expected);
            assert!(found.to_string().contains(expected.remedy()), "{found}");
            assert!(found.to_string().contains(&path.replace('/', ".")), "{found}");
        }
    }

    #[test]
    fn a_permissive_or_unknown_machine_has_no_obstacle() {
        let permissive = [
            ("kernel/unprivileged_userns_clone", "1\n"),
            ("user/max_user_namespaces", "96365\n"),
            ("kernel/apparmor_restrict_unprivileged_userns", "0\n"),
        ];
        assert_eq!(obstacle(machine(&permissive).path()), None);
        assert_eq!(obstacle(machine(&[]).path()), None);
        assert_eq!(obstacle(machine(&[("user/max_user_namespaces", "many")]).path()), None);
    }
}
