//! The drivers under test, and their construction.
//!
//! The differences between drivers are stated here: contexts per browser, cases at a time, time limits. Their
//! *behaviour* must not differ.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use plimsoll_cdp::{CdpDriver, CdpSettings};
use plimsoll_core::port::Driver;
use plimsoll_host::executable::NamedPath;
// Linked so that cargo builds its library, which is loaded at run time.
use plimsoll_http as _;
use plimsoll_loader::{HostProgram, Isolation, Loader};
use plimsoll_sim::driver::{SimDriver, SimSettings};
use plimsoll_webdriver::{Family, Remote, WebDriverDriver, WebDriverSettings};
use serde_json::json;

use crate::case::Verdict;
use crate::rig::Machine;

/// The columns of the table.
pub(crate) const NAMES: [&str; 6] = ["cdp", "chromedriver", "geckodriver", "grid", "http", "sim"];

/// A driver under test.
pub(crate) struct Subject {
    /// The column in the table.
    pub(crate) name: &'static str,
    /// Contexts that one browser holds.
    pub(crate) room: usize,
    /// Cases at a time: on a small machine, more cases would only wait for each other.
    pub(crate) side_by_side: usize,
    /// The time limit of a step that should succeed.
    pub(crate) patience: Duration,
    /// The time that a step may take beyond its budget.
    pub(crate) grace: Duration,
    /// The number of moments at which a call is abandoned.
    pub(crate) moments: u32,
    /// Suites that the driver only models: it answers, but nothing happens in a page.
    pub(crate) models: &'static [&'static str],
    /// Cases in which the driver is known to differ, and why.
    pub(crate) differs: &'static [(&'static str, Known)],
    /// Makes the driver.
    pub(crate) make: Make,
}

/// How a driver is made.
pub(crate) type Make = for<'a> fn(&'a Machine) -> LocalBoxFuture<'a, Arc<dyn Driver>>;

