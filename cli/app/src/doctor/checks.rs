//! Derives the findings from the facts, in the order in which they are printed, without I/O.

use plimsoll_core::units::Bytes;
use plimsoll_host::browser::{BrowserBinary, BrowserKind, BrowserSource, FindError};
use plimsoll_host::identity::Identity;
use plimsoll_host::sandbox::SandboxObstacle;

use super::facts::{Confinement, Facts, Target};
use super::finding::Finding;
use super::limits;
use super::trial::Trial;
use crate::failure::with_causes;
use plimsoll::capacity::ContextCost;

/// Shared memory of ten contexts: 64 MiB, and no less than the amount below which browsers do not use it.
const SHARED_BY_TEN: Bytes = Bytes::mib(64);
const SHARED_AT_LEAST: Bytes = plimsoll_host::shared_memory::ENOUGH;

/// All findings.
pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let mut found = vec![target(facts), user(facts)];
    found.extend(sandbox(facts));
    found.push(profiles(facts));
    found.extend(trial(&facts.trial));
    found.extend(limits::findings(facts));
    if facts.cost != ContextCost::Light {
        found.extend([shared_memory(facts), fonts(facts.fonts)]);
    }
    found.push(alarm(facts));
    found.extend(facts.blind.iter().map(|(sensor, cause)| blind(sensor, cause)));
    found
}

fn target(facts: &Facts) -> Finding {
    let what = "driver";
    let name = &facts.driver;
    match &facts.target {
        Target::Browser(browser, version) => self::browser(browser, version.as_deref()),
        Target::Driver(Ok(None)) => Finding::good(what, name.clone()),
        Target::Driver(Ok(Some(about))) => Finding::good(what, format!("{name}: {about}")),
        Target::Driver(Err(why)) => Finding::missing(
            what,
            format!("{name}: {why}"),
            "fix the named reason, or choose another driver with driver.name",
        ),
    }
}

fn browser(found: &Result<BrowserBinary, FindError>, version: Option<&str>) -> Finding {
    let what = "browser";
    let binary = match found {
        Ok(binary) => binary,
        Err(FindError::NotFound { remedy, .. }) => {
            return Finding::missing(what, "none on PATH, nor where packages put one", *remedy);
        }
        Err(error @ FindError::Named { origin, .. }) => {
            return Finding::missing(
                what,
                error.to_string(),
                format!("name one that exists, or unset {origin}"),
            );
        }
    };
    let named = version.map(|version| format!("{version}, ")).unwrap_or_default();
    let kind = match binary.kind {
        BrowserKind::HeadlessShell => "headless shell",
        BrowserKind::Chromium => "full Chromium",
        BrowserKind::Chrome => "full Chrome",
    };
    let source = match binary.source {
        BrowserSource::Named(by) => format!("named by {by}"),
        BrowserSource::Path => "on PATH".to_owned(),
        BrowserSource::KnownPlace => "where packages put it".to_owned(),
    };
    let detail = format!("{named}{kind}, {source}: {}", binary.path.display());
    match binary.kind {
        BrowserKind::HeadlessShell => Finding::good(what, detail),
        // 100 contexts used 6.1 GB of PSS, against 1.7 GB in a headless shell.
        BrowserKind::Chromium | BrowserKind::Chrome => Finding::warning(
            what,
            format!("{detail}; a full browser takes 3.6 times the memory of a headless shell"),
            "install a headless shell, as in `apt-get install chromium-headless-shell`",
        ),
    }
}

fn user(facts: &Facts) -> Finding {
    let what = "user";
    match &facts.identity {
        Ok(Identity::Current) => Finding::good(what, "browsers run as the current user"),
        Ok(user @ Identity::User { .. }) => {
            Finding::good(what, format!("this process is root, browsers run as {user}"))
        }
        Err(error) => Finding::missing(what, with_causes(error), "useradd --system --user-group nobody"),
    }
}

