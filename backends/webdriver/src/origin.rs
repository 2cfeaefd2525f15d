//! The inputs that all launches share.

use std::path::PathBuf;
use std::sync::Arc;

use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::machine::Machine;

use crate::capabilities::SessionCapabilities;
use crate::endpoints::Endpoints;
use crate::settings::{Family, WebDriverSettings};

/// The inputs that all launches share.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) settings: WebDriverSettings,
    pub(crate) machine: Machine,
    pub(crate) supervisor: Supervisor,
    pub(crate) clock: Clock,
    pub(crate) capabilities: Arc<SessionCapabilities>,
    pub(crate) source: Source,
}

/// The source of browsers.
#[derive(Debug)]
pub(crate) enum Source {
    /// This program is started for each browser.
    Local(DriverProgram),
    /// Browsers are shares of remote ends.
    Remote(Arc<Endpoints>),
}

/// A chromedriver or geckodriver.
#[derive(Debug)]
pub(crate) struct DriverProgram {
    pub(crate) family: Family,
    pub(crate) path: PathBuf,
}
