//! [`Facts`]: the data from which the findings are derived, gathered from the machine and the chosen driver. Only this
//! file, `trial` and `fonts` access the machine.

use std::path::{Path, PathBuf};

use plimsoll_core::policy::{Disk, Reading};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_core::units::{Bytes, Ratio};
use plimsoll_host::browser::{BrowserBinary, FindError, find};
use plimsoll_host::executable::NamedPath;
use plimsoll_host::identity::{Identity, IdentityError};
use plimsoll_host::profile::{self, ProfileError, ProfileRoot};
use plimsoll_host::readings::{Machine, PsiTrigger, StallLine};
use plimsoll_host::sandbox::{SandboxObstacle, obstacle};

use super::fonts;
use super::trial::{self, Trial};
use crate::failure::with_causes;
use plimsoll::capacity::{ContextCost, MachineCapacity};
use plimsoll::compose::{ConfiguredDriver, DriverFactory, expected_cost};
use plimsoll::process_limits;
use plimsoll::settings::Settings;

/// Facts about the machine and about what the settings require.
#[derive(Debug)]
pub(super) struct Facts {
    /// The driver of jobs that no rule matches.
    pub(super) driver: String,
    /// What that driver starts or connects to.
    pub(super) target: Target,
    /// The resources that its contexts use on this machine.
    pub(super) cost: ContextCost,
    /// Whether a browser of that driver could be started and used.
    pub(super) trial: Trial,
    /// The user that browsers run as.
    pub(super) identity: Result<Identity, IdentityError>,
    /// The sandbox of browsers that run here; `None` when the driver starts none.
    pub(super) sandbox: Option<Confinement>,
    /// Where profiles are kept, or why they cannot be.
    pub(super) profiles: Result<PathBuf, ProfileError>,
    /// The readings of the sensors.
    pub(super) reading: Reading,
    /// Blind sensors, each with the reason.
    pub(super) blind: Vec<(&'static str, String)>,
    /// The file in which the kernel reports memory stalls, or why there is no such report.
    pub(super) alarm: Result<PathBuf, String>,
    /// `/dev/shm`.
    pub(super) shared_memory: Option<Disk>,
    /// Font files that browsers find.
    pub(super) fonts: usize,
    /// Processors this program may use.
    pub(super) cores: usize,
    /// The capacity for contexts, with the shares that the settings allow.
    pub(super) capacity: MachineCapacity,
    /// The share of the disk and its inodes at which pressure begins.
    pub(super) disk_line: Ratio,
    /// Contexts that the settings allow at once.
    pub(super) asked: u32,
    /// Contexts that the settings allow in one browser.
    pub(super) contexts_per_browser: u32,
}

/// What the chosen driver starts or connects to.
#[derive(Debug)]
pub(super) enum Target {
    /// The browser of the CDP driver, with its version if that is known.
    Browser(Result<BrowserBinary, FindError>, Option<String>),
    /// What another driver runs on, or why it cannot be set up.
    Driver(Result<Option<String>, String>),
}

/// How renderers are confined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Confinement {
    /// This setting turns the sandbox off.
    Off(&'static str),
    /// The kernel prevents the sandbox.
    Hindered(SandboxObstacle),
    /// Nothing known prevents the sandbox.
    Free,
}

/// Gathers all facts. Starts a browser, which takes one or two seconds, unless a known fault prevents it.
pub(super) async fn gather(settings: &Settings, supervisor: &Supervisor, clock: Clock) -> Facts {
    let root = Path::new("/");
    let driver = settings.default_driver();
    let identity = Identity::for_browsers();
    let base = settings.profiles.root.clone().unwrap_or_else(profile::default_base);
    let user = identity.as_ref().cloned().unwrap_or(Identity::Current);
    let profiles = ProfileRoot::open(&base, &user).map(drop);
    let mut machine = Machine::new(root, &base);
    let reading = machine.read(clock.now());

    // The factory needs both, and each has a finding of its own.
    let factory = match (&identity, &profiles) {
        (Ok(_), Ok(())) => {
            DriverFactory::open(settings, supervisor, clock).await.map_err(|error| error.to_string())
        }
        _ => Err("see the user and the profiles below".to_owned()),
    };
    let set_up = match &factory {
        Ok(factory) => factory.configure(driver).await.map_err(|error| error.to_string()),
        Err(why) => Err(why.clone()),
    };
    let cost = set_up.as_ref().map_or_else(|_| expected_cost(settings, driver), |set_up| set_up.cost);
    let cores = process_limits::cores();
    let asked = settings.limits.max_contexts;
    let capacity = MachineCapacity::of(settings, &[(cost, asked)], &reading, cores);
    let sandbox = confinement(settings, driver, cost);
    let hindered = matches!(sandbox, Some(Confinement::Hindered(_))) || capacity.refusal.is_some();
    let trial = match &set_up {
        Ok(ConfiguredDriver { driver, .. }) if !hindered => {
            trial::start(driver.as_ref(), settings.timeouts.launch, clock).await
        }
        _ => Trial::NotTried,
    };
    let target = match driver {
        "cdp" => {
            let named = settings.driver.cdp.executable.as_ref();
            let browser = find(named.map(|path| NamedPath::new(path, "driver.cdp.executable")).as_ref());
            let version = match &browser {
                Ok(binary) if trial != Trial::NotTried => {
                    trial::version(&binary.path, &user, supervisor).await
                }
                _ => None,
            };
            Target::Browser(browser, version)
        }
        _ => Target::Driver(set_up.map(|set_up| set_up.about)),
    };
    let alarm = PsiTrigger::arm(&machine.memory_pressure_files(), StallLine::default());
    let [disk_line, ..] = settings.pressure.profile.config().disk.enter;
    Facts {
        driver: driver.to_owned(),
        target,
        cost,
        trial,
        identity,
        sandbox,
        profiles: profiles.map(|()| base),
        reading,
        blind: machine.blind().iter().map(|blind| (blind.sensor, blind.cause.to_string())).collect(),
        alarm: alarm.map(|alarm| alarm.file().to_owned()).map_err(|error| with_causes(&error)),
        shared_memory: shared_memory(),
        fonts: fonts::count(root),
        cores,
        capacity,
        disk_line,
        asked,
        contexts_per_browser: settings.driver.contexts_per_browser(driver),
    }
}

/// How the browsers that `driver` starts here are confined.
fn confinement(settings: &Settings, driver: &str, cost: ContextCost) -> Option<Confinement> {
    let (wanted, key) = match driver {
        "cdp" => (settings.driver.cdp.sandbox, "driver.cdp.sandbox"),
        "webdriver" if cost != ContextCost::Light => {
            (settings.driver.webdriver.sandbox, "driver.webdriver.sandbox")
        }
        _ => return None,
    };
    Some(match obstacle(Path::new("/")) {
        _ if !wanted => Confinement::Off(key),
        Some(obstacle) => Confinement::Hindered(obstacle),
        None => Confinement::Free,
    })
}

fn shared_memory() -> Option<Disk> {
    let stat = rustix::fs::statvfs("/dev/shm").ok()?;
    let bytes = |blocks: u64| Bytes(blocks.saturating_mul(stat.f_frsize));
    Some(Disk { free: bytes(stat.f_bavail), total: bytes(stat.f_blocks) })
}
