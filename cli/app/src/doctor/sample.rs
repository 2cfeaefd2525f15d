//! Facts of machines for tests: a machine without faults, and one machine for each fault.

use std::io;
use std::time::Duration;

use plimsoll_core::policy::{Disk, MemoryUse, Reading, Sensed, Tally};
use plimsoll_core::time::Moment;
use plimsoll_core::units::{Bytes, Ratio};
use plimsoll_host::browser::{BrowserBinary, BrowserKind, BrowserSource, FindError};
use plimsoll_host::executable::PathFault;
use plimsoll_host::identity::{Identity, IdentityError};
use plimsoll_host::profile::ProfileError;
use plimsoll_host::sandbox::SandboxObstacle;

use super::facts::{Confinement, Facts, Target};
use super::finding::State;
use super::trial::Trial;
use plimsoll::capacity::{ContextCost, MachineCapacity};
use plimsoll::settings::Settings;

const NPROC: &str = "/proc/loadavg against RLIMIT_NPROC";

/// A change to a machine without faults; the finding it changes, the new state, and a part of its detail and remedy.
pub(super) type Case = (fn(&mut Facts), &'static str, State, &'static str, &'static str);

/// A machine without faults.
pub(super) fn facts() -> Facts {
    let reading = Reading {
        memory: seen(MemoryUse { used: Bytes::mib(2_892), limit: Bytes::mib(24_576) }, "/proc/meminfo"),
        pids: seen(Tally { used: 300, limit: 96_000 }, NPROC),
        fds: seen(Tally { used: 17, limit: 20_000 }, "/proc/self/fd against RLIMIT_NOFILE"),
        disk: seen(Disk { free: Bytes::gib(70), total: Bytes::gib(250) }, "statvfs of the profile root"),
        ..Reading::default()
    };
    let mut facts = Facts {
        driver: "cdp".to_owned(),
        target: Target::Browser(
            Ok(BrowserBinary {
                path: "/usr/lib/chromium/chromium-headless-shell".into(),
                kind: BrowserKind::HeadlessShell,
                source: BrowserSource::Path,
            }),
            Some("Chromium 156".to_owned()),
        ),
        cost: ContextCost::SharedBrowser,
        trial: Trial::Worked(Duration::from_millis(480)),
        identity: Ok(Identity::Current),
        sandbox: Some(Confinement::Free),
        profiles: Ok("/tmp/plimsoll-1000".into()),
        reading,
        blind: Vec::new(),
        alarm: Ok("/proc/pressure/memory".into()),
        shared_memory: Some(Disk { free: Bytes::gib(12), total: Bytes::gib(12) }),
        fonts: 38,
        cores: 2,
        capacity: MachineCapacity::of(&Settings::default(), &[], &Reading::default(), 2),
        disk_line: Ratio::percent(90),
        asked: 100,
        contexts_per_browser: 20,
    };
    reckon(&mut facts);
    facts
}

/// The facts of a case.
pub(super) fn changed(change: fn(&mut Facts)) -> Facts {
    let mut facts = facts();
    change(&mut facts);
    reckon(&mut facts);
    facts
}

/// A machine without faults, and the machines of all cases.
pub(super) fn all() -> Vec<Facts> {
    std::iter::once(facts()).chain(CASES.iter().map(|(change, ..)| changed(*change))).collect()
}

fn reckon(facts: &mut Facts) {
    let shares = [(facts.cost, facts.asked)];
    facts.capacity = MachineCapacity::of(&Settings::default(), &shares, &facts.reading, facts.cores);
}

fn seen<T>(value: T, source: &'static str) -> Option<Sensed<T>> {
    Some(Sensed { value, source, at: Moment::ZERO })
}

fn files(facts: &mut Facts, limit: u64) {
    facts.reading.fds = seen(Tally { used: 17, limit }, "/proc/self/fd against RLIMIT_NOFILE");
}

fn memory(facts: &mut Facts, used: Bytes, limit: Bytes) {
    facts.reading.memory = seen(MemoryUse { used, limit }, "cgroup v1 memory.usage_in_bytes");
}

fn disk(facts: &mut Facts, free: Bytes) {
    facts.reading.disk = seen(Disk { free, total: Bytes::gib(250) }, "statvfs of the profile root");
}

fn browser(facts: &mut Facts, kind: BrowserKind) {
    let (path, source) = ("/opt/google/chrome/chrome".into(), BrowserSource::KnownPlace);
    facts.target = Target::Browser(Ok(BrowserBinary { path, kind, source }), None);
}

/// Every fault.
pub(super) const CASES: &[Case] = &[
    (
        |facts| {
            let error = FindError::NotFound { tried: Vec::new(), remedy: "apt-get install it" };
            facts.target = Target::Browser(Err(error), None);
        },
        "browser",
        State::Missing,
        "none on PATH",
        "apt-get install it",
    ),
    (
        |facts| {
            let (path, origin) = ("/nope".into(), "CHROME_PATH");
            facts.target =
                Target::Browser(Err(FindError::Named { path, origin, fault: PathFault::Missing }), None);
        },
        "browser",
        State::Missing,
        "/nope named by CHROME_PATH does not exist",
        "unset CHROME_PATH",
    ),
    (|facts| browser(facts, BrowserKind::Chrome), "browser", State::Warning, "3.6 times", "headless-shell"),
    (|facts| browser(facts, BrowserKind::Chromium), "browser", State::Warning, "full Chromium", "apt-get"),
    (
        |facts| facts.identity = Err(IdentityError::NoSuchUser),
        "user",
        State::Missing,
        "must not run as root",
        "useradd --system",
    ),
    (
        |facts| facts.sandbox = Some(Confinement::Off("driver.cdp.sandbox")),
        "sandbox",
        State::Warning,
        "off",
        "driver.cdp.sandbox",
    ),
    (
        |facts| facts.sandbox = Some(Confinement::Hindered(SandboxObstacle::AppArmor)),
        "sandbox",
        State::Missing,
        "kernel.apparmor_restrict_unprivileged_userns is 1",
        "sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    (
        |facts| facts.sandbox = Some(Confinement::Hindered(SandboxObstacle::NoNamespaces)),
        "sandbox",
        State::Missing,
        "user.max_user_namespaces is 0",
        "sysctl user.max",
    ),
    (
        |facts| facts.sandbox = Some(Confinement::Hindered(SandboxObstacle::CloneForbidden)),
        "sandbox",
        State::Missing,
        "kernel.unprivileged_userns_clone is 0",
        "sysctl kernel.unpriv",
    ),
    (
        |facts| {
            let (path, source) = ("/ro".into(), io::Error::from(io::ErrorKind::PermissionDenied));
            facts.profiles = Err(ProfileError::Io { action: "create", path, source });
        },
        "profiles",
        State::Missing,
        "cannot create /ro: permission denied",
        "profiles.root=DIR",
    ),
    (
        |facts| facts.trial = Trial::Failed("it ended with signal 5".to_owned()),
        "start",
        State::Missing,
        "it ended with signal 5",
        "PLIMSOLL_LOG=debug",
    ),
    (
        |facts| {
            facts.driver = "webdriver".to_owned();
            facts.target = Target::Driver(Err("no geckodriver found".to_owned()));
            facts.trial = Trial::NotTried;
        },
        "driver",
        State::Missing,
        "webdriver: no geckodriver found",
        "driver.name",
    ),
    (|facts| files(facts, 64), "open files", State::Missing, "104 open files", "--nofile=65536"),
    (
        |facts| files(facts, 128),
        "open files",
        State::Warning,
        "5 contexts a browser, 20 are",
        "--nofile=65536",
    ),
    (|facts| facts.reading.fds = None, "open files", State::Warning, "cannot be seen", "mount /proc"),
    (
        |facts| facts.reading.pids = seen(Tally { used: 290, limit: 300 }, NPROC),
        "threads",
        State::Missing,
        "290 of 300 are in use",
        "--nproc=32768",
    ),
    (
        |facts| facts.reading.pids = seen(Tally { used: 9, limit: 512 }, "cgroup v2 pids.current"),
        "threads",
        State::Warning,
        "room for 33 contexts, 100 are asked for",
        "--pids-limit",
    ),
    (|facts| facts.reading.pids = None, "threads", State::Warning, "cannot be seen", "mount /proc"),
    (
        |facts| memory(facts, Bytes::ZERO, Bytes::mib(256)),
        "memory",
        State::Missing,
        "the limit is 256.0 MiB",
        "--memory 4g",
    ),
    (
        |facts| memory(facts, Bytes::mib(500), Bytes::gib(2)),
        "memory",
        State::Warning,
        "room for 38 contexts, 100 are asked for",
        "--memory 4g",
    ),
    (|facts| facts.reading.memory = None, "memory", State::Warning, "cannot be seen", "mount /proc"),
    (|facts| disk(facts, Bytes::mib(20)), "disk", State::Missing, "20.0 MiB of", "make room"),
    (|facts| disk(facts, Bytes::gib(1)), "disk", State::Warning, "1.00 GiB of 250.00 GiB", "make room"),
    (
        |facts| facts.reading.inodes = seen(Tally { used: 95, limit: 100 }, "statvfs of the profile root"),
        "disk",
        State::Warning,
        "inodes: 95 of 100",
        "make room",
    ),
    (|facts| facts.reading.disk = None, "disk", State::Warning, "cannot be seen", "profiles.root"),
    (
        |facts| facts.shared_memory = Some(Disk { free: Bytes::mib(64), total: Bytes::mib(64) }),
        "shared memory",
        State::Warning,
        "64.0 MiB free in /dev/shm: too little",
        "--shm-size=640m",
    ),
    (
        |facts| facts.shared_memory = Some(Disk { free: Bytes::mib(512), total: Bytes::mib(512) }),
        "shared memory",
        State::Warning,
        "100 contexts may want 640.0 MiB",
        "--shm-size=640m",
    ),
    (|facts| facts.shared_memory = None, "shared memory", State::Warning, "no /dev/shm", "mount -t tmpfs"),
    (|facts| facts.fonts = 0, "fonts", State::Warning, "empty boxes", "apt-get install fonts-"),
    (|facts| facts.alarm = Err("refused".to_owned()), "memory alarm", State::Warning, "refused", "psi=1"),
    (
        |facts| facts.blind = vec![("cgroup pids limit", "/sys/fs/cgroup/pids is missing".to_owned())],
        "blind sensor",
        State::Warning,
        "cgroup pids limit: /sys/fs/cgroup/pids is missing",
        "mount /proc",
    ),
];
