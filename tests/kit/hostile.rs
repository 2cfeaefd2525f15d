//! One attack: the program runs the attacking job beside ten healthy ones, which must not notice it.
//!
//! ```text
//!   jobs.jsonl ─► plimsoll run --out ─► results.jsonl, report.json ─► verdict ─► Ended { deviations, ... }
//!        └─ one attacker, ten siblings, in one browser if the driver has such    └─ none when all is well
//! ```
//!
//! The siblings have a site of their own, so that what an attack does to its server delays nobody. An attempt that a
//! neighbour lost is not among a job's attempts, so the siblings' site counts how often they came.

mod verdict;

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use plimsoll_check::nasty_site;
use plimsoll_check::nasty_site::attacks::Attack;
use plimsoll_check::processes;
use plimsoll_check::site::{LOOPBACK, Site};
use serde_json::{Value, json};

use crate::patience;

use verdict::Left;
pub use verdict::{Ended, SIBLINGS};

/// The time limit of one attempt of an attacking job.
const DEADLINE: Duration = Duration::from_secs(5);
/// The time limit of a run, which no run reaches.
const AMPLE: Duration = Duration::from_secs(180);
/// Variables that name programs, which the program reads.
const PROGRAMS: [&str; 4] =
    ["PLIMSOLL_CHROMIUM", "PLIMSOLL_CHROMEDRIVER", "PLIMSOLL_FIREFOX", "PLIMSOLL_GECKODRIVER"];
/// The time in which processes must be gone after a run.
const GONE: Duration = Duration::from_secs(5);

/// A driver under attack.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name in tables, and among the drivers that a machine may lack.
    pub name: &'static str,
    settings: &'static [&'static str],
}

/// Every driver with real browsers. A browser of the first holds all jobs of a run at once. The others have a browser for
/// each job, and as many at once as the machine carries.
pub const TARGETS: [Target; 3] = [
    Target { name: "cdp", settings: &["driver.name=cdp", "limits.policy=fixed"] },
    Target {
        name: "chromedriver",
        settings: &["driver.name=webdriver", "driver.webdriver.shared_machine=allow"],
    },
    Target {
        name: "geckodriver",
        settings: &[
            "driver.name=webdriver",
            "driver.webdriver.browser=firefox",
            "driver.webdriver.shared_machine=allow",
        ],
    },
];

/// Runs `plimsoll` with `attack` on `target`, in the empty directory `dir`.
///
/// # Errors
/// When the sites cannot be served, or the program cannot be started.
pub fn run(plimsoll: &Path, dir: &Path, target: Target, attack: &Attack) -> io::Result<Ended> {
    let (hostile, healthy) = (nasty_site::serve(LOOPBACK)?, nasty_site::serve(LOOPBACK)?);
    fs::write(dir.join("jobs.jsonl"), jobs(attack, &hostile, &healthy))?;
    let profiles = dir.join("profiles");
    let mut program = start(plimsoll, dir, &profiles, target)?;
    let pid = i32::try_from(program.id()).map_err(io::Error::other)?;
    let mut peak_kib = 0;
    let ended = patience::within(AMPLE, || {
        peak_kib = processes::peak_kib(pid).unwrap_or(0).max(peak_kib);
        !matches!(program.try_wait(), Ok(None))
    });
    if ended.is_none() {
        // Its browsers end with their pipes.
        program.kill()?;
        program.wait()?;
    }
    let lines = fs::read_to_string(dir.join("out/results.jsonl")).unwrap_or_default();
    let report = fs::read_to_string(dir.join("out/report.json")).unwrap_or_default();
    let left = Left {
        results: lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(),
        report: serde_json::from_str(&report).unwrap_or_default(),
        peak_kib,
        openings: (0..SIBLINGS).map(|n| healthy.hits(&sibling_path(n))).sum(),
        remains: remains(&profiles),
    };
    Ok(verdict::judged(attack, DEADLINE, &left))
}

#[expect(clippy::disallowed_methods, reason = "the program is waited for, and killed when it does not end")]
fn start(plimsoll: &Path, dir: &Path, profiles: &Path, target: Target) -> io::Result<Child> {
    let mut command = Command::new(plimsoll);
    // The variables of the tests are no settings of the program.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("PLIMSOLL_") && !PROGRAMS.contains(&name.as_ref()) {
            command.env_remove(name.as_ref());
        }
    }
    command.args(["run", "jobs.jsonl", "--out", "out", "--progress", "none"]);
    command.arg("--set").arg(format!("profiles.root={}", profiles.display()));
    command.arg("--set").arg(format!("driver.cdp.contexts_per_browser={}", SIBLINGS + 1));
    target.settings.iter().for_each(|setting| {
        command.args(["--set", setting]);
    });
    command.current_dir(dir).env("TMPDIR", dir).stdin(Stdio::null());
    command.stdout(File::create(dir.join("stdout"))?).stderr(File::create(dir.join("stderr"))?);
    command.spawn()
}

fn jobs(attack: &Attack, hostile: &Site, healthy: &Site) -> String {
    let address = hostile.url(&attack.path());
    let steps: Value = serde_json::from_str(&attack.steps(&address)).unwrap_or_default();
    let deadline = format!("{}ms", DEADLINE.as_millis());
    let attacker = json!({"id": "attacker", "url": address, "steps": steps, "timeout": deadline});
    let siblings = (0..SIBLINGS).map(|n| sibling(n, healthy));
    std::iter::once(attacker).chain(siblings).map(|job| format!("{job}\n")).collect()
}

/// A job that does a little of everything, for longer than an attack needs to begin.
fn sibling(n: usize, site: &Site) -> Value {
    let dwell = json!({"evaluate": "new Promise(done => setTimeout(() => done(1), 1500))"});
    json!({"id": format!("sibling-{n}"), "url": site.url(&sibling_path(n)), "timeout": "90s", "steps": [
        dwell, {"extract": {"first": "h1"}},
        {"goto": site.url("/select")}, {"select": {"selector": "#one", "value": "a"}}, {"check": "#box"},
        {"wait_for": {"text": "a box"}}, dwell, {"screenshot": "page"},
        {"goto": site.url("/nested")}, {"extract": {"second": {"all": "h2"}}}, {"get_cookies": {}}, dwell,
        {"evaluate": {"script": "document.title", "name": "third"}},
    ]})
}

fn sibling_path(n: usize) -> String {
    format!("/slow/{n}")
}

/// What is left of the browsers of `profiles`.
fn remains(profiles: &Path) -> Vec<String> {
    let mut left = Vec::new();
    patience::within(GONE, || {
        left = processes::of(profiles);
        left.is_empty()
    });
    let runs = fs::read_dir(profiles).into_iter().flatten().flatten();
    let runs = runs.map(|entry| format!("profile {}", entry.path().display()));
    left.iter().map(|process| format!("process {:.80}", process.args)).chain(runs).collect()
}
