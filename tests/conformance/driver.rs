//! The drivers under test, and their construction.
//!
//! The differences between drivers are stated here: contexts per browser, cases at a time, time limits. Their
//! *behaviour* must not differ.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use plimsoll_cdp::{CdpDriver, CdpSettings};
use plimsoll_check::machine::{DriverSource, Machine};
use plimsoll_check::rig::Measures;
use plimsoll_core::port::Driver;
use plimsoll_host::executable::NamedPath;
// Linked so that cargo builds its library, which is loaded at run time.
use plimsoll_http as _;
use plimsoll_loader::{HostProgram, Isolation, Loader};
use plimsoll_sim::driver::{SimDriver, SimSettings};
use plimsoll_webdriver::{Family, Remote, WebDriverDriver, WebDriverSettings};
use serde_json::json;
use tokio::sync::OnceCell;

use crate::selenium::Grid;

/// The columns of the table.
pub(crate) const NAMES: [&str; 6] = ["cdp", "chromedriver", "geckodriver", "grid", "http", "sim"];

/// A driver under test.
pub(crate) struct Subject {
    /// The column in the table.
    pub(crate) name: &'static str,
    /// Cases at a time: on a small machine, more cases would only wait for each other.
    pub(crate) side_by_side: usize,
    /// Its limits.
    pub(crate) measures: Measures,
    /// Suites that the driver only models: it answers, but nothing happens in a page.
    pub(crate) models: &'static [&'static str],
    /// Cases in which the driver is known to differ, and why.
    pub(crate) differs: &'static [(&'static str, Known)],
    /// Makes the driver.
    pub(crate) source: fn() -> Box<dyn DriverSource>,
}

/// A driver that is made from the machine alone.
struct Plain(for<'a> fn(&'a Machine) -> LocalBoxFuture<'a, Arc<dyn Driver>>);

#[async_trait(?Send)]
impl DriverSource for Plain {
    async fn make(&self, machine: &Machine) -> Result<Arc<dyn Driver>, Box<dyn Error>> {
        Ok((self.0)(machine).await)
    }
}

/// A known difference of a driver in a case, and its reason.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Known {
    /// The case fails; if it passes, it must be removed from the list.
    Always(&'static str),
    /// The case fails or passes, because of a race in a program that is not ours. The message of a failure must
    /// contain one of these texts; any other failure counts.
    AtTimes(&'static str, &'static [&'static str]),
}

const CDP: Measures =
    Measures { room: 20, patience: Duration::from_secs(15), grace: Duration::from_millis(500), moments: 12 };
const CHROMEDRIVER: Measures =
    Measures { room: 8, patience: Duration::from_secs(20), grace: Duration::from_secs(1), moments: 8 };

/// Chromium over the DevTools protocol.
pub(crate) fn cdp() -> Subject {
    Subject {
        name: "cdp",
        side_by_side: 6,
        measures: CDP,
        models: &[],
        differs: &[],
        source: || {
            Box::new(Plain(|machine| {
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
            }))
        },
    }
}

/// Chromium over WebDriver: a chromedriver holds several sessions.
pub(crate) fn chromedriver() -> Subject {
    Subject {
        name: "chromedriver",
        side_by_side: 4,
        measures: CHROMEDRIVER,
        source: || Box::new(Plain(|machine| ready(webdriver(machine, WebDriverSettings::default())))),
        ..cdp()
    }
}

/// Firefox over WebDriver: a geckodriver holds one session, which costs seconds.
pub(crate) fn geckodriver() -> Subject {
    Subject {
        name: "geckodriver",
        side_by_side: 2,
        measures: Measures { room: 1, patience: Duration::from_secs(30), moments: 4, ..CHROMEDRIVER },
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
            (
                "a_drag_drops_what_is_draggable",
                Known::Always("refused as unsupported: Firefox does not drop over WebDriver what it drags"),
            ),
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
        source: || {
            Box::new(Plain(|machine| {
                ready({
                    let settings =
                        WebDriverSettings { family: Family::Firefox, ..WebDriverSettings::default() };
                    webdriver(
                        machine,
                        WebDriverSettings {
                            driver: Some(NamedPath::new(geckodriver_in(machine), "this test")),
                            ..settings
                        },
                    )
                })
            }))
        },
        ..chromedriver()
    }
}

/// Chromium over WebDriver through a Selenium Grid, where a browser is a share of the grid.
pub(crate) fn grid() -> Subject {
    Subject {
        name: "grid",
        measures: Measures { patience: Duration::from_secs(30), ..CHROMEDRIVER },
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
            (
                "a_page_that_may_run_no_scripts_is_acted_upon",
                Known::Always("a timeout: the page's world, where scripts run there, has no timers"),
            ),
        ],
        source: || Box::new(GridSource(OnceCell::new())),
        ..chromedriver()
    }
}

/// A driver on a grid, which is started on first use.
struct GridSource(OnceCell<Grid>);

#[async_trait(?Send)]
impl DriverSource for GridSource {
    async fn make(&self, machine: &Machine) -> Result<Arc<dyn Driver>, Box<dyn Error>> {
        let grid = self.0.get_or_init(|| Grid::start(machine)).await;
        let remote = Remote::parse(&grid.url, 1).expect("an address");
        Ok(webdriver(machine, WebDriverSettings { remotes: vec![remote], ..WebDriverSettings::default() }))
    }

    fn server(&self) -> Option<i32> {
        self.0.get().map(Grid::pid)
    }

    async fn end_server(&self) {
        if let Some(grid) = self.0.get() {
            grid.stop().await;
        }
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
        source: || {
            Box::new(Plain(|machine| {
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
            }))
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
            "finding",
            "pointing",
            "forms",
            "waiting",
            "worlds",
            "scripts",
            "results",
            "unicode",
            "flows",
            "isolation",
            "attacks",
            "deadlines",
            "crowds",
        ],
        source: || {
            Box::new(Plain(|machine| {
                ready(Arc::new(SimDriver::new(SimSettings::default(), &machine.supervisor)))
            }))
        },
        ..cdp()
    }
}