fn sandbox(facts: &Facts) -> Option<Finding> {
    let what = "sandbox";
    Some(match facts.sandbox? {
        Confinement::Off(key) => Finding::warning(
            what,
            "off: a page that breaks its browser owns the browsers' user",
            format!("unset {key}"),
        ),
        Confinement::Hindered(obstacle) => {
            let setting = match obstacle {
                SandboxObstacle::CloneForbidden => "kernel.unprivileged_userns_clone is 0",
                SandboxObstacle::NoNamespaces => "user.max_user_namespaces is 0",
                SandboxObstacle::AppArmor => "kernel.apparmor_restrict_unprivileged_userns is 1",
            };
            let detail = format!("browsers cannot create the user namespaces it needs: {setting}");
            Finding::missing(what, detail, obstacle.remedy())
        }
        Confinement::Free => match facts.trial {
            Trial::Worked(_) => Finding::good(what, "on, and a browser found it usable"),
            _ => Finding::good(what, "no kernel setting forbids it"),
        },
    })
}

fn profiles(facts: &Facts) -> Finding {
    match &facts.profiles {
        Ok(path) => Finding::good("profiles", format!("kept in {}", path.display())),
        Err(error) => Finding::missing(
            "profiles",
            with_causes(error),
            "choose another place: `--set profiles.root=DIR` or PLIMSOLL_PROFILES__ROOT",
        ),
    }
}

fn trial(trial: &Trial) -> Option<Finding> {
    match trial {
        Trial::NotTried => None,
        Trial::Worked(took) => Some(Finding::good(
            "start",
            format!("a browser started and opened a context in {:.1} s", took.as_secs_f64()),
        )),
        Trial::Failed(why) => Some(Finding::missing(
            "start",
            format!("no browser could be used: {why}"),
            "fix the named reason; `PLIMSOLL_LOG=debug plimsoll doctor` shows more",
        )),
    }
}

fn shared_memory(facts: &Facts) -> Finding {
    let what = "shared memory";
    let wanted = Bytes(SHARED_BY_TEN.0.saturating_mul(u64::from(facts.asked)) / 10).max(SHARED_AT_LEAST);
    let remedy = format!(
        "mount -o remount,size={0}m /dev/shm (docker: `--shm-size={0}m`)",
        wanted.0.div_ceil(Bytes::mib(1).0)
    );
    match facts.shared_memory {
        Some(disk) if disk.free >= wanted => Finding::good(what, format!("{} free in /dev/shm", disk.free)),
        Some(disk) if disk.free >= SHARED_AT_LEAST => Finding::warning(
            what,
            format!("{} free in /dev/shm; {} contexts may want {wanted}", disk.free, facts.asked),
            remedy,
        ),
        Some(disk) => Finding::warning(
            what,
            format!(
                "{} free in /dev/shm: too little, so browsers use files instead, which is slower",
                disk.free
            ),
            remedy,
        ),
        None => Finding::warning(
            what,
            "no /dev/shm, so browsers use files instead, which is slower",
            "mount -t tmpfs tmpfs /dev/shm",
        ),
    }
}

fn fonts(count: usize) -> Finding {
    match count {
        0 => Finding::warning(
            "fonts",
            "none: text in screenshots and PDFs is empty boxes, and pages are laid out wrongly",
            "apt-get install fonts-liberation fonts-dejavu-core",
        ),
        count => Finding::good("fonts", format!("{count} font files")),
    }
}

fn alarm(facts: &Facts) -> Finding {
    match &facts.alarm {
        Ok(file) => Finding::good("memory alarm", format!("the kernel calls us through {}", file.display())),
        Err(why) => Finding::warning(
            "memory alarm",
            why.clone(),
            "boot with `psi=1`; before Linux 6.4 only root may set the alarm",
        ),
    }
}

fn blind(sensor: &str, cause: &str) -> Finding {
    Finding::warning(
        "blind sensor",
        format!("{sensor}: {cause}"),
        "mount /proc and /sys/fs/cgroup; limits that cannot be seen cannot be kept",
    )
}

#[cfg(test)]
mod tests;