/// A known difference of a driver in a case, and its reason.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Known {
    /// The case fails; if it passes, it must be removed from the list.
    Always(&'static str),
    /// The case fails or passes, because of a race in a program that is not ours. The message of a failure must
    /// contain one of these texts; any other failure counts.
    AtTimes(&'static str, &'static [&'static str]),
}

const NO_SCRIPTS: &str = "the page's scripts do not run";

impl Subject {
    /// The verdict on a case, with the driver's known differences applied.
    pub(crate) async fn judged(
        &self,
        suite: &str,
        case: &str,
        verdict: impl Future<Output = Verdict>,
    ) -> Verdict {
        if self.models.contains(&suite) {
            return Verdict::Modelled;
        }
        let known = self.differs.iter().find(|(differs, _)| *differs == case);
        match (known.map(|(_, known)| *known), verdict.await) {
            (Some(Known::Always(why)), Verdict::Failed(_)) => Verdict::Differs(why),
            (Some(Known::AtTimes(why, _)), Verdict::Passed) => Verdict::Differs(why),
            (Some(Known::AtTimes(why, texts)), Verdict::Failed(how))
                if texts.iter().any(|text| how.contains(text)) =>
            {
                Verdict::Differs(why)
            }
            (Some(Known::AtTimes(..)), Verdict::Failed(how)) => {
                Verdict::Failed(format!("it fails otherwise than it is known to: {how}"))
            }
            (Some(_), other) => {
                Verdict::Failed(format!("it is listed as known to differ, but: {}", other.cell()))
            }
            (None, verdict) => verdict,
        }
    }
}

/// Chromium over the DevTools protocol.
pub(crate) fn cdp() -> Subject {
    Subject {
        name: "cdp",
        room: 20,
        side_by_side: 6,
        patience: Duration::from_secs(15),
        grace: Duration::from_millis(500),
        moments: 12,
        models: &[],
        differs: &[],
        make: |machine| {
            ready({
                let parts = plimsoll_host::machine::Machine {
                    spawner: machine.spawner.clone(),
                    identity: machine.identity.clone(),
                    profiles: Arc::clone(&machine.profiles),
                };
                let driver =
                    CdpDriver::new(CdpSettings::default(), parts, &machine.supervisor, machine.clock);
                Arc::new(driver.expect("a Chromium; `cargo xtask setup` brings one"))
            })
        },
    }
}

/// Chromium over WebDriver: a chromedriver holds several sessions.
pub(crate) fn chromedriver() -> Subject {
    Subject {
        name: "chromedriver",
        room: 8,
        side_by_side: 4,
        patience: Duration::from_secs(20),
        grace: Duration::from_secs(1),
        moments: 8,
        make: |machine| ready(webdriver(machine, WebDriverSettings::default())),
        ..cdp()
    }
}

/// Firefox over WebDriver: a geckodriver holds one session, which costs seconds.
pub(crate) fn geckodriver() -> Subject {
    Subject {
        name: "geckodriver",
        room: 1,
        side_by_side: 2,
        patience: Duration::from_secs(30),
        moments: 4,
        differs: &[
            ("a_download_is_no_page", Known::Always("a timeout: WebDriver says nothing of downloads")),
            (
                "an_answer_without_content_is_no_page",
                Known::Always("a timeout: WebDriver says nothing of such answers"),
            ),
            (
                "an_answer_that_breaks_off_is_no_page",
                Known::Always("a timeout: WebDriver says nothing of broken answers"),
            ),
            ("a_download_is_refused_and_counted", Known::Always("refused, but not counted")),
            ("cookies_of_other_sites_are_set", Known::Always("WebDriver sets cookies of the open page only")),
            // Observed: in some runs the job's own window is gone after the storm.
            (
                "a_storm_of_popups_harms_nobody",
                Known::AtTimes("the storm may cost the job its own page", &["the page closed itself"]),
            ),
            // Firefox's processes decide which comes first: geckodriver notices that the tab is gone, or that
            // Marionette is.
            (
                "a_killed_renderer_is_a_page_crash",
                Known::AtTimes(
                    "Firefox closes the page, as if it had closed itself, or ends with it",
                    &["the page closed itself", "browser_crash"],
                ),
            ),
            (
                "a_browser_that_hangs_is_told",
                Known::Always("each step ends in time, but its silence is not told"),
            ),
        ],
        make: |machine| {
            ready({
                let settings = WebDriverSettings { family: Family::Firefox, ..WebDriverSettings::default() };
                webdriver(
                    machine,
                    WebDriverSettings {
                        driver: Some(NamedPath::new(geckodriver_in(machine), "this test")),
                        ..settings
                    },
                )
            })
        },
        ..chromedriver()
    }
}

/// Chromium over WebDriver through a Selenium Grid, where a browser is a share of the grid.
pub(crate) fn grid() -> Subject {
    Subject {
        name: "grid",
        patience: Duration::from_secs(30),
        differs: &[
            (
                "a_killed_driver_process_ends_its_contexts",
                Known::Always(
                    "a grid outlives its drivers: the context ends, the share of the grid does not",
                ),
            ),
            (
                "a_stopped_browser_holds_nothing_up",
                Known::Always(
                    "each call ends in time, but the grid's driver leaves a stopped browser behind",
                ),
            ),
            ("a_browser_that_hangs_is_told", Known::Always("a grid answers for a driver that hangs")),
        ],
        make: |machine| {
            async {
                let remote = Remote::parse(&machine.grid().await.url, 1).expect("an address");
                webdriver(
                    machine,
                    WebDriverSettings { remotes: vec![remote], ..WebDriverSettings::default() },
                )
            }
            .boxed_local()
        },
        ..chromedriver()
    }
}

fn ready(driver: Arc<dyn Driver>) -> LocalBoxFuture<'static, Arc<dyn Driver>> {
    std::future::ready(driver).boxed_local()
}

fn webdriver(machine: &Machine, settings: WebDriverSettings) -> Arc<dyn Driver> {
    let parts = plimsoll_host::machine::Machine {
        spawner: machine.spawner.clone(),
        identity: machine.identity.clone(),
        profiles: Arc::clone(&machine.profiles),
    };
    let driver = WebDriverDriver::new(settings, parts, &machine.supervisor, machine.clock);
    Arc::new(driver.expect("a driver and its browser; `cargo xtask setup` brings them"))
}

/// A copy of geckodriver that the user of the browsers can start: the build directory may be private.
fn geckodriver_in(machine: &Machine) -> PathBuf {
    let built = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/bin/geckodriver");
    let from = std::env::var_os("PLIMSOLL_GECKODRIVER").map_or_else(built, PathBuf::from);
    let to = machine.dir().join("geckodriver");
    if !to.exists() {
        std::fs::copy(&from, &to)
            .unwrap_or_else(|e| panic!("{}: {e}; run `cargo xtask setup`", from.display()));
    }
    to
}

/// No browser: the server's response is read as a browser would. This library is loaded as the program loads it, into
/// a process of its own.
pub(crate) fn http() -> Subject {
    Subject {
        name: "http",
        differs: &[
            ("dialogs_are_counted", Known::Always(NO_SCRIPTS)),
            ("half_an_emoji_becomes_a_replacement_character", Known::Always(NO_SCRIPTS)),
            ("no_storage_is_found_in_another_context", Known::Always(NO_SCRIPTS)),
            ("no_service_worker_answers_in_another_context", Known::Always(NO_SCRIPTS)),
            (
                "a_step_s_own_timeout_is_kept",
                Known::Always("told at once: without scripts what is not there will not come"),
            ),
            (
                "pages_that_never_come_end_with_their_budget",
                Known::Always("a page whose scripts are busy is there: they do not run"),
            ),
        ],
        make: |machine| {
            async {
                let args = ["--exact", "plugin_host", "--ignored", "--nocapture"].map(Into::into).into();
                let loader = Loader {
                    spawner: machine.spawner.clone(),
                    supervisor: machine.supervisor.clone(),
                    clock: machine.clock,
                    program: HostProgram { program: "/proc/self/exe".into(), args },
                };
                let test = std::env::current_exe().expect("this test");
                let library = test.with_file_name("libplimsoll_http.so");
                let driver = loader.load(&library, Isolation::Process, json!({})).await;
                Arc::new(driver.expect("a library beside this test")) as Arc<dyn Driver>
            }
            .boxed_local()
        },
        ..cdp()
    }
}

/// No browser: a seed decides all values.
pub(crate) fn sim() -> Subject {
    Subject {
        name: "sim",
        models: &[
            "pages",
            "proxies",
            "pointing",
            "forms",
            "waiting",
            "scripts",
            "results",
            "unicode",
            "isolation",
            "deadlines",
        ],
        make: |machine| ready(Arc::new(SimDriver::new(SimSettings::default(), &machine.supervisor))),
        ..cdp()
    }
}
