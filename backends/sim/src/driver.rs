//! A driver without a browser: it accepts any job, takes time for it, and returns values that its seed determines.
//!
//! ```text
//!   SimDriver ── launch ──► SimBrowser ── open ──► SimContext ── perform ──► latency, fate, invented values
//! ```
//!
//! For dry runs of job files (`--driver sim`): is every job parsed as intended, how long would a run take, what do
//! retries and reports look like when one attempt in ten fails? The same seed, job and settings give the same data and
//! the same faults, whatever else runs.
//!
//! Rules that a job can rely on: a path `/status/404` returns that status; a host under `.invalid` does not exist;
//! `chrome://crash` crashes; a condition that contains the word `never` never becomes true.

mod browser;
mod context;
mod invented;
mod life;
mod luck;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::capability::Capabilities;
use plimsoll_core::id::BrowserId;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::{Browser, Driver};
use plimsoll_core::runtime::supervisor::Supervisor;
use tokio::time::{sleep, timeout};

use crate::chance::Chance;
use browser::SimBrowser;
use luck::Luck;

/// How the simulated browsers behave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimSettings {
    /// Determines every value, latency and fault.
    pub seed: u64,
    /// How long the start of a browser takes, at the median.
    pub launch: Duration,
    /// How long the creation of a context takes, at the median.
    pub open: Duration,
    /// How long a page takes to load, at the median.
    pub page: Duration,
    /// How long any other step takes, at the median.
    pub step: Duration,
    /// How often faults happen.
    pub faults: SimFaults,
}

/// How often faults happen: shares from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SimFaults {
    /// The share of launches that fail.
    pub launch: f64,
    /// The share of pages that cannot be reached.
    pub navigation: f64,
    /// The share of pages that never load.
    pub hang: f64,
    /// The share of pages whose renderer crashes.
    pub page_crash: f64,
    /// The share of pages that crash their browser.
    pub browser_crash: f64,
}

impl Default for SimSettings {
    /// About as fast as a headless shell on an idle machine, and without faults.
    fn default() -> Self {
        Self {
            seed: 1,
            launch: Duration::from_millis(150),
            open: Duration::from_millis(20),
            page: Duration::from_millis(40),
            step: Duration::from_millis(3),
            faults: SimFaults::default(),
        }
    }
}

/// Creates simulated browsers.
#[derive(Debug)]
pub struct SimDriver {
    settings: SimSettings,
    luck: Arc<Luck>,
    supervisor: Supervisor,
}

impl SimDriver {
    /// A driver whose browsers end when `supervisor` is cancelled.
    #[must_use]
    pub fn new(settings: SimSettings, supervisor: &Supervisor) -> Self {
        Self { settings, luck: Arc::default(), supervisor: supervisor.clone() }
    }
}

#[async_trait]
impl Driver for SimDriver {
    fn name(&self) -> &str {
        "sim"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::all()
    }

    async fn launch(&self, id: BrowserId, budget: Duration) -> Result<Arc<dyn Browser>, Fault> {
        let mut chance = Chance::of(self.settings.seed, &[1, id.0]);
        pass(&mut chance, self.settings.launch, budget, "the launch").await?;
        if chance.happens(self.settings.faults.launch) {
            return Err(Fault::transient(FailureClass::BrowserCrash, "the simulated browser did not start"));
        }
        Ok(Arc::new(SimBrowser::new(self.settings, Arc::clone(&self.luck), self.supervisor.clone())))
    }
}

/// Waits about `median`; returns a fault when `budget` is used up earlier.
async fn pass(chance: &mut Chance, median: Duration, budget: Duration, what: &str) -> Result<(), Fault> {
    let latency = Duration::from_secs_f64(chance.log_normal(median.as_secs_f64(), 0.4));
    let late = |_| Fault::transient(FailureClass::Timeout, format!("{what} took longer than {budget:?}"));
    timeout(budget, sleep(latency)).await.map_err(late)
}
