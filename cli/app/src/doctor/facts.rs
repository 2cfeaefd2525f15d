//! [`Facts`]: all that the findings are drawn from, gathered from the machine. Only this file and those of `trial` and
//! `fonts` touch it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use plimsoll_core::policy::pressure::{Disk, Reading};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_core::units::Bytes;
use plimsoll_host::browser::{BrowserBinary, FindError, find};
use plimsoll_host::executable::NamedPath;
use plimsoll_host::identity::{Identity, IdentityError};
use plimsoll_host::profile::{self, ProfileError, ProfileRoot};
use plimsoll_host::readings::{Machine, PsiTrigger, StallLine};
use plimsoll_host::sandbox::{SandboxObstacle, obstacle};

use super::fonts;
use super::trial::{self, Trial};
use crate::failure::with_causes;
use plimsoll::carry::{self, LoadLine, Refusal};
use plimsoll::settings::Settings;

/// What is known of the machine and of what is asked of it.
#[derive(Debug)]
pub(super) struct Facts {
    /// The browser that would be started.
    pub(super) browser: Result<BrowserBinary, FindError>,
    /// What it calls itself.
    pub(super) version: Option<String>,
    /// How it did when it was started.
    pub(super) trial: Trial,
    /// Whom browsers run as.
    pub(super) identity: Result<Identity, IdentityError>,
    /// Whether the settings want a sandbox, and what stands in its way.
    pub(super) sandbox: Confinement,
    /// Where profiles are kept, or why they cannot be.
    pub(super) profiles: Result<PathBuf, ProfileError>,
    /// What the sensors say.
    pub(super) reading: Reading,
    /// Sensors that say nothing, each with the reason.
    pub(super) blind: Vec<(&'static str, String)>,
    /// The file on which the kernel would call us when memory stalls, or why it will not.
    pub(super) alarm: Result<PathBuf, String>,
    /// `/dev/shm`.
    pub(super) shared_memory: Option<Disk>,
    /// Font files that browsers find.
    pub(super) fonts: usize,
    /// Processors this program may use.
    pub(super) cores: usize,
    /// What limits contexts.
    pub(super) line: LoadLine,
    /// Why not one fits, if so.
    pub(super) refusal: Option<Refusal>,
    /// Contexts that the settings allow at once.
    pub(super) asked: u32,
    /// Contexts that the settings allow in one browser.
    pub(super) contexts_per_browser: u32,
}

/// How renderers are confined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Confinement {
    /// The settings turn it off.
    Off,
    /// The kernel is in its way.
    Hindered(SandboxObstacle),
    /// Nothing known is in its way.
    Free,
}

/// Looks at everything. Starts a browser when nothing speaks against it, so this takes a second or two.
pub(super) async fn gather(settings: &Settings, supervisor: &Supervisor, clock: Clock) -> Facts {
    let root = Path::new("/");
    let cdp = &settings.driver.cdp;
    let named = cdp.executable.as_ref().map(|path| NamedPath::new(path, "driver.cdp.executable"));
    let browser = find(named.as_ref());
    let identity = Identity::for_browsers();
    let base = settings.profiles.root.clone().unwrap_or_else(profile::default_base);
    let user = identity.as_ref().cloned().unwrap_or(Identity::Current);
    let opened = ProfileRoot::open(&base, &user).map(Arc::new);
    let mut machine = Machine::new(root, &base);
    let reading = machine.read(clock.now());
    let cores = carry::cores();
    let line = LoadLine::of(&reading, cores, cdp.contexts_per_browser);
    let refusal = carry::refusal(&reading, &line);
    let sandbox = match obstacle(root) {
        _ if !cdp.sandbox => Confinement::Off,
        Some(obstacle) => Confinement::Hindered(obstacle),
        None => Confinement::Free,
    };
    let hindered = matches!(sandbox, Confinement::Hindered(_)) || refusal.is_some();
    let (version, trial) = match (&browser, &identity, &opened) {
        (Ok(binary), Ok(_), Ok(_)) if !hindered => (
            trial::version(&binary.path, &user, supervisor).await,
            trial::start(settings, supervisor, clock).await,
        ),
        _ => (None, Trial::NotTried),
    };
    let alarm = PsiTrigger::arm(&machine.memory_pressure_files(), StallLine::default());
    Facts {
        browser,
        version,
        trial,
        identity,
        sandbox,
        profiles: opened.map(|_| base),
        reading,
        blind: machine.blind().iter().map(|blind| (blind.sensor, blind.cause.to_string())).collect(),
        alarm: alarm.map(|alarm| alarm.file().to_owned()).map_err(|error| with_causes(&error)),
        shared_memory: shared_memory(),
        fonts: fonts::count(root),
        cores,
        line,
        refusal,
        asked: settings.limits.max_contexts,
        contexts_per_browser: cdp.contexts_per_browser,
    }
}

fn shared_memory() -> Option<Disk> {
    let stat = rustix::fs::statvfs("/dev/shm").ok()?;
    let bytes = |blocks: u64| Bytes(blocks.saturating_mul(stat.f_frsize));
    Some(Disk { free: bytes(stat.f_bavail), total: bytes(stat.f_blocks) })
}
